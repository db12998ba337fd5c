#include "base/text.h"
#include "engine/execution.h"
#include "engine/failures.h"

// A run goes on with what the log tells of it: the scheduler hears everything again that it was
// told by the process that is gone, and then commands anew what that process had not finished.
namespace weir::engine {

using event::Type;
using pipeline::NodeIndex;
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
  taken_up_.emplace();
  for (const auto& fact : recorded.facts) {
    const auto node = calls_.find(fact.node_id);
    if (!node) return another_pipeline(fact);
    WEIR_TRY(tell_again(*node, fact, given_before));
    given_before.clear();
  }
  return {};
}

/// The scheduler is where it was when the fact was recorded, or one step before.
Result<void> Execution::tell_again(NodeIndex node, const NodeFact& fact,
                                   pipeline::Scheduler::Commands& commands) {
  auto& state = *taken_up_;
  const auto begin = [&] {
    if (scheduler_.state(node) == State::kPreparing) scheduler_.prepared(node, {}, commands);
    scheduler_.retry_due(node, commands);
    return scheduler_.state(node) == State::kRunning;
  };
  switch (fact.type) {
    case Type::kNodeStarted:
      state.unended.insert(node);
      return {};
    case Type::kNodeCompleted: {
      if (!begin()) return another_pipeline(fact);
      WEIR_TRY(outputs_[node], output_of(fact));
      ++completed_;
      scheduler_.completed(node, commands);
      break;
    }
    case Type::kNodeFailed: {
      tool::Failure failure{.type = fact.error_type,
                            .message = fact.error_message,
                            .exit_code = {},
                            .usage = {},
                            .retryable = fact.retryable};
      if (failure.type != kInvalidCondition && !begin()) return another_pipeline(fact);
      const auto category = category_of(failure);
      scheduler_.failed(node, category, commands);
      state.unsaid_retries[node] = category;
      if (scheduler_.state(node) == State::kFailed && failed_++ == 0) failure_ = std::move(failure);
      break;
    }
    case Type::kNodeRetryScheduled:
      state.unsaid_retries.erase(node);
      break;
    case Type::kNodeSkipped:
      state.said_skips.insert(node);
      if (scheduler_.state(node) < State::kRunning) scheduler_.skip(node, commands);
      break;
    default:  // cancelled
      if (!begin()) return another_pipeline(fact);
      scheduler_.cancelled(node, commands);
  }
  if (fact.type != Type::kNodeRetryScheduled) state.unended.erase(node);
  return {};
}

/// What the other process had begun to do, and had not said that it was done.
void Execution::go_on() {
  const auto& state = *taken_up_;
  decide([&](auto& commands) {
    for (NodeIndex node = 0; node < graph_.size(); ++node) {
      switch (scheduler_.state(node)) {
        case State::kSkipped:
          if (!state.said_skips.contains(node)) events_of(node, 1).skipped(kAncestorFailed);
          break;
        case State::kWaiting:
          if (const auto unsaid = state.unsaid_retries.find(node);
              unsaid != state.unsaid_retries.end()) {
            events_of(node, scheduler_.attempts(node))
                .retry_scheduled(retry_reason(unsaid->second), {});
          }
          break;
        case State::kRunning:
          if (scheduler_.is_stopping()) scheduler_.cancelled(node, commands);  // its process ended
          break;
        default:
          break;
      }
    }
    commands.clear();
    scheduler_.recover(commands);
  });
}

Result<OutputPointer> Execution::output_of(const NodeFact& fact) const {
  std::string text = fact.output;
  if (fact.output_sha256) {
    auto bytes = output_store_.artifacts.get(*fact.output_sha256, tool::kMaxPayloadBytes);
    if (!bytes)
      return std::unexpected(std::move(bytes).error().within("node '" + fact.node_id + "'"));
    text = *std::move(bytes);
  }
  auto value = json::parse(text);
  if (!value || value->object() == nullptr) {
    return weir::fail(ErrorCode::kCorrupt,
                      "node '" + fact.node_id + "': its recorded output is no object");
  }
  return std::make_shared<const json::Object>(std::move(*value->object()));
}

}  // namespace weir::engine
