#include "pipeline/scheduler.h"

#include <algorithm>

#include "base/result.h"

namespace weir::pipeline {

using Kind = Command::Kind;

Scheduler::Scheduler(const Graph& graph, std::vector<StepRules> rules, FailureMode mode,
                     std::uint64_t seed)
    : graph_(graph),
      rules_(std::move(rules)),
      mode_(mode),
      seed_(seed),
      states_(graph.size(), State::kPending),
      attempts_(graph.size()),
      waiting_for_(graph.size()) {
  WEIR_CHECK(!graph.has_cycle());
  WEIR_CHECK(rules_.empty() || rules_.size() == graph.size());
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    const auto leader = graph.leader_of(node);
    for (const auto predecessor : graph.predecessors[node]) {
      if (graph.leader_of(predecessor) != leader) ++waiting_for_[leader];
    }
  }
}

void Scheduler::start(Commands& commands) {
  for (const auto node : graph_.order) {
    if (!graph_.predecessors[node].empty()) break;  // in topological order all others come later
    if (graph_.leader_of(node) == node && waiting_for_[node] == 0) group_ready(node, commands);
  }
  finish_if_idle(commands);
}

/// All the predecessors of a node, or of a group that streams join, have ended.
void Scheduler::group_ready(NodeIndex leader, Commands& commands) {
  const auto group = graph_.groups.find(leader);
  if (group == graph_.groups.end()) return node_ready(leader, commands);
  for (const auto member : group->second) node_ready(member, commands);
}

/// All its predecessors have ended.
void Scheduler::node_ready(NodeIndex node, Commands& commands) {
  if (states_[node] != State::kPending) return;  // skipped before its time
  ++busy_;
  if (!rules_.empty() && rules_[node].needs_preparation) {
    states_[node] = State::kPreparing;
    commands.push_back({.kind = Kind::kPrepare, .step = node});
  } else {
    run_or_ask(node, commands);
  }
}

void Scheduler::run_or_ask(NodeIndex node, Commands& commands) {
  if (!rules_.empty() && rules_[node].needs_approval) {
    states_[node] = State::kAsked;
    commands.push_back({.kind = Kind::kAsk, .step = node});
  } else {
    approve(node, commands);
  }
}

/// Its items, if it has any, are run in its place.
void Scheduler::approve(NodeIndex node, Commands& commands) {
  const auto items = items_of(node);
  if (!items) return make_ready(node, commands);
  states_[node] = State::kExpanded;
  busy_ += items->count;
  for (std::uint32_t i = 0; i < items->count; ++i) make_ready(items->first + i, commands);
  if (items->count == 0) end(node, State::kCompleted, commands);
}

void Scheduler::make_ready(StepIndex step, Commands& commands) {
  states_[step] = State::kReady;
  if (paused_) {
    held_.push_back(step);
  } else {
    start_step(step, commands);
  }
}

void Scheduler::start_step(StepIndex step, Commands& commands) {
  states_[step] = State::kRunning;
  ++running_;
  ++attempts_[step];
  commands.push_back({.kind = Kind::kStart, .step = step});
}

StepIndex Scheduler::prepared(NodeIndex node, std::optional<std::uint32_t> items,
                              Commands& commands) {
  WEIR_CHECK(states_[node] == State::kPreparing);
  const auto first = static_cast<StepIndex>(states_.size());
  if (stopping_) {
    give_up(node, commands);
    finish_if_idle(commands);
    return first;
  }
  if (is_unwanted(node)) {
    end(node, State::kCancelled, commands);
    return first;
  }
  if (!items) {
    run_or_ask(node, commands);
    return node;
  }
  for (std::uint32_t item = 0; item < *items; ++item) {
    items_.push_back({.node = node, .index = item});
  }
  states_.resize(states_.size() + *items, State::kPending);
  attempts_.resize(states_.size());
  replace_items(node, {.first = first, .count = *items});
  if (*items == 0) {
    approve(node, commands);  // there is nothing to ask about
  } else {
    run_or_ask(node, commands);
  }
  return first;
}

