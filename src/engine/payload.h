#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/json.h"

/// How data moves between nodes.
namespace weir::engine {

/// A node's output; null until it has completed.
using OutputPointer = std::shared_ptr<const json::Object>;

/// `initial` updated with each of `outputs` in order, the last one winning; null ones are passed
/// over. With the predecessors' outputs in the order of the edges it is a node's input, with those
/// of the output nodes a run's result.
[[nodiscard]] json::Object merge(const json::Object& initial,
                                 std::span<const OutputPointer> outputs);

}  // namespace weir::engine
