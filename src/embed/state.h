#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "embed/attach_sink.h"
#include "record/context.h"
#include "record/fork_guard.h"
#include "record/logger.h"
#include "record/loggers.h"
#include "record/observation.h"
#include "record/recorder.h"
#include "record/tracer.h"
#include "weir/weir.h"

/// What stands behind the classes of include/weir/.
namespace weir::embed {

[[nodiscard]] Status to_status(const Error& error);
[[nodiscard]] Status to_status(const Result<void>& result);
[[nodiscard]] Error to_error(const Status& status);
[[nodiscard]] Result<void> to_result(const Status& status);

using record::TextFields;

struct RecorderState {
  RecorderState(log::StoreDirectory store, const RecorderOptions& options,
                std::shared_ptr<const event::Redactor> redactor);

  record::Loggers loggers;
  std::atomic<bool> stopped{false};
  std::atomic<std::uint64_t> refused{0};
  /// They end after the recorder, whose end commits what they still must get.
  Feeds sinks;
  record::Recorder recorder;
};

/// How far the pipeline of a run is, as its helpers were told.
struct Progress {
  std::chrono::nanoseconds start{};
  std::int64_t node_count = 0;
  std::int64_t completed = 0;
  std::vector<std::string> failed;  ///< nodes, in the order of their failures
};

/// Kept by the Run, its loggers, spans and nodes: the last of them lets go of the run's lock.
struct RunState {
  RunState(std::shared_ptr<RecorderState> its_owner, std::unique_ptr<record::Run> its_run,
           record::TraceContext its_root, RunOptions options);

  [[nodiscard]] bool emit(const EventName& name, Fields said, bool wait);
  /// Whether events are taken; if not, `what` is refused.
  [[nodiscard]] bool takes(std::string_view what);
  /// What an event says in its attributes besides what it was told: ids of the current context,
  /// then of the run's.
  [[nodiscard]] json::Object attributes_around(event::Type type) const;
  /// Remembers the first one for `flush`; false.
  bool refuse(Status status);
  [[nodiscard]] Status flush();
  /// Why no event is taken, if none is.
  [[nodiscard]] std::optional<Status> closed() const;
  [[nodiscard]] double milliseconds_since(std::chrono::nanoseconds start) const;

  const std::shared_ptr<RecorderState> owner;
  const std::unique_ptr<record::Run> run;
  const std::string id;
  const std::string pipeline_id;
  const record::TraceContext root;
  const TextFields fields;  ///< of every event
  /// Of the run's own context, for events that are in no other: see record/context_attributes.h.
  const json::Object attributes;
  const record::Tracer tracer;
  std::atomic<bool> ended{false};
  std::atomic<bool> lost{false};

  std::mutex mutex;
  std::optional<Status> refusal;  ///< guarded by mutex
  Progress progress;              ///< guarded by mutex

 private:
  record::ForkGuard fork_guard_{mutex, [this] { lost = true; }};
  /// Last: its destructor waits for a call that runs.
  std::stop_callback<std::function<void()>> on_lost_;
};

struct ContextState {
  std::shared_ptr<const record::TraceContext> context;
};

/// The way from public objects to what is behind them.
struct Access {
  static const std::shared_ptr<RunState>& state_of(const weir::Run& run) { return run.state_; }
  /// Null for an empty one.
  static std::shared_ptr<const record::TraceContext> get(const weir::TraceContext& context) {
    return context.state_ ? context.state_->context : nullptr;
  }
  static weir::TraceContext make(std::shared_ptr<const record::TraceContext> context) {
    weir::TraceContext made;
    if (context)
      made.state_ = std::make_shared<const ContextState>(ContextState{std::move(context)});
    return made;
  }
};

/// The ids that a context carries and an event has as fields.
struct ContextId {
  event::Field field;
  std::string record::CorrelationIds::* member;
};
inline constexpr ContextId kContextIds[] = {
    {event::Field::kTenantId, &record::CorrelationIds::tenant_id},
    {event::Field::kPreviousRunId, &record::CorrelationIds::previous_run_id},
    {event::Field::kSessionId, &record::CorrelationIds::session_id},
    {event::Field::kRequestId, &record::CorrelationIds::request_id},
    {event::Field::kUserId, &record::CorrelationIds::user_id},
    {event::Field::kOrgId, &record::CorrelationIds::org_id},
    {event::Field::kWorkflowId, &record::CorrelationIds::workflow_id},
    {event::Field::kCorrelationId, &record::CorrelationIds::correlation_id},
};

}  // namespace weir::embed
