#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace weir::bench {

/// Edges by number; the first node has none into it.
struct PlainGraph {
  std::size_t nodes = 0;
  std::vector<std::pair<std::size_t, std::size_t>> edges{};
};

/// Makes a flow graph of oneTBB whose nodes do nothing, and runs it on one thread: seconds.
[[nodiscard]] double tbb_seconds(const PlainGraph& graph);

}  // namespace weir::bench
