#include "project/run_state.h"

#include <algorithm>

#include "event/run_end.h"
#include "project/observed_span.h"
#include "project/transitions.h"

namespace weir::project {
namespace {

using event::Field;
using event::Type;

/// Signals may be named as dvt does: RETRY_STEP.
bool is_retry_step(std::string_view signal_type) {
  return signal_type == "retry-step" || signal_type == "retry_step" || signal_type == "RETRY_STEP";
}

bool is_signal(Type type) {
  return type >= Type::kSignalRequested && type <= Type::kSignalDeferred;
}

/// Of kSignalRequested and those that follow it.
Decision decision_of(Type type) {
  switch (type) {
    case Type::kSignalAccepted:
      return Decision::kAccepted;
    case Type::kSignalRejected:
      return Decision::kRejected;
    case Type::kSignalDeferred:
      return Decision::kDeferred;
    default:
      return Decision::kRequested;
  }
}

void decide(Signal& signal, Decision decision, const event::EventView& event) {
  signal.decision = decision;
  signal.decided_at = event.timestamp();
  signal.reason = event.text(Field::kReason);
}

bool is_about_another_run(const event::EventView& event) {
  return event.has(Field::kTargetRunId) &&
         RunId::parse(event.text(Field::kTargetRunId)) != event.run_id();
}

/// A node may have several calls waiting.
std::string approval_key(std::string_view node_id, std::string_view call_id) {
  return std::string(node_id).append(1, '\0').append(call_id);
}

}  // namespace

std::string_view to_string(Substatus substatus) {
  static constexpr std::string_view kNames[] = {"",           "DRAINING",         "PAUSED",
                                                "RECOVERING", "WAITING_APPROVAL", "RETRYING"};
  return kNames[static_cast<std::size_t>(substatus)];
}

std::string_view to_string(Decision decision) {
  static constexpr std::string_view kNames[] = {"requested", "deferred", "accepted", "rejected"};
  return kNames[static_cast<std::size_t>(decision)];
}

void RunState::apply(const event::EventView& event) {
  if (events == 0) begin(event);
  if (event.run_id() != run_id) return hear_of_signal(event);
  if (!take_number(event)) return;
  ++events;
  last_event_at = std::max(last_event_at, event.timestamp());
  last_run_seq = std::max(last_run_seq, event.run_seq());
  if (!event::may_follow_end(event.type())) {
    if (auto why = apply_inside_run(event)) note_forbidden(event, *std::move(why));
  } else {
    observe(event);
  }
}

/// What may come at any time, also after the end.
void RunState::observe(const event::EventView& event) {
  const auto found = node_index_.find(event.text(Field::kNodeId));
  auto* const node = found == node_index_.end() ? nullptr : &nodes[found->second];
  switch (event.type()) {
    case Type::kLog:
      if (node != nullptr) node->add_log_line(event.text(Field::kMessage));
      return;
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      if (node == nullptr) return;
      node->undo = event.type() == Type::kToolUndone ? Undo::kUndone : Undo::kFailed;
      return;
    case Type::kSpan:
      return apply_to_trace(event);
    default:
      if (!is_finished()) apply_to_child(event);
  }
}

/// Of another system's trace, whose root is the run. Spans come in any order, and each says what
/// is: nothing of it is forbidden.
void RunState::apply_to_trace(const event::EventView& event) {
  const auto span = ObservedSpan::of(event);
  if (!span.is_of_trace) return;
  started_at = std::min(started_at, span.started_at);
  if (state == State::kPending) state = State::kRunning;
  const auto fails_first = [this](const NodeState& node) {
    const auto* first = find_node(failed_node_id);
    const auto* before = first == nullptr ? nullptr : first->last_attempt();
    const auto* now = node.last_attempt();
    return node.state == State::kFailed && now != nullptr &&
           (before == nullptr || now->ended_at < before->ended_at);
  };
  if (!event.text(Field::kNodeId).empty()) {
    auto& node = node_of(event);
    node.observe(event, span);
    node_count = static_cast<std::int64_t>(nodes.size());
    if (state == State::kFailed && fails_first(node)) failed_node_id = node.node_id;
    return;
  }
  if (!span.ended_at || is_finished()) return;
  state = span.state;
  duration_ms = event.number(Field::kDurationMs);
  if (state != State::kFailed) return;
  error_type = event.text(Field::kErrorType);
  error_message = event.text(Field::kErrorMessage);
  for (const auto& node : nodes) {
    if (fails_first(node)) failed_node_id = node.node_id;
  }
}

void RunState::begin(const event::EventView& event) {
  run_id = event.run_id();
  pipeline_id = event.text(Field::kPipelineId);
  pipeline_version = event.text(Field::kPipelineVersion);
  pipeline_type = event.text(Field::kPipelineType);
  started_at = last_event_at = event.timestamp();
  engine_attempt = 1;
  // A producer of another system may begin to count where it likes.
  sequence.next = is_foreign() ? event.integer(Field::kSourceSeq).value_or(1) : 1;
}

bool RunState::take_number(const event::EventView& event) {
  if (!is_foreign()) return sequence.take(event.run_seq(), event.timestamp());
  if (const auto number = event.integer(Field::kSourceSeq)) {
    // The clock of whoever took it in; its own may be wrong.
    return sequence.take(*number, Timestamp(std::chrono::microseconds(event.run_seq())));
  }
  // Its number is the clock of whoever took it in: nothing can be missing.
  return events == 0 || event.run_seq() != last_run_seq;
}

Refusal RunState::apply_inside_run(const event::EventView& event) {
  const auto type = event.type();
  // What a process says of another's run stands in its own.
  if (is_signal(type) && is_about_another_run(event)) return {};
  if (is_finished()) return "the run is " + std::string(to_string(state));
  if (type == Type::kPipelineFetched || type == Type::kPipelineValidated) return {};
  // We may have come later than the start of what we watch.
  if (is_foreign() && state == State::kPending && type != Type::kPipelineStarted)
    state = State::kRunning;
  if (const auto* transition = find_transition(kRunTransitions, type)) {
    if (!transition->from.contains(state)) return "the run is " + std::string(to_string(state));
    return apply_to_run(event, transition->to);
  }
  if (state == State::kPending) return "the run has not started";
  if (is_signal(type)) return apply_to_signal(event);
  switch (type) {
    case Type::kCacheHit:
    case Type::kCacheMiss:
      apply_to_cache(event);
      return {};
    case Type::kCheckpointCreated:
      ++checkpoints;
      return {};
    case Type::kApprovalRequested:
    case Type::kApprovalDecided:
      return apply_to_approval(event);
    case Type::kGuardRetryAttempt:
    case Type::kGuardRetryExhausted:
    case Type::kGuardRetryRecovered:
      return apply_to_guard(event);
    default:
      if (find_transition(kNodeTransitions, type) != nullptr) return apply_to_node(event);
      return {};
  }
}

Refusal RunState::apply_to_run(const event::EventView& event, State to) {
  switch (event.type()) {
    case Type::kPipelineStarted:
      node_count = event.integer(Field::kNodeCount).value_or(0);
      break;
    case Type::kPipelinePaused:
      paused = true;
      break;
    case Type::kPipelineResumed: {
      const auto engine = event.integer(Field::kEngineAttempt).value_or(engine_attempt);
      if (!paused && engine <= engine_attempt) return "the run is not paused";
      resume(event);
      break;
    }
    default:
      if (state == State::kPending && !event.text(Field::kFailedNodeId).empty())
        return "no node can fail before the run has started";
      paused = recovering = false;
      duration_ms = event.number(Field::kDurationMs);
      outcome = event.text(Field::kOutcome);
      failed_node_id = event.text(Field::kFailedNodeId);
      error_type = event.text(Field::kErrorType);
      error_message = event.text(to == State::kCancelled ? Field::kReason : Field::kErrorMessage);
  }
  state = to;
  return {};
}

/// From a pause; or, with the next number of the machinery, from the end of the process that had
/// the run.
void RunState::resume(const event::EventView& event) {
  paused = false;
  const auto engine = event.integer(Field::kEngineAttempt).value_or(engine_attempt);
  if (engine <= engine_attempt) return;
  engine_attempt = engine;
  recovering = true;
  for (auto& node : nodes) node.lose_attempt();
}

Refusal RunState::apply_to_node(const event::EventView& event) {
  const auto known = nodes.size();
  auto refusal = node_of(event).apply(
      event, {.engine_attempt = engine_attempt, .guard_retries = guards_retrying_ > 0});
  if (!refusal) {
    recovering = false;
  } else if (nodes.size() > known) {
    node_index_.erase(nodes.back().node_id);
    nodes.pop_back();
  }
  return refusal;
}

Refusal RunState::apply_to_guard(const event::EventView& event) {
  auto& node = node_of(event);
  const bool retries = event.type() == Type::kGuardRetryAttempt;
  if (retries != node.guard_retries) guards_retrying_ += retries ? 1 : -1;
  node.guard_retries = retries;
  return {};
}

void RunState::apply_to_cache(const event::EventView& event) {
  auto& node = node_of(event);
  const bool hit = event.type() == Type::kCacheHit;
  ++(hit ? cache_hits : cache_misses);
  node.cache_hit = hit;
  node.reason = event.text(Field::kReason);
}

Refusal RunState::apply_to_approval(const event::EventView& event) {
  auto key = approval_key(event.text(Field::kNodeId), event.text(Field::kCallId));
  const auto open = open_approval_index_.find(key);
  if (event.type() == Type::kApprovalDecided) {
    if (open == open_approval_index_.end()) return "nobody was asked";
    auto& approval = approvals[open->second];
    approval.decided_at = event.timestamp();
    approval.outcome = event.text(Field::kOutcome);
    approval.actor_id = event.text(Field::kActorId);
    open_approval_index_.erase(open);
    return {};
  }
  if (open != open_approval_index_.end()) return "the question is open already";
  const auto& node = node_of(event);
  if (node.state != State::kPending && node.state != State::kRunning)
    return "the node is " + std::string(to_string(node.state));
  open_approval_index_.emplace(std::move(key), approvals.size());
  approvals.push_back({.node_id = node.node_id,
                       .call_id = std::string(event.text(Field::kCallId)),
                       .message = std::string(event.text(Field::kMessage)),
                       .requested_at = event.timestamp()});
  return {};
}

Refusal RunState::apply_to_signal(const event::EventView& event) {
  const auto decision = decision_of(event.type());
  const auto known = signal_index_.find(event.text(Field::kSignalId));
  const auto* before = known == signal_index_.end() ? nullptr : &signals[known->second];
  if (decision != Decision::kRequested) {  // a request made twice is one
    if (before != nullptr && !before->is_open())
      return "the signal was " + std::string(to_string(before->decision));
    if (decision == Decision::kAccepted && is_retry_step(event.text(Field::kSignalType))) {
      const auto own = event.text(Field::kNodeId);
      const auto node = node_index_.find(own.empty() && before != nullptr ? before->node_id : own);
      if (node == node_index_.end()) return "the node is pending";
      if (auto why = nodes[node->second].ask_for_retry()) return why;
    }
  }
  auto& signal = signal_of(event);
  if (decision != Decision::kRequested) decide(signal, decision, event);
  return {};
}

/// Its sender tells of it, in an order of its own: what the run says is never overruled.
void RunState::hear_of_signal(const event::EventView& event) {
  if (!is_signal(event.type()) || RunId::parse(event.text(Field::kTargetRunId)) != run_id) return;
  const auto decision = decision_of(event.type());
  if (decision == Decision::kAccepted) return;  // for the run alone to say
  auto& signal = signal_of(event);
  if (decision > signal.decision && signal.is_open()) decide(signal, decision, event);
}

void RunState::apply_to_child(const event::EventView& event) {
  State to{};
  switch (event.type()) {
    case Type::kChildSpawned:
      to = State::kRunning;
      break;
    case Type::kChildCompleted:
      to = State::kCompleted;
      break;
    case Type::kChildFailed:
      to = State::kFailed;
      break;
    default:
      return;
  }
  const auto id = event.text(Field::kTargetRunId);
  const auto [found, is_new] = child_index_.emplace(id, children.size());
  if (is_new) {
    children.push_back(
        {.run_id = std::string(id), .node_id = std::string(event.text(Field::kNodeId))});
  }
  children[found->second].state = std::max(children[found->second].state, to);
}

void RunState::note_forbidden(const event::EventView& event, std::string why) {
  if (++forbidden_count > static_cast<std::int64_t>(kMaxForbidden)) return;
  const auto* node = find_node(event.text(Field::kNodeId));
  forbidden.push_back({.run_seq = event.run_seq(),
                       .event_type = std::string(event.type_name()),
                       .node_id = std::string(event.text(Field::kNodeId)),
                       .prior = node != nullptr && !is_finished() ? node->state : state,
                       .why = std::move(why)});
}

NodeState& RunState::node_of(const event::EventView& event) {
  const auto id = event.text(Field::kNodeId);
  if (const auto found = node_index_.find(id); found != node_index_.end())
    return nodes[found->second];
  node_index_.emplace(id, nodes.size());
  return nodes.emplace_back(NodeState{.node_id = std::string(id),
                                      .plugin_id = std::string(event.text(Field::kPluginId)),
                                      .tool_id = std::string(event.text(Field::kToolId)),
                                      .step_index = event.integer(Field::kStepIndex).value_or(0)});
}

Signal& RunState::signal_of(const event::EventView& event) {
  const auto id = event.text(Field::kSignalId);
  const auto [found, is_new] = signal_index_.emplace(id, signals.size());
  if (is_new) {
    signals.push_back(
        {.signal_id = std::string(id), .signal_type = std::string(event.text(Field::kSignalType))});
  }
  auto& signal = signals[found->second];
  if (signal.node_id.empty()) signal.node_id = event.text(Field::kNodeId);
  if (event.type() == Type::kSignalRequested && !signal.requested_at) {
    signal.actor_id = event.text(Field::kActorId);
    signal.requested_at = event.timestamp();
  }
  return signal;
}

Substatus RunState::substatus() const {
  if (is_finished()) return Substatus::kNone;
  if (paused) return count(State::kRunning) > 0 ? Substatus::kDraining : Substatus::kPaused;
  if (recovering) return Substatus::kRecovering;
  if (!open_approval_index_.empty()) return Substatus::kWaitingApproval;
  const auto retries = [](const NodeState& node) { return node.retry != Retry::kNone; };
  return std::ranges::any_of(nodes, retries) ? Substatus::kRetrying : Substatus::kNone;
}

std::int64_t RunState::count(State wanted) const {
  return std::ranges::count(nodes, wanted, &NodeState::state);
}

const NodeState* RunState::find_node(std::string_view node_id) const {
  const auto found = node_index_.find(node_id);
  return found == node_index_.end() ? nullptr : &nodes[found->second];
}

bool RunState::index() {
  node_index_.clear(), signal_index_.clear(), open_approval_index_.clear(), child_index_.clear();
  guards_retrying_ = 0;
  bool possible = true;
  const auto add = [&possible](Index& index, std::string key, std::size_t at) {
    possible = index.emplace(std::move(key), at).second && possible;
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    add(node_index_, node.node_id, i);
    guards_retrying_ += node.guard_retries ? 1 : 0;
    const bool never_ran = (node.state == State::kPending && node.retry != Retry::kAsked) ||
                           node.state == State::kSkipped;
    possible = possible && (never_ran || !node.attempts.empty());
  }
  for (std::size_t i = 0; i < signals.size(); ++i) add(signal_index_, signals[i].signal_id, i);
  for (std::size_t i = 0; i < children.size(); ++i) add(child_index_, children[i].run_id, i);
  for (std::size_t i = 0; i < approvals.size(); ++i) {
    const auto& approval = approvals[i];
    if (approval.is_open())
      add(open_approval_index_, approval_key(approval.node_id, approval.call_id), i);
  }
  return possible;
}

}  // namespace weir::project
