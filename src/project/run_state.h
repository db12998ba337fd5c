#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "event/decoder.h"
#include "project/node_state.h"
#include "project/sequence.h"

/// Pure folds over events.
namespace weir::project {

/// What a run is doing beside its state.
enum class Substatus : std::uint8_t {
  kNone,
  kDraining,         ///< paused: nothing more starts, some nodes run on
  kPaused,           ///< paused: nothing runs
  kRecovering,       ///< another process took it up; no node has moved since
  kWaitingApproval,  ///< a person is asked
  kRetrying,         ///< a node waits for another try
};
/// "DRAINING", …; empty for kNone.
[[nodiscard]] std::string_view to_string(Substatus substatus);

enum class Decision : std::uint8_t { kRequested, kDeferred, kAccepted, kRejected };
[[nodiscard]] std::string_view to_string(Decision decision);

/// A request to the run.
struct Signal {
  std::string signal_id;
  std::string signal_type;
  std::string node_id;
  std::string actor_id;
  Decision decision = Decision::kRequested;
  std::optional<Timestamp> requested_at;
  std::optional<Timestamp> decided_at;
  std::string reason;

  [[nodiscard]] bool is_open() const { return decision < Decision::kAccepted; }
  bool operator==(const Signal&) const = default;
};

/// A question to a person.
struct Approval {
  std::string node_id;
  std::string call_id;  ///< of the call within the node; empty: of the node
  std::string message;
  Timestamp requested_at{};
  std::optional<Timestamp> decided_at;
  std::string outcome;  ///< what was decided
  std::string actor_id;

  [[nodiscard]] bool is_open() const { return !decided_at; }
  bool operator==(const Approval&) const = default;
};

/// A run that this one started.
struct ChildRun {
  std::string run_id;
  std::string node_id;
  State state = State::kPending;

  bool operator==(const ChildRun&) const = default;
};

/// An event that may not follow what came before it.
struct Forbidden {
  std::int64_t run_seq = 0;
  std::string event_type;
  std::string node_id;
  State prior = State::kPending;  ///< of the node, else of the run
  std::string why;

  bool operator==(const Forbidden&) const = default;
};

/// What is known of a run. Fold its events in their order: `apply` for each. What may come when is
/// in transitions.h; a forbidden event leaves the state as it was and the run INCONSISTENT. A
/// snapshot is run_state_json.h's.
struct RunState {
  /// Of `forbidden`; all are counted.
  static constexpr std::size_t kMaxForbidden = 20;

  RunId run_id;
  std::string pipeline_id;
  std::string pipeline_version;
  std::string pipeline_type;
  State state = State::kPending;
  bool paused = false;
  bool recovering = false;
  std::int64_t engine_attempt = 0;  ///< of the machinery: 1, 2, … with each process that took it up
  Timestamp started_at{};           ///< of the first event
  Timestamp last_event_at{};
  std::int64_t last_run_seq = 0;
  std::optional<double> duration_ms;
  std::int64_t node_count = 0;
  std::int64_t events = 0;
  std::string outcome;
  std::string failed_node_id;
  std::string error_type;
  std::string error_message;     ///< of a cancelled run: the reason
  std::vector<NodeState> nodes;  ///< in the order of their first events
  std::vector<Signal> signals;   ///< in the order in which they were heard of
  std::vector<Approval> approvals;
  std::vector<ChildRun> children;
  std::int64_t cache_hits = 0;
  std::int64_t cache_misses = 0;
  std::int64_t checkpoints = 0;
  std::vector<Forbidden> forbidden;  ///< the first kMaxForbidden
  std::int64_t forbidden_count = 0;
  Sequence sequence;  ///< which events have come

  bool operator==(const RunState&) const = default;

  /// An event that was applied before changes nothing. An event of another run matters when it
  /// tells of a signal to this one: those come from other processes and may come in any order.
  void apply(const event::EventView& event);

  [[nodiscard]] bool is_finished() const {
    return state == State::kCompleted || state == State::kFailed || state == State::kCancelled;
  }
  /// INCONSISTENT: a forbidden event came.
  [[nodiscard]] bool is_inconsistent() const { return forbidden_count > 0; }
  /// STALE: events are missing, so that the state may be an old one.
  [[nodiscard]] bool is_stale() const { return sequence.has_holes(); }
  /// What has been missing for so long will not come: a gap.
  static constexpr std::chrono::minutes kGapPatience{1};
  [[nodiscard]] std::vector<Sequence::Hole> gaps(Timestamp now) const {
    return sequence.open_since(now - kGapPatience);
  }
  /// Walks over all nodes, as `count` does.
  [[nodiscard]] Substatus substatus() const;
  /// How many nodes are in the state, of those that anything is known of.
  [[nodiscard]] std::int64_t count(State wanted) const;
  [[nodiscard]] const NodeState* find_node(std::string_view node_id) const;

  /// For who has filled in the lists: what finds things in them. False: they cannot be true; an id
  /// is there twice, or a node that never started has run.
  [[nodiscard]] bool index();

 private:
  /// Where things are in the lists above, by their ids.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using Index = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  [[nodiscard]] bool is_foreign() const { return pipeline_type == "external"; }
  void begin(const event::EventView& event);
  bool take_number(const event::EventView& event);
  Refusal apply_inside_run(const event::EventView& event);
  Refusal apply_to_run(const event::EventView& event, State to);
  void resume(const event::EventView& event);
  Refusal apply_to_node(const event::EventView& event);
  Refusal apply_to_guard(const event::EventView& event);
  void apply_to_cache(const event::EventView& event);
  void observe(const event::EventView& event);
  void apply_to_trace(const event::EventView& event);
  Refusal apply_to_approval(const event::EventView& event);
  Refusal apply_to_signal(const event::EventView& event);
  void hear_of_signal(const event::EventView& event);
  void apply_to_child(const event::EventView& event);
  void note_forbidden(const event::EventView& event, std::string why);
  NodeState& node_of(const event::EventView& event);
  Signal& signal_of(const event::EventView& event);

  Index node_index_;
  Index signal_index_;
  Index open_approval_index_;
  Index child_index_;
  std::int64_t guards_retrying_ = 0;  // nodes with `guard_retries`
};

}  // namespace weir::project
