#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "pipeline/definition.h"
#include "pipeline/node_ids.h"

namespace weir::pipeline {

/// The edges of a definition by number, for the scheduler and the engine. Edges that name unknown
/// nodes are left out.
struct Graph {
  /// `definition` outlives it.
  explicit Graph(const Definition& definition);

  NodeIds ids;
  std::vector<std::vector<NodeIndex>> predecessors;  ///< of each node, in the order of the edges
  std::vector<std::vector<NodeIndex>> successors;    ///< of each node, in the order of the edges
  /// Kahn's topological order: ready nodes in the order of declaration, then of the edges. Shorter
  /// than the nodes when there is a cycle.
  std::vector<NodeIndex> order;

  /// Nodes that are joined by streams start together: of each node, the first of its group. Empty
  /// when there are no streams.
  std::vector<NodeIndex> leaders;
  /// The groups of more than one node by their leaders, in topological order.
  std::map<NodeIndex, std::vector<NodeIndex>> groups;

  [[nodiscard]] NodeIndex leader_of(NodeIndex node) const {
    return leaders.empty() ? node : leaders[node];
  }
  [[nodiscard]] bool has_stream(NodeIndex node) const {
    return !leaders.empty() && groups.contains(leaders[node]);
  }
  [[nodiscard]] std::size_t size() const { return predecessors.size(); }
  [[nodiscard]] bool has_cycle() const { return order.size() < size(); }
  /// The nodes of one cycle, each before the next; empty when there is none.
  [[nodiscard]] std::vector<NodeIndex> find_cycle() const;

 private:
  void group(const std::vector<std::pair<NodeIndex, NodeIndex>>& streams);
};

/// `definition` outlives it. With those edges alone over which a node waits for the end of another.
[[nodiscard]] Graph without_streams(const Definition& definition);

}  // namespace weir::pipeline
