#include "pipeline/graph.h"

#include <algorithm>
#include <numeric>

namespace weir::pipeline {

Graph::Graph(const Definition& definition)
    : ids(definition), predecessors(definition.nodes.size()), successors(definition.nodes.size()) {
  std::vector<std::pair<NodeIndex, NodeIndex>> streams;
  for (const auto& edge : definition.edges) {
    const auto from = ids.find(edge.from.text), to = ids.find(edge.to.text);
    if (!from || !to) continue;
    successors[*from].push_back(*to);
    predecessors[*to].push_back(*from);
    if (edge.stream) streams.emplace_back(*from, *to);
  }

  std::vector<std::size_t> waiting_for(size());
  for (NodeIndex node = 0; node < size(); ++node) {
    waiting_for[node] = predecessors[node].size();
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
void Graph::group(const std::vector<std::pair<NodeIndex, NodeIndex>>& streams) {
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

Graph without_streams(const Definition& definition) {
  Definition plain;
  plain.nodes.reserve(definition.nodes.size());
  for (const auto& node : definition.nodes) plain.nodes.push_back({.id = node.id});
  std::copy_if(definition.edges.begin(), definition.edges.end(), std::back_inserter(plain.edges),
               [](const Edge& edge) { return !edge.stream; });
  Graph graph(plain);
  graph.ids = NodeIds(definition);
  return graph;
}

std::vector<NodeIndex> Graph::find_cycle() const {
  if (!has_cycle()) return {};
  std::vector<bool> ordered(size());
  for (const auto node : order) ordered[node] = true;
  // Every node outside the order has a predecessor outside it: walking back must come round.
  auto node =
      static_cast<NodeIndex>(std::find(ordered.begin(), ordered.end(), false) - ordered.begin());
  std::vector<NodeIndex> path;
  std::vector<bool> seen(size());
  while (!seen[node]) {
    seen[node] = true;
    path.push_back(node);
    node = *std::find_if(predecessors[node].begin(), predecessors[node].end(),
                         [&](NodeIndex predecessor) { return !ordered[predecessor]; });
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), node));
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace weir::pipeline
