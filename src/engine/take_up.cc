#include <charconv>

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
  is_taken_up_ = true;
  for (const auto& fact : recorded.facts) {
    const auto step = find_step(fact.node_id, given_before);
    if (!step) return another_pipeline(fact);
    WEIR_TRY(tell_again(*step, fact, given_before));
    given_before.clear();
  }
  return {};
}

/// Of a node or an item. If the process had made a plan for the node, it is made again.
std::optional<StepIndex> Execution::find_step(std::string_view node_id,
                                              pipeline::Scheduler::Commands& commands) {
  auto node = graph_.ids.find(node_id);
  std::optional<std::uint32_t> item;
  if (const auto bracket = node_id.rfind('['); !node && bracket != std::string_view::npos) {
    node = graph_.ids.find(node_id.substr(0, bracket));
    std::uint32_t number = 0;
    const auto* const end = node_id.data() + node_id.size();
    const auto read = std::from_chars(node_id.data() + bracket + 1, end, number);
    if (read.ec == std::errc() && std::string_view(read.ptr, end) == "]") item = number;
    if (!item) return {};
  }
  if (!node) return {};
  if (scheduler_.state(*node) == State::kPreparing) {
    if (const auto plan = calls_.plan(*node)) carry_out_plan(*node, *plan, commands);
  }
  if (!item) return node;
  const auto items = scheduler_.items_of(*node);
  if (!items || *item >= items->count) return {};
  return items->first + *item;
}

/// The scheduler is where it was when the fact was recorded, or one step before.
Result<void> Execution::tell_again(StepIndex step, const NodeFact& fact,
                                   pipeline::Scheduler::Commands& commands) {
  auto& state = taken_up_;
  if (fact.type == Type::kStreamQueueClosed) {
    streams_.note_complete(scheduler_.node_of(step), fact.to_node);
    return {};
  }
  scheduler_.retry_due(step, commands);
  const bool runs = scheduler_.state(step) == State::kRunning;
  switch (fact.type) {
    case Type::kNodeStarted:
      known_outputs_.asked_before(step_of(step), fact.attempt);
      state.unended.insert(step);
      return {};
    case Type::kNodeCompleted: {
      if (!runs) return another_pipeline(fact);
      WEIR_TRY(auto output, output_of(fact, output_store_.artifacts));
      note_completed(step, std::make_shared<const json::Object>(std::move(output)), commands);
      break;
    }
    case Type::kNodeFailed: {
      if (!runs && scheduler_.state(step) != State::kPreparing) return another_pipeline(fact);
      tool::Failure failure{.type = fact.error_type,
                            .message = fact.error_message,
                            .exit_code = {},
                            .usage = {},
                            .retryable = fact.retryable};
      const auto category = category_of(failure);
      scheduler_.failed(step, category, commands);
      state.unsaid_retries[step] = category;
      if (scheduler_.state(step) == State::kFailed && failed_++ == 0) failure_ = std::move(failure);
      break;
    }
    case Type::kNodeRetryScheduled:
      state.unsaid_retries.erase(step);
      return {};
    case Type::kNodeSkipped:
      state.said_skips.insert(step);
      break;
    default:  // cancelled
      if (!runs) return another_pipeline(fact);
      scheduler_.cancelled(step, commands);
  }
  state.unended.erase(step);
  return {};
}

/// What the other process had begun to do, and had not said that it was done.
void Execution::go_on() {
  const auto& state = taken_up_;
  decide([&](auto& commands) {
    for (StepIndex index = 0; index < scheduler_.steps(); ++index) {
      const auto how = scheduler_.state(index);
      const auto unsaid_retry = state.unsaid_retries.find(index);
      if (how == State::kSkipped && !state.said_skips.contains(index)) {
        events_of(step_of(index), 1).skipped(kAncestorFailed);
      } else if (how == State::kWaiting && unsaid_retry != state.unsaid_retries.end()) {
        events_of(step_of(index), scheduler_.attempts(index))
            .retry_scheduled(retry_reason(unsaid_retry->second), {});
      } else if (how == State::kRunning && scheduler_.is_stopping()) {
        scheduler_.cancelled(index, commands);  // its process has ended
      }
    }
    commands.clear();
    scheduler_.recover(commands);
  });
}

}  // namespace weir::engine
