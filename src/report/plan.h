#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/definition.h"
#include "project/run_state.h"

namespace weir::report {

/// A node of a run's graph and what must have ended before it starts. `needs` are places in the
/// plan.
struct PlannedNode {
  std::string id;
  std::vector<std::size_t> needs{};

  bool operator==(const PlannedNode&) const = default;
};

/// The graph of a run, with the nodes that nothing is known of yet. Each id once.
using Plan = std::vector<PlannedNode>;

/// Nodes that a stream joins start together: neither waits for the other.
[[nodiscard]] Plan plan_of(const pipeline::Definition& definition);

/// What its events say of the graph: the nodes that have started, items under their node's name.
[[nodiscard]] Plan plan_of(const project::RunState& run);

/// `fetch` of `fetch[3]`, an item of a node with for_each; else the id itself.
[[nodiscard]] std::string_view node_of_item(std::string_view node_id);

/// The places of a plan's nodes, each after what it needs; those in a circle are left out.
[[nodiscard]] std::vector<std::size_t> order_of(const Plan& plan);

}  // namespace weir::report
