#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "event/decoder.h"
#include "project/run_state.h"

namespace weir::report {

/// Timed work of a run.
struct TraceSpan {
  enum class Kind : std::uint8_t {
    kRun,
    kNode,
    kAttempt,
    kTool,
    kProvider,
    kChildRun,
    kApproval,  ///< that a person was asked, until the answer
    kObserved
  };
  Kind kind = Kind::kNode;
  std::string name;
  std::string detail;  ///< a node's tool, a provider's model, the node that asks a person
  std::string node_id;
  std::string span_id;
  std::optional<std::size_t> parent;  ///< its place in the trace, before it
  std::size_t depth = 0;              ///< of the run: 0
  Timestamp started_at{};
  std::optional<Timestamp> ended_at;  ///< nothing: it is open
  /// Of one that was lost, if its run was taken up: when its process was last heard of.
  std::optional<Timestamp> last_heard_at;
  double duration_ms = 0;    ///< of an open one: until now, or until it was last heard of
  std::string state;         ///< running, completed, failed, cancelled; lost
  std::string error;         ///< "TYPE: message"
  project::Usage usage;      ///< of a node or an attempt
  bool is_critical = false;  ///< on the path that decided how long the run took

  [[nodiscard]] bool is_open() const { return !ended_at; }
};
[[nodiscard]] std::string_view kind_name(TraceSpan::Kind kind);

/// Work within a node, or told of by another system.
struct TracedCall {
  TraceSpan span;
  std::int64_t attempt = 0;         ///< of its node; 0: not known
  std::int64_t engine_attempt = 0;  ///< the process in which it was
  std::string parent_span_id;
};

struct Trace {
  RunId run_id;
  std::string pipeline_id;
  std::string trace_id;
  Timestamp until{};  ///< the end of what is drawn
  /// Each after its parent, those of one parent by their start; the run first.
  std::vector<TraceSpan> spans;
};

/// Makes a run's trace. Fold its events in their order.
///
/// A node that was tried once is one span, and one that was tried again has a span for each
/// attempt. Calls, tools and child runs are within the attempt of their node that ran then, and
/// approvals that one waited for before it within the run; the spans of other systems within the
/// one that they name as their parent, else within the run.
class TraceFold {
 public:
  /// Node, attempt, engine attempt.
  using AttemptKey = std::tuple<std::string, std::int64_t, std::int64_t>;

  void apply(const event::EventView& event);

  /// `is_owned`: somebody runs it now, so what is open goes on until `now`. Else it was lost.
  [[nodiscard]] Trace trace(bool is_owned, Timestamp now) const;

 private:
  /// Kind, node and what it is called there.
  using Key = std::tuple<TraceSpan::Kind, std::string, std::string>;

  [[nodiscard]] std::int64_t engine_attempt_of(const event::EventView& event) const;
  void lose_open_calls(Timestamp last_heard_at);
  void begin(const event::EventView& event, TraceSpan::Kind kind, std::string key,
             std::string name);
  void end(const event::EventView& event, TraceSpan::Kind kind, std::string key, std::string name);
  void observe(const event::EventView& event);

  project::RunState state_;
  std::string trace_id_;
  std::string span_id_;
  std::map<AttemptKey, std::string> attempt_spans_;  // their ids
  std::map<std::int64_t, Timestamp> last_heard_;     // of processes that were lost
  std::vector<TracedCall> calls_;
  std::map<Key, std::size_t> open_;  // in calls_
  bool is_observed_ = false;         // a trace of another system
};

[[nodiscard]] json::Object to_json(const Trace& trace);

/// Which spans of a long trace are shown: the run, the critical path, what failed or is open, and
/// of the others those that took longest, with what is around them; in their order. At most `most`,
/// if those that must be there leave room.
[[nodiscard]] std::vector<std::size_t> shown_spans(const Trace& trace, std::size_t most);

}  // namespace weir::report
