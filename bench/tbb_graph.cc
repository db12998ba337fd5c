#include "bench/tbb_graph.h"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <atomic>
#include <chrono>
#include <deque>

#include "base/result.h"

namespace weir::bench {

double tbb_seconds(const PlainGraph& plain) {
  using oneapi::tbb::flow::continue_msg;
  using Node = oneapi::tbb::flow::continue_node<continue_msg>;
  const oneapi::tbb::global_control one_thread(oneapi::tbb::global_control::max_allowed_parallelism,
                                               1);
  const auto start = std::chrono::steady_clock::now();
  std::size_t called = 0;
  oneapi::tbb::flow::graph graph;
  std::deque<Node> nodes;  // they do not move
  for (std::size_t i = 0; i < plain.nodes; ++i) {
    nodes.emplace_back(graph, [&called](const continue_msg& message) {
      ++called;
      return message;
    });
  }
  std::vector<bool> has_predecessor(plain.nodes);
  for (const auto& [from, to] : plain.edges) {
    oneapi::tbb::flow::make_edge(nodes[from], nodes[to]);
    has_predecessor[to] = true;
  }
  for (std::size_t i = 0; i < plain.nodes; ++i) {
    if (!has_predecessor[i]) nodes[i].try_put(continue_msg());
  }
  graph.wait_for_all();
  WEIR_CHECK(called == plain.nodes);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace weir::bench
