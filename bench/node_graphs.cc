#include "bench/node_graphs.h"

#include <malloc.h>

#include <array>
#include <string>

#include "artifact/artifact_store.h"
#include "bench/rows.h"
#include "bench/tbb_graph.h"
#include "engine/engine.h"
#include "record/recorder.h"
#include "tool/tool.h"

namespace weir::bench {
namespace {

PlainGraph chain(std::size_t nodes) {
  PlainGraph graph{.nodes = nodes};
  for (std::size_t i = 1; i < nodes; ++i) graph.edges.emplace_back(i - 1, i);
  return graph;
}

PlainGraph fan_out(std::size_t nodes) {
  PlainGraph graph{.nodes = nodes};
  for (std::size_t i = 1; i < nodes; ++i) graph.edges.emplace_back(0, i);
  return graph;
}

/// Layers of at most a hundred nodes; each but the first needs two of the layer before.
PlainGraph layered(std::size_t nodes) {
  const auto width = std::min<std::size_t>(100, std::max<std::size_t>(2, nodes / 5));
  PlainGraph graph{.nodes = nodes};
  for (std::size_t i = width; i < nodes; ++i) {
    const auto layer = i / width * width - width;
    graph.edges.emplace_back(layer + i % width, i);
    graph.edges.emplace_back(layer + (i + 1) % width, i);
  }
  return graph;
}

pipeline::Definition pipeline_of(const PlainGraph& graph) {
  pipeline::Definition definition{.id = "noop", .name = "noop"};
  definition.nodes.reserve(graph.nodes);
  definition.edges.reserve(graph.edges.size());
  for (std::size_t i = 0; i < graph.nodes; ++i) {
    definition.nodes.push_back(
        {.id = {"n" + std::to_string(i)}, .plugin_id = {"bench"}, .tool_id = {"noop"}});
  }
  for (const auto& [from, to] : graph.edges) {
    definition.edges.push_back({definition.nodes[from].id, definition.nodes[to].id});
  }
  definition.entry_nodes.push_back(definition.nodes.front().id);
  definition.output_nodes.push_back(definition.nodes.back().id);
  return definition;
}

struct Cost {
  double seconds = 1e9;  ///< of the whole run
  double nodes = 1e9;    ///< seconds from the first node's call to the last one's
  double bytes = 0;      ///< of the definition and all that the run holds, at most
};

double allocated_bytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

Cost run(const PlainGraph& graph, const std::filesystem::path& folder) {
  const auto before = allocated_bytes();
  const auto definition = pipeline_of(graph);
  const ScratchStore scratch(folder);
  const artifact::ArtifactStore artifacts(scratch.store.artifacts());
  Cost cost;
  std::size_t called = 0;
  SteadyClock::time_point first;
  tool::Registry tools;
  tools.add(std::make_unique<tool::FunctionTool>("bench", "noop", [&](const tool::Call&) {
    if (++called == 1) first = SteadyClock::now();
    if (called == graph.nodes) {
      cost.nodes = seconds_since(first);
      // What a run holds grows until its last node.
      cost.bytes = allocated_bytes() - before;
    }
    return json::Object();
  }));
  record::Recorder recorder(scratch.store);
  engine::Engine engine(recorder, artifacts, tools);
  const auto start = SteadyClock::now();
  const auto report = engine.run({.definition = definition,
                                  .definition_text = "bench",
                                  .folder = ".",
                                  .payload = {},
                                  .jobs = 1,
                                  .stop = {},
                                  .on_update = {}});
  if (report) cost.seconds = seconds_since(start);
  return cost;
}

struct Shape {
  const char* name;
  PlainGraph (*make)(std::size_t nodes);
};

/// Of a node, beside what a run costs once: its start, its first and its last commit. `folder` is
/// where its store is.
struct NodeCost {
  double seconds = 0;
  /// What the whole run takes more than one of a single node, for each further node: with its share
  /// of the last commit.
  double with_last_commit = 0;
};

NodeCost node_cost(const PlainGraph& graph, int rounds, const std::filesystem::path& folder) {
  const auto one = chain(1);
  std::vector<double> nodes, more;
  for (int i = 0; i < rounds; ++i) {
    const auto cost = run(graph, folder);
    nodes.push_back(cost.nodes);
    more.push_back(cost.seconds - run(one, folder).seconds);
  }
  const auto further = static_cast<double>(graph.nodes - 1);
  return {.seconds = percentile(nodes, 0.5) / further,
          .with_last_commit = percentile(more, 0.5) / further};
}

void measure_shape(const Shape& shape, std::size_t nodes) {
  // A few nodes take less than a disk's sync varies: they are measured where there is none.
  const bool is_small = nodes < 100'000;
  const auto folder =
      is_small ? std::filesystem::path("/dev/shm") : std::filesystem::current_path();
  const int rounds = is_small ? 99 : 3;
  const auto graph = shape.make(nodes);
  const auto title = std::string("no-op node, recorded, ") + shape.name + " of " +
                     std::to_string(nodes) + (is_small ? ", in memory" : "");
  const auto ours = node_cost(graph, rounds, folder);
  print_row(title.c_str(), ours.seconds * 1e6, "µs", 1, false);
  print_note("  with its share of the last commit", ours.with_last_commit * 1e6, "µs");
  const auto theirs =
      median_of(rounds, [&] { return tbb_seconds(graph); }) / static_cast<double>(nodes);
  print_note("  oneTBB's flow graph, nothing recorded, built and run", theirs * 1e6, "µs");
}

void measure_memory(const Shape& shape) {
  constexpr std::size_t kNodes = 100'000;
  const std::filesystem::path folder = "/dev/shm";
  const auto fixed = run(chain(1), folder).bytes;
  const auto bytes = run(shape.make(kNodes), folder).bytes;
  const auto title = std::string("memory a node, ") + shape.name + " of 100000";
  print_row(title.c_str(), (bytes - fixed) / kNodes, "bytes", 1024, false);
}

}  // namespace

void measure_no_op_nodes() {
  static constexpr std::array<Shape, 3> kShapes = {
      {{"chain", chain}, {"fan-out", fan_out}, {"layers", layered}}};
  const auto fixed =
      median_of(9, [] { return run(chain(1), std::filesystem::current_path()).seconds; });
  print_note("a run's fixed cost: start, first and last commit", fixed * 1e3, "ms");
  for (const auto& shape : kShapes) {
    for (const std::size_t nodes : {std::size_t{10}, std::size_t{1000}, std::size_t{100'000}}) {
      measure_shape(shape, nodes);
    }
  }
  for (const auto& shape : kShapes) measure_memory(shape);
}

}  // namespace weir::bench
