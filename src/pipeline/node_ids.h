#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/definition.h"

namespace weir::pipeline {

/// A node's place in Definition::nodes.
using NodeIndex = std::uint32_t;

/// The nodes of a definition by id; of an id given twice, the first. A flat table: there may be a
/// million nodes, and a table of small allocations took longer than the rest of a graph.
class NodeIds {
 public:
  /// `definition` outlives it, and its nodes stay as they are.
  explicit NodeIds(const Definition& definition);

  [[nodiscard]] std::optional<NodeIndex> find(std::string_view id) const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    NodeIndex node = kFree;
  };
  static constexpr NodeIndex kFree = 0xFFFF'FFFF;
  /// Where the id is, or would be.
  [[nodiscard]] std::size_t place_of(std::string_view id, std::uint32_t hash) const;

  const std::vector<Node>* nodes_;
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace weir::pipeline
