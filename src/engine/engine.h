#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "engine/child_run_tracker.h"
#include "engine/local_adapter.h"
#include "engine/payload.h"
#include "engine/recorded_run.h"
#include "engine/signal_feed.h"
#include "engine/signal_types.h"
#include "engine/sub_pipelines.h"
#include "pipeline/definition.h"
#include "pipeline/file.h"
#include "pipeline/scheduler.h"
#include "record/loggers.h"
#include "record/recorder.h"
#include "tool/tool.h"

namespace weir::engine {

class CircuitBreakers;
class Execution;
class Interceptor;
class ProviderCallLogger;
class RunLogger;

/// What a run tells whoever watches it, for progress; the record is the log.
struct NodeUpdate {
  enum class Kind : std::uint8_t {
    kAsked,  ///< it waits for a person
    kStarted,
    kCompleted,
    kFailed,
    kRetried,
    kSkipped,
    kCancelled,
    kUndone,
    kUndoFailed,
    kPaused,   ///< the run, as the next one
    kResumed,  ///< after a pause
  };
  Kind kind;
  std::string_view node_id{};  ///< or of one of its items: "ID[0]"; empty: of the run
  double duration_ms = 0;
  std::string_view message{};  ///< kFailed, kRetried, kSkipped, kUndoFailed: why; kAsked: what
};

/// Sees all that a run does, to compare it with what is recorded: for tests.
class RunWatcher {
 public:
  virtual ~RunWatcher() = default;
  /// The run has moved, and all that it has decided is recorded. Called under its mutex.
  virtual void moved(const Execution& run) = 0;
};

struct RunRequest {
  const pipeline::Definition& definition;  ///< valid
  std::string_view definition_text;        ///< what the user wrote, kept as an artifact
  std::filesystem::path folder;            ///< of the file
  /// Absolute; of a text that stands in none, what it can be read as: pipeline::file_name_of.
  /// Empty: the text is not enough to run it again.
  std::filesystem::path file{};
  json::Object payload;
  /// All that the definition has, with their values: see pipeline::bind.
  json::Object params{};
  /// The value of a secret, nothing if there is none. The recorder's redactor must know them all,
  /// as literals. Called from the threads that run nodes; empty: there are none.
  std::function<std::optional<std::string>(const std::string& name)> secret{};
  /// Of a new run; nothing: one is made.
  std::optional<RunId> run_id{};
  /// Goes on with this run instead of beginning one; its lock is taken. Definition, payload and
  /// params are those that it began with.
  OwnedRun* owned = nullptr;
  /// Repeats another run, in whole or in part. Its definition, payload and params are this run's.
  Rerun rerun{};
  /// The run that this one repeats; empty: the one that `rerun` takes outputs from, if any.
  std::string previous_run_id{};
  /// One of the definition's, if it has any; empty: that of the context around, if there is one. A
  /// recorded run keeps its own.
  std::string execution_mode{};
  /// Whose data a new run's is; empty: as around, or as in the run that it repeats.
  std::string tenant_id{};
  /// Where requests to the run come from; null: nobody can ask anything of it.
  SignalFeed* signals = nullptr;
  /// What may be asked, and by whom; null: Weir's own types, by everybody.
  const SignalPolicy* signal_policy = nullptr;
  /// Called under no lock when somebody pauses the run, or lets it go on: holds what runs. Without
  /// it what runs ends by itself.
  std::function<void(bool is_paused)> on_pause{};
  /// After a pause: what runs for longer is told of by an alert.
  std::chrono::milliseconds pause_drain_timeout = std::chrono::minutes(5);
  /// What is asked and cannot be done yet is rejected then. A run that is taken up counts anew.
  std::chrono::milliseconds max_deferral = std::chrono::hours(24);
  int jobs = 1;                  ///< nodes at a time, at least 1
  bool looks_into_cache = true;  ///< where its nodes want that; what they make is kept anyway
  record::Durability durability = record::Durability::kBatch;
  /// Of a definition that does not say.
  pipeline::OnLogFailure on_log_failure = pipeline::OnLogFailure::kStop;
  /// Say which lines of its tools are recorded; null: all.
  const record::Loggers* loggers = nullptr;
  /// Around the calls of its tools, beside what the pipeline asks for: docs/interceptors.md. They
  /// outlive the run, as all that follow.
  std::vector<Interceptor*> interceptors{};
  /// The same for every request of the same work, for an IdempotencyInterceptor; empty: none.
  std::string idempotency_key{};
  CircuitBreakers* circuit_breakers = nullptr;  ///< null: those of the process
  RunLogger* run_logger = nullptr;
  ProviderCallLogger* provider_call_logger = nullptr;
  LocalAdapter* adapter = nullptr;  ///< says that the run goes on; null: nobody does
  /// Requested: cancel the run.
  std::stop_token stop;
  /// Called under no lock, from the threads that run nodes, one call at a time.
  std::function<void(const NodeUpdate&)> on_update;
  RunWatcher* watcher = nullptr;  ///< null: nobody watches
  /// For nodes with a `pipeline`; null: they fail.
  const SubPipelines* sub_pipelines = nullptr;
  /// Of a run that a node of another run begins; null: nobody's.
  const ChildPlace* child = nullptr;
};

[[nodiscard]] inline bool stops_without_record(const RunRequest& request) {
  return request.definition.on_log_failure.value_or(request.on_log_failure) ==
         pipeline::OnLogFailure::kStop;
}

/// What a node had done, and could not be taken back.
struct UndoFailure {
  std::string node_id;  ///< or that of one of its items
  std::string message;
};

struct RunReport {
  RunId run_id;
  pipeline::RunOutcome outcome = pipeline::RunOutcome::kCompleted;
  double duration_ms = 0;
  /// Of a completed run: the initial payload updated with the outputs of the output nodes.
  json::Object result;
  /// Of a completed run: each node's output, as in Definition::nodes.
  std::vector<OutputPointer> outputs;
  /// Why the record is incomplete, of a run that goes on then.
  std::optional<Error> record_error;
  /// Of a failed run, and of one that completed without what this node would have made; empty when
  /// no node did.
  std::string failed_node_id;
  tool::Failure failure;
  /// Somebody has asked for the whole run once more, so it was cancelled.
  bool wants_retry = false;
  std::vector<UndoFailure> undo_failures;
};

/// Runs pipelines on threads of this process and records what happens.
class Engine {
 public:
  /// `redactor` says which outputs may not stand in the log.
  Engine(record::Recorder& recorder, const artifact::ArtifactStore& artifacts,
         const tool::Registry& tools, const event::Redactor& redactor = default_redactor())
      : recorder_(recorder), artifacts_(artifacts), tools_(tools), redactor_(redactor) {}

  /// Runs to the end; what it returns is on disk, but for a report with a record_error. Errors: the
  /// log or the artifact store could not be written, and the run was stopped for it; kInvalidInput
  /// for an execution mode that the definition has not; of a recorded run: kConflict when its
  /// events are not those of the definition. A run that failed is no error.
  [[nodiscard]] Result<RunReport> run(const RunRequest& request);

  /// Records that a run was asked for and refused: one `pipeline_failed` with no failed node.
  /// `tenant_id` as RunRequest's.
  [[nodiscard]] Result<RunId> record_refusal(const pipeline::Definition& definition,
                                             std::string_view error_type, std::string_view message,
                                             std::string_view tenant_id = {});

  /// The runs that nodes of its runs have begun.
  [[nodiscard]] ChildRunTracker& child_runs() { return child_runs_; }

 private:
  [[nodiscard]] Result<RunReport> carry_out(const RunRequest& request, LocalAdapter::Call& call);

  record::Recorder& recorder_;
  const artifact::ArtifactStore& artifacts_;
  const tool::Registry& tools_;
  const event::Redactor& redactor_;
  ChildRunTracker child_runs_;
};

}  // namespace weir::engine
