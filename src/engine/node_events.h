#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "base/time.h"
#include "engine/circuit_breakers.h"
#include "engine/payload.h"
#include "engine/run_place.h"
#include "event/field_list.h"
#include "pipeline/definition.h"
#include "pipeline/guard_progress.h"
#include "project/wide_events.h"
#include "record/recorder.h"
#include "tool/circuit_change.h"
#include "tool/tool.h"

namespace weir::engine {

/// Where the outputs go that may not stand in their events.
struct OutputStore {
  const artifact::ArtifactStore& artifacts;
  const event::Redactor& redactor;
};

/// What an attempt says of the run that it began.
struct ChildFact {
  RunId run_id;
  std::string_view pipeline;  ///< its id
  std::optional<double> duration_ms{};
  std::string_view error_type{};
  std::string_view error_message{};
  int depth = 0;  ///< how many runs are around it; 0: nothing is said of that
};

/// Of the payloads in a `node_io`.
inline constexpr std::size_t kMaxIoBytes = std::size_t{64} << 10;

/// Records one attempt of one node: says the same fields on each of its events.
class NodeEvents {
 public:
  /// `node_id` is the node's, or that of one of its items. `wide`, if it is wanted, learns what the
  /// events say; they all outlive this object.
  NodeEvents(record::Run& run, const pipeline::Node& node, std::string_view node_id,
             std::int64_t step_index, int attempt, const RunPlace& place, project::NodeWide* wide,
             SpanId span = SpanId::make());

  /// Of what sort its plugin is, which the events that end it say; outlives this object.
  void of_plugin_type(std::string_view type) { plugin_type_ = type; }
  void started(const std::vector<std::string>& predecessor_ids);
  /// `output_text` is the payload as JSON. Errors: those of the artifact store, and then nothing
  /// was recorded.
  [[nodiscard]] Result<void> completed(double duration_ms, const tool::Output& output,
                                       std::string_view output_text, const OutputStore& store);
  /// Where an output comes from that is not made anew.
  struct CacheHit {
    std::string_view run_id;  ///< of the node that made it
    std::string_view reason;
    std::optional<std::size_t> size_bytes;
    std::string_view key{};  ///< empty: of no cache
  };
  /// Before `completed`, which says it too.
  void cache_hit(const CacheHit& hit);
  struct CacheMiss {
    std::string_view reason;
    std::string_view key;  ///< empty: none was looked for
  };
  void cache_miss(const CacheMiss& miss);
  void failed(double duration_ms, const tool::Failure& failure);
  /// After `failed`: another attempt follows.
  void retry_scheduled(std::string_view reason, std::chrono::milliseconds delay);
  /// It never ran.
  void skipped(std::string_view reason);
  /// A person is asked whether it may run, and has so long to answer.
  void approval_requested(std::string_view message,
                          std::optional<std::chrono::milliseconds> timeout);
  void approval_decided(std::string_view outcome, std::string_view reason,
                        std::string_view actor_id);
  struct Cancel {
    std::string_view reason;
    bool run_timed_out = false;  ///< it is cancelled because the run's time is over
  };
  /// `failure` is what the tool returned; of it only what it used and its exit code are said.
  void cancelled(double duration_ms, const Cancel& cancel, const tool::Failure& failure);
  /// Of what these events undo.
  struct Undo {
    std::string_view undoes;  ///< the tool, or the pipeline
    Timestamp completed_at;
    bool run_failed = true;  ///< otherwise it was cancelled
  };
  void undo_invoked(const Undo& undo);
  void undone(double duration_ms, const Undo& undo);
  void undo_failed(double duration_ms, const tool::Failure& failure, const Undo& undo);
  /// Of the node as a guard; `progress` is how its tries went, the last one included.
  void guard_attempt(const pipeline::GuardProgress& progress);
  void guard_exhausted(std::string_view reason, const pipeline::GuardProgress& progress);
  void guard_recovered(const pipeline::GuardProgress& progress);
  // Of the call of its tool, for pipelines with `tool_events`; the span's id is the call's.
  void tool_invoked(const json::Object& payload);
  void tool_started();
  void tool_completed(double duration_ms, const tool::Output& output);
  void tool_failed(double duration_ms, const tool::Failure& failure);
  /// The tool may not be called; `attributes` say more.
  void tool_denied(std::string_view reason, const json::Object& attributes);
  /// Unless the run's loggers leave it out.
  void log(const tool::LogLine& line);
  /// What goes into the tool and comes out of it, masked as both are: `node_io` events, if the
  /// logger `pipeline_dag` records DEBUG. One of more than kMaxIoBytes as JSON is told by its size
  /// alone.
  void input(const json::Object& payload);
  void output(const json::Object& payload);
  void kept(const tool::KeptArtifact& artifact);
  /// Also told to the run's ProviderCallLogger.
  void provider_call(const tool::ProviderCallReport& report);
  /// What a circuit of the tool's own calls has come to.
  void circuit(const tool::CircuitChange& change);
  /// What the circuit of the node has come to.
  void circuit(CircuitState state, const pipeline::CircuitBreaker& rules);

  /// `type` is pipeline_child_*.
  void child(event::Type type, const ChildFact& fact);
  /// An event of the tool's own. Errors: as tool::Call::emit.
  [[nodiscard]] Result<void> own(const tool::OwnEvent& event);
  /// Of a stream of the tool's own. From any thread.
  void stream(const tool::StreamEvent& event);

  [[nodiscard]] SpanId span() const { return span_id_; }

 private:
  [[nodiscard]] event::FieldList common() const;
  void io(std::string_view what, const json::Object& payload);
  void add_attempt(event::FieldList& fields) const;
  [[nodiscard]] event::FieldList of_call() const;
  void emit_undo(event::Type type, event::FieldList& fields, const Undo& undo);
  void add_known_from(event::FieldList& fields) const;
  [[nodiscard]] std::string end_attributes(json::Object lineage = {}) const;
  void emit(event::Type type, std::span<const event::FieldValue> fields);
  void tell_logger(const tool::ProviderCallReport& report);

  record::Run& run_;
  const pipeline::Node& node_;
  const std::string_view node_id_;
  const RunPlace& place_;
  project::NodeWide* wide_;
  std::int64_t step_index_;
  std::int64_t attempt_;
  SpanId span_id_;
  SpanId::Text span_;
  SpanId::Text parent_span_;
  std::optional<bool> cache_hit_;  // what was said of it
  int own_events_ = 0;             // asked for
  std::string_view plugin_type_;
  std::string known_from_run_;
  std::string known_reason_;
};

}  // namespace weir::engine
