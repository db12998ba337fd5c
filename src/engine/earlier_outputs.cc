#include "engine/earlier_outputs.h"

#include <algorithm>

namespace weir::engine {

using event::Type;
using pipeline::NodeIndex;

EarlierOutputs::EarlierOutputs(const Rerun& rerun, const pipeline::Definition& definition,
                               const pipeline::Graph& graph)
    : rerun_(rerun), graph_(graph) {
  if (!is_rerun()) return;
  runs_again_.resize(graph.size(), rerun.from.empty());
  for (NodeIndex node = 0; node < graph.size() && !rerun.from.empty(); ++node) {
    if (begins_with(definition.nodes[node].id.text)) run_again_from(node);
  }
  for (const auto& fact : rerun.of->facts) {
    if (fact.type == Type::kNodeCompleted) {
      completed_[fact.node_id] = &fact;
    } else {
      completed_.erase(fact.node_id);  // something had it run again
    }
  }
}

bool EarlierOutputs::begins_with(std::string_view node_id) const {
  return std::ranges::find(rerun_.from, node_id) != rerun_.from.end();
}

const NodeFact* EarlierOutputs::take(NodeIndex node, std::string_view step_id) {
  if (!is_rerun()) return nullptr;
  const auto found = completed_.find(step_id);
  const std::lock_guard lock(mutex_);
  if (runs_again_[node]) return nullptr;
  if (found != completed_.end()) return found->second;
  for (const auto successor : graph_.successors[node]) run_again_from(successor);
  return nullptr;
}

void EarlierOutputs::run_again_after(NodeIndex node) {
  const std::lock_guard lock(mutex_);
  for (const auto successor : graph_.successors[node]) run_again_from(successor);
}

/// Under mutex_. What runs again has what comes after it run again: nothing is walked twice.
void EarlierOutputs::run_again_from(NodeIndex node) {
  std::vector<NodeIndex> todo{node};
  while (!todo.empty()) {
    const auto next = todo.back();
    todo.pop_back();
    if (runs_again_[next]) continue;
    runs_again_[next] = true;
    todo.insert(todo.end(), graph_.successors[next].begin(), graph_.successors[next].end());
  }
}

}  // namespace weir::engine