/// Of items that are run again the attempts are counted on, also when lists were shorter meanwhile.
void Scheduler::replace_items(NodeIndex node, Items items) {
  Expansion expansion{.items = items, .left = items.count};
  for (const auto& [expanded, before] : expansions_) {
    if (expanded != node) continue;
    expansion.attempts = before.attempts;
    if (expansion.attempts.size() < before.items.count) {
      expansion.attempts.resize(before.items.count);
    }
    std::copy_n(attempts_.begin() + before.items.first, before.items.count,
                expansion.attempts.begin());
  }
  for (std::uint32_t item = 0; item < items.count && item < expansion.attempts.size(); ++item) {
    attempts_[items.first + item] = expansion.attempts[item];
    attempts_before_[items.first + item] = expansion.attempts[item];
  }
  std::erase_if(expansions_, [&](const auto& expanded) { return expanded.first == node; });
  expansions_.emplace_back(node, std::move(expansion));
}

void Scheduler::approved(StepIndex step, Commands& commands) {
  WEIR_CHECK(states_[step] == State::kAsked);
  if (is_unwanted(step)) return end(step, State::kCancelled, commands);
  approve(node_of(step), commands);
}

void Scheduler::completed(StepIndex step, Commands& commands) {
  WEIR_CHECK(states_[step] == State::kRunning);
  end(step, State::kCompleted, commands);
}

void Scheduler::failed(StepIndex step, ErrorCategory category, Commands& commands) {
  if (!will_retry(step, category)) {
    WEIR_CHECK(states_[step] == State::kRunning || states_[step] == State::kAsked ||
               states_[step] == State::kPreparing);
    if (states_[step] != State::kRunning) ++attempts_[step];
    return end(step, State::kFailed, commands);
  }
  states_[step] = State::kWaiting;
  --running_;
  commands.push_back(
      {.kind = Kind::kRetry,
       .step = step,
       .delay = retry_delay(*retry_policy(step), attempts_of_round(step) + 1, seed_ ^ step)});
}

bool Scheduler::will_retry(StepIndex step, ErrorCategory category) const {
  const auto* policy = retry_policy(step);
  return states_[step] == State::kRunning && !stopping_ && !is_unwanted(step) &&
         policy != nullptr && attempts_of_round(step) < policy->max_attempts &&
         std::find(policy->on.begin(), policy->on.end(), category) != policy->on.end();
}

void Scheduler::cancelled(StepIndex step, Commands& commands) {
  if (is_unwanted(step) && states_[step] == State::kRunning) --attempts_[step];  // it never began
  end(step, State::kCancelled, commands);
}

void Scheduler::retry_due(StepIndex step, Commands& commands) {
  if (states_[step] == State::kWaiting && !stopping_) make_ready(step, commands);
}

void Scheduler::skip(NodeIndex node, Commands& commands) {
  WEIR_CHECK(can_skip(node));
  end(node, State::kSkipped, commands);
}

void Scheduler::override_output(NodeIndex node, Commands& commands) {
  WEIR_CHECK(can_skip(node));
  ++attempts_[node];
  end(node, State::kCompleted, commands);
}

void Scheduler::retry(StepIndex step, Commands& commands) {
  WEIR_CHECK(can_retry(step));
  ++busy_;
  if (const auto item = item_of(step)) {
    const auto node = node_of(step);
    for (auto& [expanded, expansion] : expansions_) {
      if (expanded != node) continue;
      ++expansion.left;
      expansion.failed = false;
      for (std::uint32_t i = 0; i < expansion.items.count; ++i) {
        const auto other = expansion.items.first + i;
        expansion.failed |= other != step && states_[other] == State::kFailed;
      }
    }
    if (states_[node] == State::kFailed) ++busy_;
    states_[node] = State::kExpanded;
  }
  make_ready(step, commands);
  if (first_failed_ == step) find_first_failed();
}

void Scheduler::pause() { paused_ = true; }

void Scheduler::put_back(StepIndex step) {
  WEIR_CHECK(states_[step] == State::kRunning);
  states_[step] = State::kReady;
  --running_;
  --attempts_[step];
  held_.push_back(step);
}

void Scheduler::resume(Commands& commands) {
  paused_ = false;
  while (!held_.empty()) {
    const auto step = held_.front();
    held_.pop_front();
    if (states_[step] == State::kReady) start_step(step, commands);
  }
}

