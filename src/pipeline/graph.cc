#include "pipeline/graph.h"

#include <algorithm>
#include <numeric>

namespace weir::pipeline {

Neighbours::Neighbours(std::size_t nodes, std::span<const Edge> edges)
    : first_(nodes + 1), all_(edges.size()) {
  for (const auto& [node, other] : edges) ++first_[node + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  auto next = first_;
  for (const auto& [node, other] : edges) all_[next[node]++] = other;
}

Graph::Graph(const Definition& definition, Edges edges) : ids(definition) {
  std::vector<Neighbours::Edge> forth, streams;
  forth.reserve(definition.edges.size());
  for (const auto& edge : definition.edges) {
    if (edge.stream && edges == Edges::kWithoutStreams) continue;
    const auto from = ids.find(edge.from.text), to = ids.find(edge.to.text);
    if (!from || !to) continue;
    forth.emplace_back(*from, *to);
    if (edge.stream) streams.emplace_back(*from, *to);
  }
  successors = Neighbours(definition.nodes.size(), forth);
  for (auto& [from, to] : forth) std::swap(from, to);
  predecessors = Neighbours(definition.nodes.size(), forth);

  order.reserve(size());
  std::vector<std::uint32_t> waiting_for(size());
  for (NodeIndex node = 0; node < size(); ++node) {
    waiting_for[node] = static_cast<std::uint32_t>(predecessors[node].size());
    if (waiting_for[node] == 0) order.push_back(node);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const auto successor : successors[order[next]]) {
      if (--waiting_for[successor] == 0) order.push_back(successor);
    }
  }
  if (!streams.empty()) group(streams);
}

/// Union-find; then each group is led by its first node in topological order.
void Graph::group(const std::vector<Neighbours::Edge>& streams) {
  std::vector<NodeIndex> parent(size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root_of = [&](NodeIndex node) {
    while (parent[node] != node) node = parent[node] = parent[parent[node]];
    return node;
  };
  for (const auto& [from, to] : streams) parent[root_of(from)] = root_of(to);

  leaders.resize(size());
  std::iota(leaders.begin(), leaders.end(), 0);
  std::map<NodeIndex, std::vector<NodeIndex>> by_root;
  for (const auto node : order) by_root[root_of(node)].push_back(node);
  for (auto& [root, members] : by_root) {
    if (members.size() < 2) continue;
    const auto leader = members.front();
    for (const auto member : members) leaders[member] = leader;
    groups.emplace(leader, std::move(members));
  }
}

std::vector<std::vector<NodeIndex>> Graph::find_cycles() const {
  std::vector<std::vector<NodeIndex>> cycles;
  std::vector<bool> done(size());
  for (const auto node : order) done[node] = true;
  auto left = size() - order.size();
  const auto is_left = [&](NodeIndex node) { return !done[node]; };
  // What is left has a predecessor that is left: walking back must come round.
  while (left > 0) {
    auto node = static_cast<NodeIndex>(std::find(done.begin(), done.end(), false) - done.begin());
    std::vector<NodeIndex> path;
    std::vector<bool> seen(size());
    while (!seen[node]) {
      seen[node] = true;
      path.push_back(node);
      node = *std::ranges::find_if(predecessors[node], is_left);
    }
    path.erase(path.begin(), std::ranges::find(path, node));
    std::ranges::reverse(path);
    // Without it some others are on no cycle any more.
    std::vector<NodeIndex> without = path;
    while (!without.empty()) {
      const auto gone = without.back();
      without.pop_back();
      if (done[gone]) continue;
      done[gone] = true;
      --left;
      for (const auto next : successors[gone]) {
        if (is_left(next) && std::ranges::none_of(predecessors[next], is_left)) {
          without.push_back(next);
        }
      }
    }
    cycles.push_back(std::move(path));
  }
  return cycles;
}

}  // namespace weir::pipeline
