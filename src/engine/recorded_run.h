#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "base/time.h"
#include "engine/mode_around.h"
#include "engine/signal_request.h"
#include "event/decoder.h"
#include "log/cursor.h"
#include "log/run_lock.h"
#include "record/correlation_ids.h"

namespace weir::engine {

/// What the log says of a node, as far as the run's course depends on it.
struct NodeFact {
  /// pipeline_node_*, signal_*, approval_*, pipeline_resumed, of a guard, of a tool that undoes, or
  /// stream_queue_closed of a stream that is complete
  event::Type type;
  std::string node_id;
  int attempt = 1;
  Timestamp at{};
  std::string output{};  ///< kNodeCompleted: the JSON of an object; empty: an artifact
  std::optional<Sha256> output_sha256{};
  std::string error_type{};  ///< kNodeFailed
  std::string error_message{};
  std::optional<bool> retryable{};
  std::shared_ptr<const SignalRequest> signal{};  ///< of signal_*
  std::string actor_id{};                         ///< kApprovalDecided
  std::string reason{};                           ///< kNodeRetryScheduled, kApprovalDecided
  std::chrono::milliseconds delay{};              ///< kNodeRetryScheduled
  std::string outcome{};      ///< kNodeCompleted, kNodeCancelled, kApprovalDecided
  std::string run_outcome{};  ///< kToolInvoked: how the run ends that is being undone
  std::string to_node{};      ///< kStreamQueueClosed: who reads it
};

/// A run that a node of the run has begun.
struct RecordedChild {
  RunId run_id;
  bool has_ended = false;  ///< as the run says; if it does not, it may have
};

/// What the log says of a run that another process has left, enough to go on with it. Fold the
/// run's events in their order.
struct RecordedRun {
  RunId run_id{};  ///< nothing: that of the first event
  std::string pipeline_id;
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  std::string parent_run_id;
  std::string execution_mode;
  record::CorrelationIds ids;  ///< those that are columns
  std::int64_t last_run_seq = 0;
  std::int64_t engine_attempt = 0;  ///< 0: it never started
  Timestamp started_at{};
  /// How long processes have had it, each up to the last event that it recorded.
  [[nodiscard]] std::chrono::microseconds ran() const { return ran_before + (last_at - taken_at); }
  std::chrono::microseconds ran_before{};  ///< the last of them took it
  Timestamp taken_at{};
  Timestamp last_at{};
  std::string end;         ///< the type of the event that ended it; empty: none has
  double duration_ms = 0;  ///< of its end, as are these:
  std::string failed_node_id;
  std::string error_type;
  std::string error_message;
  std::string file;  ///< where its definition was read
  std::optional<Sha256> definition_sha256;
  std::optional<Sha256> input_sha256;
  json::Object params;                  ///< as the event has them
  std::optional<Sha256> params_sha256;  ///< if those are masked: what they are
  std::vector<std::string> rerun_from;  ///< as Rerun::from
  std::string rerun_of;                 ///< and Rerun::of: empty, it repeats none
  std::vector<NodeFact> facts;
  /// Asked by others, in the order of their times, decided or not.
  std::vector<SignalRequest> requests;
  std::int64_t depth = 0;                  ///< how many runs are around it
  std::vector<ModeAround> modes_around{};  ///< of those
  /// Of each node or item of which no attempt has ended since.
  std::map<std::string, RecordedChild, std::less<>> children;

  /// Also the signals to the run that stand in other runs.
  void apply(const event::EventView& event);
};

/// What a node that completed gave. Errors: those of the artifact store; kCorrupt when it is no
/// object.
[[nodiscard]] Result<json::Object> output_of(const NodeFact& fact,
                                             const artifact::ArtifactStore& artifacts);

/// That a run repeats another one of the same definition, input and parameters.
struct Rerun {
  const RecordedRun* of = nullptr;  ///< null: it repeats none
  /// Where it begins: these nodes and all that come after them run, the others give what they gave
  /// then, if they gave anything. Empty: at the beginning.
  std::vector<std::string> from{};
};

/// A run that this process has taken from one that is gone.
struct OwnedRun {
  log::RunLock lock;
  RecordedRun recorded;  ///< read since
  /// Of the log, before it was read: what is asked from here on comes with a SignalFeed.
  std::optional<log::Cursor> read_from{};
};

}  // namespace weir::engine
