#include "pipeline/scheduler.h"

#include "base/result.h"

namespace weir::pipeline {

Scheduler::Scheduler(const Graph& graph)
    : graph_(graph), states_(graph.size(), State::kPending), waiting_for_(graph.size()) {
  WEIR_CHECK(!graph.has_cycle());
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    waiting_for_[node] = static_cast<std::uint32_t>(graph.predecessors[node].size());
  }
}

void Scheduler::start(std::vector<Command>& commands) {
  for (const auto node : graph_.order) {
    if (waiting_for_[node] > 0) break;  // in topological order all others come later
    start_node(node, commands);
  }
  finish_if_idle(commands);
}

void Scheduler::node_completed(NodeIndex node, std::vector<Command>& commands) {
  end_node(node);
  for (const auto successor : graph_.successors[node]) {
    if (--waiting_for_[successor] == 0 && !stopping_) start_node(successor, commands);
  }
  finish_if_idle(commands);
}

void Scheduler::node_failed(NodeIndex node, std::vector<Command>& commands) {
  end_node(node);
  if (!first_failed_) first_failed_ = node;
  stop(RunOutcome::kFailed, commands);
}

void Scheduler::node_cancelled(NodeIndex node, std::vector<Command>& commands) {
  end_node(node);
  finish_if_idle(commands);
}

void Scheduler::cancel(std::vector<Command>& commands) { stop(RunOutcome::kCancelled, commands); }

void Scheduler::start_node(NodeIndex node, std::vector<Command>& commands) {
  states_[node] = State::kRunning;
  ++running_;
  commands.push_back({.kind = Command::Kind::kStartNode, .node = node});
}

void Scheduler::end_node(NodeIndex node) {
  WEIR_CHECK(states_[node] == State::kRunning);
  states_[node] = State::kEnded;
  --running_;
}

/// The first reason to stop decides the outcome.
void Scheduler::stop(RunOutcome outcome, std::vector<Command>& commands) {
  if (!stopping_ && !finished_) {
    stopping_ = true;
    outcome_ = outcome;
    for (NodeIndex node = 0; node < states_.size(); ++node) {
      if (states_[node] == State::kRunning) {
        commands.push_back({.kind = Command::Kind::kCancelNode, .node = node});
      }
    }
  }
  finish_if_idle(commands);
}

void Scheduler::finish_if_idle(std::vector<Command>& commands) {
  if (running_ > 0 || finished_) return;
  finished_ = true;
  commands.push_back({.kind = Command::Kind::kFinishRun});
}

}  // namespace weir::pipeline
