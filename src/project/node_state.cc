#include "project/node_state.h"

#include <algorithm>

#include "project/observed_span.h"
#include "project/transitions.h"

namespace weir::project {
namespace {

using event::Field;

Usage usage_of(const event::EventView& event) {
  return {.cpu_ms = event.number(Field::kCpuMs),
          .memory_bytes = event.integer(Field::kMemoryBytes),
          .read_bytes = event.integer(Field::kReadBytes),
          .written_bytes = event.integer(Field::kWrittenBytes),
          .rows = event.integer(Field::kRows)};
}

std::string attempt_text(std::int64_t number) { return "attempt " + std::to_string(number); }

}  // namespace

std::string_view to_string(State state) {
  static constexpr std::string_view kNames[kStateCount] = {"pending", "running", "completed",
                                                           "failed",  "skipped", "cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view to_string(Retry retry) {
  static constexpr std::string_view kNames[] = {"none", "asked", "scheduled"};
  return kNames[static_cast<std::size_t>(retry)];
}

std::string_view to_string(Undo undo) {
  static constexpr std::string_view kNames[] = {"none", "undone", "failed"};
  return kNames[static_cast<std::size_t>(undo)];
}

Refusal NodeState::apply(const event::EventView& event, const Circumstances& run) {
  const auto* transition = find_transition(kNodeTransitions, event.type());
  if (transition == nullptr) return {};
  if (!transition->from.contains(state)) return "the node is " + std::string(to_string(state));
  switch (event.type()) {
    case event::Type::kNodeStarted:
      return start(event, run);
    case event::Type::kNodeRetryScheduled:
      return schedule_retry(event, run);
    case event::Type::kNodeSkipped:
      state = State::kSkipped;
      retry = Retry::kNone;
      reason = event.text(Field::kReason);
      return {};
    default:
      return end(event, transition->to);
  }
}

Refusal NodeState::start(const event::EventView& event, const Circumstances& run) {
  const auto* last = last_attempt();
  const auto expected = retry != Retry::kNone ? next_attempt : last == nullptr ? 1 : last->number;
  const auto number = event.integer(Field::kAttempt).value_or(expected);
  const auto engine_attempt = event.integer(Field::kEngineAttempt).value_or(run.engine_attempt);
  if (last != nullptr) {
    const bool machinery_again =
        number == last->number && engine_attempt > last->engine_attempt && retry == Retry::kNone;
    if (state == State::kRunning && !machinery_again)
      return attempt_text(last->number) + " is running";
    if (number <= last->number && !machinery_again) return attempt_text(number) + " has ended";
    lose_attempt();
  }
  attempts.push_back({.number = number,
                      .engine_attempt = engine_attempt,
                      .state = State::kRunning,
                      .started_at = event.timestamp()});
  state = State::kRunning;
  retry = Retry::kNone;
  plugin_id = event.text(Field::kPluginId);
  tool_id = event.text(Field::kToolId);
  step_index = event.integer(Field::kStepIndex).value_or(0);
  predecessors = event.strings(Field::kPredecessorNodeIds);
  return {};
}

Refusal NodeState::end(const event::EventView& event, State how) {
  auto& attempt = attempts.back();  // a running node has one
  if (const auto number = event.integer(Field::kAttempt); number && *number != attempt.number)
    return attempt_text(attempt.number) + " is running";
  state = attempt.state = how;
  attempt.ended_at = event.timestamp();
  attempt.duration_ms = event.number(Field::kDurationMs);
  attempt.outcome = event.text(Field::kOutcome);
  attempt.error_type = event.text(Field::kErrorType);
  attempt.error_message = event.text(Field::kErrorMessage);
  attempt.usage = usage_of(event);
  if (how == State::kCancelled) reason = event.text(Field::kReason);
  return {};
}

void NodeState::observe(const event::EventView& event, const ObservedSpan& span) {
  if (attempts.empty())
    attempts.push_back({.number = 1, .engine_attempt = 1, .started_at = span.started_at});
  auto& attempt = attempts.back();
  attempt.started_at = std::min(attempt.started_at, span.started_at);
  // An open one says only that nothing has ended yet; another one may be told late.
  if (attempt.ended_at && (!span.ended_at || *attempt.ended_at > *span.ended_at)) return;
  state = attempt.state = span.state;
  attempt.ended_at = span.ended_at;
  attempt.duration_ms = event.number(Field::kDurationMs);
  attempt.error_type = event.text(Field::kErrorType);
  attempt.error_message = event.text(Field::kErrorMessage);
  attempt.usage = usage_of(event);
}

Refusal NodeState::schedule_retry(const event::EventView& event, const Circumstances& run) {
  if ((state == State::kCompleted || state == State::kSkipped) && !run.guard_retries &&
      event.text(event::Field::kReason) != "guard_retry")
    return "the node is " + std::string(to_string(state)) + ", and no guard wants it again";
  if (state == State::kPending && retry != Retry::kAsked) return "the node has not failed";
  const auto last = attempts.empty() ? 0 : attempts.back().number;
  next_attempt = std::max(event.integer(Field::kAttempt).value_or(0), last + 1);
  state = State::kPending;
  retry = Retry::kScheduled;
  return {};
}

Refusal NodeState::ask_for_retry() {
  if (state != State::kFailed) return "the node is " + std::string(to_string(state));
  next_attempt = attempts.back().number + 1;
  state = State::kPending;
  retry = Retry::kAsked;
  return {};
}

void NodeState::lose_attempt() {
  if (state != State::kRunning) return;
  attempts.back().state = State::kCancelled;
  attempts.back().outcome = "unknown";
  state = State::kPending;
}

void NodeState::add_log_line(std::string_view line) {
  ++log_lines;
  if (last_log_lines.size() == kLastLogLines) last_log_lines.erase(last_log_lines.begin());
  last_log_lines.emplace_back(line);
}

}  // namespace weir::project
