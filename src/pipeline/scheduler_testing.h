#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pipeline/scheduler.h"

/// For the tests of the scheduler: small graphs, and what is commanded of their nodes.
namespace weir::pipeline::testing_support {

constexpr Command start(NodeIndex node) { return {Command::Kind::kStart, node}; }
inline constexpr Command kFinish{Command::Kind::kFinishRun, 0};

/// A definition with nodes 0…n-1 and these edges.
inline Definition definition_of(std::size_t nodes, const std::vector<std::pair<int, int>>& edges) {
  Definition definition;
  for (std::size_t i = 0; i < nodes; ++i) definition.nodes.push_back({.id = {std::to_string(i)}});
  for (const auto& [from, to] : edges) {
    definition.edges.push_back({{std::to_string(from)}, {std::to_string(to)}});
  }
  return definition;
}

}  // namespace weir::pipeline::testing_support
