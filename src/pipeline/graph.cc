#include "pipeline/graph.h"

#include <algorithm>

namespace weir::pipeline {

Graph::Graph(const Definition& definition)
    : ids(definition), predecessors(definition.nodes.size()), successors(definition.nodes.size()) {
  for (const auto& edge : definition.edges) {
    const auto from = ids.find(edge.from.text), to = ids.find(edge.to.text);
    if (!from || !to) continue;
    successors[*from].push_back(*to);
    predecessors[*to].push_back(*from);
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