void Scheduler::stop(RunOutcome outcome, Commands& commands) {
  if (!stopping_ && !finished_) {
    stopping_ = true;
    outcome_ = outcome;
    unwanted_.clear();
    for (StepIndex step = 0; step < states_.size(); ++step) {
      switch (states_[step]) {
        case State::kRunning:
        case State::kWaiting:
        case State::kAsked:
          commands.push_back({.kind = Kind::kCancel, .step = step});
          break;
        case State::kReady:  // held while the run was paused
          withdraw(step, commands);
          break;
        default:
          break;
      }
    }
    held_.clear();
  }
  finish_if_idle(commands);
}

/// It has not begun, and nothing is said of it.
void Scheduler::give_up(StepIndex step, Commands&) {
  leave(step);
  states_[step] = State::kCancelled;
}

/// What it was is over.
void Scheduler::leave(StepIndex step) {
  const auto state = states_[step];
  if (state == State::kRunning) --running_;
  if (state >= State::kPreparing && state <= State::kExpanded) --busy_;
}

void Scheduler::end(StepIndex step, State end, Commands& commands) {
  leave(step);
  states_[step] = end;
  const auto item = item_of(step);
  if (is_unwanted(step)) {
    if (item) end_item(step, end, commands);
    return begin_again_if_idle(commands);
  }
  if (end == State::kFailed) {
    if (!first_failed_) first_failed_ = step;
    if (mode_ == FailureMode::kFailFast) stop(RunOutcome::kFailed, commands);
  }
  if (item) {
    end_item(step, end, commands);
  } else if (end == State::kCompleted || end == State::kSkipped ||
             (end == State::kFailed && mode_ == FailureMode::kBestEffort)) {
    release_successors(step, commands);
  }
  finish_if_idle(commands);
}

void Scheduler::end_item(StepIndex step, State end, Commands& commands) {
  const auto node = node_of(step);
  for (auto& [expanded, expansion] : expansions_) {
    if (expanded != node) continue;
    expansion.failed |= end == State::kFailed;
    if (--expansion.left > 0) return;
    leave(node);
    states_[node] = expansion.failed ? State::kFailed : State::kCompleted;
    if (is_unwanted(node)) return;
    if (!expansion.failed || mode_ == FailureMode::kBestEffort) release_successors(node, commands);
    return;
  }
}

void Scheduler::release_successors(NodeIndex node, Commands& commands) {
  for (const auto successor : graph_.successors[node]) {
    const auto leader = graph_.leader_of(successor);
    if (leader == graph_.leader_of(node)) continue;  // joined by a stream: it has started
    if (--waiting_for_[leader] == 0 && !stopping_) group_ready(leader, commands);
  }
}

void Scheduler::finish_if_idle(Commands& commands) {
  if (busy_ > 0 || finished_) return;
  finished_ = true;
  if (!stopping_ && first_failed_ && mode_ == FailureMode::kContinue) {
    outcome_ = RunOutcome::kFailed;
    for (const auto node : graph_.order) {
      if (states_[node] != State::kPending) continue;
      states_[node] = State::kSkipped;
      commands.push_back({.kind = Kind::kSkip, .step = node});
    }
  }
  commands.push_back({.kind = Kind::kFinishRun});
}

void Scheduler::recover(Commands& commands) {
  for (StepIndex step = 0; step < states_.size(); ++step) {
    switch (states_[step]) {
      case State::kPreparing:
        commands.push_back({.kind = Kind::kPrepare, .step = step});
        break;
      case State::kAsked:
        commands.push_back({.kind = Kind::kAsk, .step = step});
        break;
      case State::kRunning:
        commands.push_back({.kind = Kind::kStart, .step = step});
        break;
      case State::kWaiting:
        commands.push_back({.kind = Kind::kRetry, .step = step});
        break;
      default:
        break;
    }
  }
  if (finished_) {
    commands.push_back({.kind = Kind::kFinishRun});
  } else {
    finish_if_idle(commands);
  }
}

std::optional<std::uint32_t> Scheduler::item_of(StepIndex step) const {
  if (step < graph_.size()) return {};
  return items_[step - graph_.size()].index;
}

std::optional<Scheduler::Items> Scheduler::items_of(NodeIndex node) const {
  for (const auto& [expanded, expansion] : expansions_) {
    if (expanded == node) return expansion.items;
  }
  return {};
}

const RetryPolicy* Scheduler::retry_policy(StepIndex step) const {
  return rules_.empty() ? nullptr : rules_[node_of(step)].retry;
}

}  // namespace weir::pipeline
