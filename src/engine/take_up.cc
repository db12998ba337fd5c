#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/execution.h"
#include "engine/failures.h"

// A run goes on with what the log tells of it: the scheduler hears everything again that it was
// told by the process that is gone, and then commands anew what that process had not finished.
namespace weir::engine {

using event::Type;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

namespace {

std::unexpected<Error> another_pipeline(const NodeFact& fact) {
  return fail(ErrorCode::kConflict, "node '" + fact.node_id +
                                        "': its events are not those of this definition, so the "
                                        "run cannot go on with it");
}

}  // namespace

Result<void> Execution::take_up(const RecordedRun& recorded) {
  pipeline::Scheduler::Commands given_before;
  scheduler_.start(given_before);
  is_taken_up_ = is_telling_ = true;
  ran_before_ = recorded.ran();
  for (const auto& request : recorded.requests) signals_.ask(request);
  for (const auto& fact : recorded.facts) {
    WEIR_TRY(const bool was_signal, signals_.hear_again(fact, given_before));
    if (was_signal) {
      given_before.clear();
      continue;
    }
    // Who says that a node runs again has no plan for it yet.
    const auto node = graph_.ids.find(fact.node_id);
    const auto step = node && fact.type == Type::kNodeRetryScheduled
                          ? node
                          : find_step(fact.node_id, given_before);
    if (!step) return another_pipeline(fact);
    WEIR_TRY(tell_again(*step, fact, given_before));
    for (const auto& command : given_before) {
      if (command.kind == pipeline::Command::Kind::kAgain) forget(command.step);
    }
    given_before.clear();
  }
  is_telling_ = false;
  return {};
}

/// "ID" or "ID[3]".
std::optional<Execution::Name> Execution::read_name(std::string_view id) const {
  if (const auto node = graph_.ids.find(id)) return Name{.node = *node};
  const auto bracket = id.rfind('[');
  const auto node = graph_.ids.find(id.substr(0, bracket));
  if (bracket == std::string_view::npos || !node) return {};
  std::uint32_t item = 0;
  const auto* const end = id.data() + id.size();
  const auto read = std::from_chars(id.data() + bracket + 1, end, item);
  if (read.ec != std::errc() || std::string_view(read.ptr, end) != "]") return {};
  return Name{.node = *node, .item = item};
}

std::optional<StepIndex> Execution::known_step(std::string_view node_id) const {
  const auto name = read_name(node_id);
  return name ? known_step(*name) : std::nullopt;
}

std::optional<StepIndex> Execution::known_step(const Name& name) const {
  if (!name.item) return name.node;
  const auto items = scheduler_.items_of(name.node);
  if (!items || *name.item >= items->count) return {};
  return items->first + *name.item;
}

/// Of a node or an item. If the process had made a plan for the node, it is made again.
std::optional<StepIndex> Execution::find_step(std::string_view node_id,
                                              pipeline::Scheduler::Commands& commands) {
  const auto name = read_name(node_id);
  if (!name) return {};
  if (scheduler_.state(name->node) == State::kPreparing) {
    if (const auto plan = calls_.plan(step_of(name->node))) {
      carry_out_plan(name->node, *plan, commands);
    }
  }
  return known_step(*name);
}

/// The scheduler is where it was when the fact was recorded, or one step before.
Result<void> Execution::tell_again(StepIndex step, const NodeFact& fact,
                                   pipeline::Scheduler::Commands& commands) {
  if (fact.type == Type::kStreamQueueClosed) {
    streams_.note_complete(scheduler_.node_of(step), fact.to_node);
    return {};
  }
  const bool waits = fact.type == Type::kNodeRetryScheduled && fact.reason != kGuardRetry;
  if (!waits) scheduler_.retry_due(step, commands);
  switch (fact.type) {
    case Type::kNodeStarted:
      streams_.note_begun(scheduler_.node_of(step));
      known_outputs_.asked_before(step_of(step), fact.attempt);
      note_said_again(fact.node_id);  // what was lost begins again, and nothing is said of it
      taken_up_.unended.insert(step);
      taken_up_.ended.erase(fact.node_id);
      return {};
    case Type::kNodeRetryScheduled:
      if (fact.reason == kGuardRetry) tell_begin_again(commands);
      taken_up_.waits[step] = {.since = fact.at, .delay = fact.delay};
      note_said_again(fact.node_id);
      taken_up_.ended.erase(fact.node_id);
      taken_up_.said_skips.erase(step);
      return {};
    case Type::kGuardRetryAttempt:
    case Type::kGuardRetryExhausted:
    case Type::kGuardRetryRecovered:
      return tell_of_guard(step, fact, commands);
    case Type::kToolInvoked:
      tell_stop(fact.run_outcome == "failed", commands);
      return {};
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      undo_stack_.remove(fact.node_id);
      return {};
    default:
      taken_up_.unended.erase(step);
      said_again_.erase(fact.node_id);
      return tell_end(step, fact, commands);
  }
}

/// Of an attempt, or of a node that never ran.
Result<void> Execution::tell_end(StepIndex step, const NodeFact& fact,
                                 pipeline::Scheduler::Commands& commands) {
  const bool runs = scheduler_.state(step) == State::kRunning;
  const bool is_preparing = scheduler_.state(step) == State::kPreparing;
  if (has_guards_) taken_up_.ended[fact.node_id] = kGuardRetry;
  if (fact.type == Type::kNodeSkipped) {
    taken_up_.said_skips.insert(step);
    return {};
  }
  if (fact.type == Type::kNodeCompleted && !runs && signals_.is_overridden(step)) {
    signals_.said_override(step);
    return {};
  }
  const bool is_refused = scheduler_.state(step) == State::kAsked;
  const bool may_fail = (is_preparing || is_refused) && fact.type == Type::kNodeFailed;
  if (!runs && !may_fail) {
    return another_pipeline(fact);
  }
  if (fact.type == Type::kNodeCompleted) return tell_completed(step, fact, commands);
  if (fact.type == Type::kNodeFailed) {
    if (is_refused) signals_.said_refusal(step);
    tell_failed(step, fact, commands);
    return {};
  }
  tell_stop(fact.outcome == "timeout", commands);
  scheduler_.cancelled(step, commands);
  return {};
}

Result<void> Execution::tell_completed(StepIndex step, const NodeFact& fact,
                                       pipeline::Scheduler::Commands& commands) {
  const auto& node = request_.definition.nodes[scheduler_.node_of(step)];
  WEIR_TRY(auto object, output_of(fact, output_store_.artifacts));
  const auto output = std::make_shared<const json::Object>(std::move(object));
  if (node.guard_retry && guards_[scheduler_.node_of(step)].failures() > 0) {
    taken_up_.unsaid_recovery = step;
  }
  if (node.undo && fact.outcome != "cached") note_undo(step, output, fact.at);
  note_completed(step, output, commands);
  return {};
}

void Execution::tell_failed(StepIndex step, const NodeFact& fact,
                            pipeline::Scheduler::Commands& commands) {
  tool::Failure failure{.type = fact.error_type,
                        .message = fact.error_message,
                        .exit_code = {},
                        .usage = {},
                        .retryable = fact.retryable};
  const auto category = category_of(failure);
  taken_up_.ended[fact.node_id] = retry_reason(category);
  if (is_judged(step, category)) {
    taken_up_.unjudged = {.guard = step, .category = category, .failure = std::move(failure)};
  } else {
    note_failed(step, category, std::move(failure), commands);
  }
  // Unless it is recorded, as it was then.
  for (const auto& command : commands) {
    if (command.kind != pipeline::Command::Kind::kRetry || command.step != step) continue;
    taken_up_.waits[step] = {.since = fact.at, .delay = command.delay};
  }
}

Result<void> Execution::tell_of_guard(StepIndex step, const NodeFact& fact,
                                      pipeline::Scheduler::Commands& commands) {
  const auto guard = scheduler_.node_of(step);
  auto unjudged = std::exchange(taken_up_.unjudged, {});
  if (fact.type == Type::kGuardRetryRecovered) {
    guards_[guard].end();
    taken_up_.unsaid_recovery.reset();
    return {};
  }
  if (!unjudged || unjudged->guard != step) return another_pipeline(fact);
  if (fact.type == Type::kGuardRetryAttempt) {
    count_failure(guard, fact.at);
    scheduler_.run_again(guard, retried_by(request_.definition.nodes[guard]), commands);
    return {};
  }
  guards_[guard].end();
  note_failed(step, unjudged->category, std::move(unjudged->failure), commands);
  return {};
}

/// What was waited for has ended, so what the scheduler takes for running had not begun.
void Execution::tell_begin_again(pipeline::Scheduler::Commands& commands) {
  for (StepIndex step = 0; step < scheduler_.steps(); ++step) {
    const auto how = scheduler_.state(step);
    const bool seems_to_run =
        how == State::kRunning || how == State::kPreparing || how == State::kAsked;
    if (scheduler_.is_unwanted(step) && seems_to_run && !taken_up_.unended.contains(step)) {
      scheduler_.cancelled(step, commands);
    }
  }
}

/// The run was being stopped, by its time if nothing else is known.
void Execution::tell_stop(bool failed, pipeline::Scheduler::Commands& commands) {
  if (scheduler_.is_stopping() || scheduler_.is_finished()) return;
  if (!failed) return scheduler_.stop(pipeline::RunOutcome::kCancelled, commands);
  if (request_.definition.timeout) stop_late(commands);
}

/// What the other process had begun to do, and had not said that it was done.
void Execution::go_on() {
  decide([&](auto& commands) {
    // First: what people ask now may have nodes run again, and that is said then.
    for (const auto& [id, reason] : taken_up_.ended) say_unsaid_retry(id, reason);
    signals_.open();
    signals_.go_on(commands);
    go_on_with_guards(commands);
    for (StepIndex index = 0; index < scheduler_.steps(); ++index) {
      const auto how = scheduler_.state(index);
      if (how == State::kSkipped && !taken_up_.said_skips.contains(index)) {
        const auto wanted = signals_.skip_reason(index);
        events_of(step_of(index), 1).skipped(wanted.empty() ? kAncestorFailed : wanted);
      } else if (scheduler_.is_stopping() &&
                 (how == State::kRunning || how == State::kWaiting || how == State::kAsked)) {
        scheduler_.cancelled(index, commands);  // its process has ended
      }
    }
    std::erase_if(commands, [](const auto& command) {
      return command.kind != pipeline::Command::Kind::kAgain;
    });
    scheduler_.recover(commands);
    for (auto& command : commands) {
      if (command.kind == pipeline::Command::Kind::kRetry)
        command.delay = left_to_wait(command.step);
    }
  });
}

/// The rest of the delay before its next attempt; a clock that was put back makes it no longer.
std::chrono::milliseconds Execution::left_to_wait(StepIndex step) const {
  const auto wait = taken_up_.waits.find(step);
  if (wait == taken_up_.waits.end()) return {};
  const auto& [since, delay] = wait->second;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(since + delay - run_.clock().now());
  return std::clamp(left, std::chrono::milliseconds(0), delay);
}

/// It is going to run again, and nobody has said so.
void Execution::say_unsaid_retry(const std::string& id, std::string_view reason) {
  const auto name = read_name(id);
  if (!name) return;
  const auto step = known_step(*name);
  if (!step) return;
  const auto how = scheduler_.state(*step);
  // Of items whose list is not known yet it is said when it is.
  if (name->item && scheduler_.state(name->node) != State::kExpanded) return;
  const bool is_judged_yet = !taken_up_.unjudged || taken_up_.unjudged->guard != *step;
  if (how > State::kWaiting || !is_judged_yet) return;
  note_said_again(id);
  events_of(step_of(*step), scheduler_.attempts(*step) - (how == State::kRunning ? 1 : 0))
      .retry_scheduled(how == State::kWaiting ? reason : kGuardRetry, left_to_wait(*step));
}

void Execution::go_on_with_guards(pipeline::Scheduler::Commands& commands) {
  if (auto unjudged = std::exchange(taken_up_.unjudged, {})) {
    const auto guard = step_of(unjudged->guard);
    auto events = events_of(guard, scheduler_.attempts(guard.index));
    if (!is_judged(guard.index, unjudged->category) || !judge(guard, events, commands)) {
      note_failed(guard.index, unjudged->category, std::move(unjudged->failure), commands);
    }
  }
  if (!taken_up_.unsaid_recovery) return;
  const auto guard = step_of(*taken_up_.unsaid_recovery);
  auto events = events_of(guard, scheduler_.attempts(guard.index));
  note_guard_completed(guard, events);
}

}  // namespace weir::engine
