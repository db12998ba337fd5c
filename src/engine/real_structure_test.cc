#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "engine/engine_testing.h"
#include "project/run_state.h"

// Workflows that ran elsewhere, of WfInstances, run here as pipelines whose nodes do nothing. What
// is compared with the figures that others computed is what was recorded.
namespace weir::engine {
namespace {

struct Figures {
  std::string file;
  std::int64_t tasks = 0;
  std::int64_t edges = 0;
  std::int64_t depth = 0;  ///< nodes of the longest path
  bool operator==(const Figures&) const = default;
};
void PrintTo(const Figures& figures, std::ostream* out) {
  *out << figures.file << ": " << figures.tasks << " tasks, " << figures.edges << " edges, depth "
       << figures.depth;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

std::vector<Figures> read_oracle(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const auto names = cells_of(line);
  std::vector<Figures> all;
  while (std::getline(lines, line)) {
    const auto cells = cells_of(line);
    const auto cell = [&](std::string_view name) {
      return cells.at(
          static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
    };
    all.push_back({.file = cell("file"),
                   .tasks = std::stoll(cell("tasks")),
                   .edges = std::stoll(cell("edges")),
                   .depth = std::stoll(cell("depth"))});
  }
  return all;
}

/// The workflow as a pipeline file.
std::string pipeline_of(const json::Value& workflow) {
  const auto& specification =
      *workflow.object()->find("workflow")->object()->find("specification")->object();
  json::Array nodes;
  for (const auto& task : *specification.find("tasks")->array()) {
    json::Object node;
    node.set("id", *task.object()->find("id"));
    node.set("plugin_id", "a");
    node.set("tool_id", "nothing");
    node.set("needs", *task.object()->find("parents"));
    nodes.emplace_back(std::move(node));
  }
  json::Object pipeline;
  pipeline.set("id", "workflow");
  pipeline.set("nodes", std::move(nodes));
  return json::to_text(json::Value(std::move(pipeline)));
}

class RealStructure : public EngineTest {
 protected:
  /// What the log says of a run.
  Figures recorded(const RunId& run) {
    project::RunState state;
    const auto read = store::read_run(store_, run, [&](const event::EventView& event) {
      state.apply(event);
      return Result<void>();
    });
    EXPECT_TRUE(read && read->bad.empty());
    EXPECT_EQ(state.state, project::State::kCompleted);
    EXPECT_FALSE(state.is_inconsistent());
    Figures figures{.tasks = static_cast<std::int64_t>(state.nodes.size())};
    std::map<std::string_view, std::int64_t> depths;
    // In the order of their starts, predecessors come first.
    for (const auto& node : state.nodes) {
      auto& depth = depths[node.node_id];
      depth = 1;
      for (const auto& predecessor : node.predecessors) {
        EXPECT_TRUE(depths.contains(predecessor)) << node.node_id << " began before it";
        depth = std::max(depth, depths[predecessor] + 1);
      }
      figures.edges += static_cast<std::int64_t>(node.predecessors.size());
      figures.depth = std::max(figures.depth, depth);
    }
    return figures;
  }
};

TEST_F(RealStructure, OfEveryWorkflowIsRecordedAsOthersFoundIt) {
  const auto* root = std::getenv("WEIR_TEST_DATA");
  if (root == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto folder = std::string(root) + "/wfinstances/";
  const auto oracle = read_file(folder + "oracle.csv", 10'000'000);
  ASSERT_TRUE(oracle) << oracle.error().message;
  add("a", "nothing", [](const tool::Call&) { return json::Object(); });
  std::int64_t edges = 0;
  const auto expected = read_oracle(*oracle);
  for (const auto& figures : expected) {
    const auto text = read_file(folder + figures.file, 10'000'000);
    ASSERT_TRUE(text) << text.error().message;
    const auto report = run(pipeline_of(*json::parse(*text)), {}, 4);
    ASSERT_TRUE(report) << report.error().message;
    auto found = recorded(report->run_id);
    found.file = figures.file;
    EXPECT_EQ(found, figures);
    edges += found.edges;
  }
  EXPECT_GE(expected.size(), 28U);
  std::printf("%zu workflows, %lld edges\n", expected.size(), static_cast<long long>(edges));
}

}  // namespace
}  // namespace weir::engine
