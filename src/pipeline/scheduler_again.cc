#include <algorithm>
#include <ranges>

#include "base/result.h"
#include "pipeline/scheduler.h"

// What a guard has run again: a node before it, and all that had begun after that node. Whatever of
// it still runs has read what is going to change: it is waited for, and how it ends does not
// matter.
namespace weir::pipeline {

void Scheduler::run_again(NodeIndex guard, NodeIndex from, Commands& commands) {
  WEIR_CHECK(states_[guard] == State::kRunning && !stopping_);
  leave(guard);
  states_[guard] = State::kFailed;
  unwanted_.resize(graph_.size());
  unwanted_[from] = true;
  for (const auto node : graph_.order) {
    const auto& before = graph_.predecessors[node];
    unwanted_[node] = unwanted_[node] || std::any_of(before.begin(), before.end(),
                                                     [&](auto other) { return unwanted_[other]; });
  }
  WEIR_CHECK(unwanted_[guard]);
  for (StepIndex step = 0; step < states_.size(); ++step) {
    if (is_unwanted(step) && (states_[step] == State::kReady || states_[step] == State::kWaiting)) {
      withdraw(step, commands);
    }
  }
  std::erase_if(held_, [&](StepIndex step) { return is_unwanted(step); });
  begin_again_if_idle(commands);
}

/// It has not begun, or has not begun again.
void Scheduler::withdraw(StepIndex step, Commands& commands) {
  leave(step);
  states_[step] = State::kCancelled;
  if (item_of(step)) end_item(step, State::kCancelled, commands);
}

bool Scheduler::is_busy(StepIndex step) const {
  return states_[step] >= State::kPreparing && states_[step] <= State::kExpanded;
}

void Scheduler::begin_again_if_idle(Commands& commands) {
  for (StepIndex step = 0; step < states_.size(); ++step) {
    if (is_unwanted(step) && is_busy(step)) return;
  }
  std::vector<NodeIndex> first;
  for (const auto node : graph_.order) {
    if (!unwanted_[node]) continue;
    const auto had = states_[node];
    if (had == State::kCompleted || had == State::kFailed || had == State::kSkipped) {
      commands.push_back({.kind = Command::Kind::kAgain, .step = node});
    }
    states_[node] = State::kPending;
    attempts_before_[node] = attempts_[node];
    const auto& before = graph_.predecessors[node];
    waiting_for_[node] = static_cast<std::uint32_t>(std::count_if(
        before.begin(), before.end(),
        [&](NodeIndex other) { return unwanted_[other] || !lets_others_start(other); }));
    if (waiting_for_[node] == 0) first.push_back(node);
  }
  if (first_failed_ && is_unwanted(*first_failed_)) find_first_failed();
  unwanted_.clear();
  for (const auto node : first) node_ready(node, commands);
}

/// Its successors do not wait for it.
bool Scheduler::lets_others_start(NodeIndex node) const {
  return states_[node] == State::kCompleted || states_[node] == State::kSkipped ||
         (states_[node] == State::kFailed && mode_ == FailureMode::kBestEffort);
}

/// Of those that do not run again.
void Scheduler::find_first_failed() {
  const auto has_failed = [this](StepIndex step) { return states_[step] == State::kFailed; };
  first_failed_.reset();
  for (StepIndex step = 0; step < states_.size() && !first_failed_; ++step) {
    if (!has_failed(step) || is_unwanted(step)) continue;
    // A node with items has failed by itself where none of them has: nobody let them run.
    const auto items = step < graph_.size() ? items_of(step) : std::nullopt;
    const auto places =
        std::views::iota(items ? items->first : 0, items ? items->first + items->count : 0);
    if (std::ranges::none_of(places, has_failed)) first_failed_ = step;
  }
}

int Scheduler::attempts_of_round(StepIndex step) const {
  const auto before = attempts_before_.find(step);
  const auto all = static_cast<int>(attempts_[step]);
  return before == attempts_before_.end() ? all : all - static_cast<int>(before->second);
}

}  // namespace weir::pipeline
