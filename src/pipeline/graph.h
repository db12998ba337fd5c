#pragma once

#include <cstdint>
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

  [[nodiscard]] std::size_t size() const { return predecessors.size(); }
  [[nodiscard]] bool has_cycle() const { return order.size() < size(); }
  /// The nodes of one cycle, each before the next; empty when there is none.
  [[nodiscard]] std::vector<NodeIndex> find_cycle() const;
};

}  // namespace weir::pipeline
