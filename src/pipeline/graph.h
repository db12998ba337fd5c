#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/definition.h"
#include "pipeline/node_ids.h"

namespace weir::pipeline {

/// Of each node those at the other ends of its edges, in the order of the edges. Two flat lists:
/// there may be a million nodes.
class Neighbours {
 public:
  using Edge = std::pair<NodeIndex, NodeIndex>;

  Neighbours() = default;
  /// Of the first node of each edge, the second.
  Neighbours(std::size_t nodes, std::span<const Edge> edges);

  [[nodiscard]] std::span<const NodeIndex> operator[](NodeIndex node) const {
    return std::span(all_).subspan(first_[node], first_[node + 1] - first_[node]);
  }
  [[nodiscard]] std::size_t size() const { return first_.size() - 1; }

 private:
  std::vector<std::uint32_t> first_{0};  // of each node its first in all_, and then the end
  std::vector<NodeIndex> all_;
};

/// The edges of a definition by number, for the scheduler and the engine. Edges that name unknown
/// nodes are left out.
struct Graph {
  enum class Edges : std::uint8_t {
    kAll,
    kWithoutStreams,  ///< those alone over which a node waits for the end of another
  };
  /// `definition` outlives it.
  explicit Graph(const Definition& definition, Edges edges = Edges::kAll);

  NodeIds ids;
  Neighbours successors;
  Neighbours predecessors;
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
  /// Cycles that share no node, until there is none without them: the nodes of each, each before
  /// the next.
  [[nodiscard]] std::vector<std::vector<NodeIndex>> find_cycles() const;

 private:
  void group(const std::vector<Neighbours::Edge>& streams);
};

}  // namespace weir::pipeline
