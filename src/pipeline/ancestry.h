#pragma once

#include <span>
#include <utility>
#include <vector>

#include "pipeline/graph.h"

namespace weir::pipeline {

/// A question: is `first` before `second`, over one edge or more?
using AncestorQuestion = std::pair<NodeIndex, NodeIndex>;

/// The answer to each question, of a graph without cycles. Looks at the part of the graph between
/// the two, once for 64 different ancestors.
[[nodiscard]] std::vector<bool> are_ancestors(const Graph& graph,
                                              std::span<const AncestorQuestion> questions);

}  // namespace weir::pipeline
