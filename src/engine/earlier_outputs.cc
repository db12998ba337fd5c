#include "engine/earlier_outputs.h"

#include <algorithm>

namespace weir::engine {

using event::Type;
using pipeline::NodeIndex;

EarlierOutputs::EarlierOutputs(const Rerun& rerun, const pipeline::Definition& definition,
                               const pipeline::Graph& graph,
                               const artifact::ArtifactStore& artifacts)
    : rerun_(rerun), graph_(graph) {
  if (!is_rerun()) return;
  runs_again_.resize(graph.size(), rerun.from.empty());
  for (NodeIndex node = 0; node < graph.size() && !rerun.from.empty(); ++node) {
    if (begins_with(definition.nodes[node].id.text)) run_again_from(node);
  }
  for (const auto& fact : rerun.of->facts) {
    if (fact.type == Type::kNodeCompleted) {
      completed_[fact.node_id] = &fact;
    } else if (fact.type != Type::kStreamQueueClosed) {
      completed_.erase(fact.node_id);  // something had it run again
    }
  }
  for (const auto& [leader, members] : graph.groups) {
    std::vector<std::string_view> ids;
    ids.reserve(members.size());
    for (const auto member : members) ids.emplace_back(definition.nodes[member].id.text);
    if (is_to_run_whole(ids, artifacts)) run_again_from(leader);
  }
}

/// Not when all outputs of the group are there. When none is, each is found to be missing when it
/// is asked for.
bool EarlierOutputs::is_to_run_whole(std::span<const std::string_view> group,
                                     const artifact::ArtifactStore& artifacts) const {
  const auto is_completed = [&](std::string_view id) { return completed_.contains(id); };
  if (std::ranges::none_of(group, is_completed)) return false;
  return !std::ranges::all_of(group, [&](std::string_view id) {
    const auto fact = completed_.find(id);
    return fact != completed_.end() && output_of(*fact->second, artifacts);
  });
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
    if (graph_.has_stream(next)) {
      const auto& group = graph_.groups.at(graph_.leader_of(next));
      todo.insert(todo.end(), group.begin(), group.end());
    }
    todo.insert(todo.end(), graph_.successors[next].begin(), graph_.successors[next].end());
  }
}

}  // namespace weir::engine
