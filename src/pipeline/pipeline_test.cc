#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"
#include "pipeline/file.h"
#include "pipeline/graph.h"
#include "pipeline/validate.h"

namespace weir::pipeline {
namespace {

using testing::ElementsAre;

tool::Registry two_tools() {
  tool::Registry tools;
  for (const char* id : {"t1", "t2"}) {
    tools.add(std::make_unique<tool::FunctionTool>(
        "a", id, [](const tool::Call&) { return json::Object(); }));
  }
  return tools;
}

File load(std::string_view name, std::string_view text) {
  const auto folder = testing::TempDir() + "pipeline-" + std::to_string(random_bits());
  std::filesystem::create_directories(folder);
  const auto path = folder + "/" + std::string(name);
  std::ofstream(path) << text;
  return *load_file(path);
}

/// All problems of a file, as "line:column: message".
std::vector<std::string> problems(std::string_view name, std::string_view text) {
  const auto file = load(name, text);
  std::vector<std::string> found;
  for (const auto& problem : file.problems) found.push_back(to_string(problem, "").substr(1));
  for (const auto& problem : validate(file.definition, two_tools())) {
    found.push_back(to_string(problem, "").substr(1));
  }
  return found;
}

TEST(PipelineFile, ReadsTheJsonOfThePipelinesThatWereThereBefore) {
  const auto file = load("p.json", R"({
    "id": "p_obs", "name": "obs",
    "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"}, {"id": "n2", "plugin_id": "a", "tool_id": "t1"}],
    "edges": [{"from_node": "n1", "to_node": "n2"}],
    "entry_nodes": ["n1"], "output_nodes": ["n2"]})");
  EXPECT_TRUE(file.problems.empty());
  EXPECT_TRUE(validate(file.definition, two_tools()).empty());
  EXPECT_EQ(file.definition.id, "p_obs");
  EXPECT_EQ(file.definition.name, "obs");
  EXPECT_EQ(file.definition.nodes[1].id.position, (json::Position{3, 71}));
  EXPECT_EQ(file.definition.edges[0].to.text, "n2");
}

TEST(PipelineFile, ReadsYamlWithNeedsAndFindsTheEnds) {
  const auto file = load("p.yaml", R"(
id: p
version: 1.2
nodes:
  - {id: x, plugin_id: a, tool_id: t1, with: {k: [1]}}
  - {id: y, plugin_id: a, tool_id: t2, needs: [x]}
  - {id: z, plugin_id: a, tool_id: t2, needs: [x, y]}
)");
  ASSERT_TRUE(file.problems.empty());
  EXPECT_EQ(file.definition.version, "1.2");
  EXPECT_EQ(file.definition.edges.size(), 3U);
  ASSERT_EQ(file.definition.entry_nodes.size(), 1U);
  EXPECT_EQ(file.definition.entry_nodes[0].text, "x");
  EXPECT_EQ(file.definition.output_nodes[0].text, "z");
  EXPECT_EQ(json::to_text(file.definition.nodes[0].with), R"({"k":[1]})");
}

TEST(PipelineFile, SaysWhichWideEventsAreWanted) {
  const auto wanted = [](std::string_view name, std::string_view text) {
    const auto file = load(name, text);
    EXPECT_TRUE(file.problems.empty());
    return file.definition.wide_events;
  };
  constexpr WideEvents kNone, kBoth{.nodes = true, .run = true}, kNodes{.nodes = true},
      kRun{.run = true};
  EXPECT_EQ(wanted("p.yaml", "{id: p, nodes: [{id: x, plugin_id: a, tool_id: t1}]}"), kNone);
  EXPECT_EQ(wanted("p.yaml", "{id: p, type: linear, plugin_id: a, tools: [t1], wide_events: true}"),
            kBoth);
  EXPECT_EQ(wanted("p.yaml", R"(
id: p
wide_events: {nodes: true, run: false}
nodes: [{id: x, plugin_id: a, tool_id: t1}]
)"),
            kNodes);
  EXPECT_EQ(wanted("p.json", R"({"id": "p", "wide_events": {"run": true},
    "nodes": [{"id": "x", "plugin_id": "a", "tool_id": "t1"}]})"),
            kRun);
  EXPECT_EQ(wanted("p.json", R"({"id": "p", "wide_events": false,
    "nodes": [{"id": "x", "plugin_id": "a", "tool_id": "t1"}]})"),
            kNone);
}

TEST(PipelineFile, SaysWhatIsWrongWithItsWideEvents) {
  constexpr std::string_view kNodes = "nodes: [{id: x, plugin_id: a, tool_id: t1}]\n";
  const auto wrong = [&](std::string_view wide_events) {
    return problems("p.yaml", "id: p\n" + std::string(wide_events) + "\n" + std::string(kNodes));
  };
  EXPECT_THAT(wrong("wide_events: {nodes: yes, rum: true}"),
              ElementsAre("2:22: 'nodes' is 'yes', true or false is expected",
                          "2:27: unknown key 'rum', did you mean 'run'? (known: nodes, run)"));
  EXPECT_THAT(wrong("wide_events: [nodes]"),
              ElementsAre("2:14: 'wide_events' is a list, true, false or an object is expected"));
  EXPECT_THAT(wrong("wide_event: true"),
              ElementsAre("2:1: unknown key 'wide_event', did you mean 'wide_events'?"));
}

TEST(PipelineFile, ReadsALinearPipelineAsAChain) {
  const auto file = load("p.yaml", "{id: p, type: linear, plugin_id: a, tools: [t1, t2, t1]}");
  ASSERT_TRUE(file.problems.empty());
  EXPECT_EQ(file.definition.type, PipelineType::kLinear);
  std::vector<std::string> ids;
  for (const auto& node : file.definition.nodes) ids.push_back(node.id.text);
  EXPECT_THAT(ids, ElementsAre("t1", "t2", "t1_2"));
  EXPECT_TRUE(validate(file.definition, two_tools()).empty());
}

TEST(PipelineFile, SaysEverythingThatIsWrongAtOnceAndWhere) {
  EXPECT_THAT(
      problems("p.yaml", R"(id: p
nodes:
  - {id: x, plugin_id: a, tool_id: t9}
  - {id: x, plugin_id: b, tool_id: t1}
  - {id: y, plugin_id: a, tool_id: t1, needs: [z], colour: red}
  - {id: u, plugin_id: a}
edges: 7
entry_nodes: [x, q]
output_nodes: [y]
)"),
      ElementsAre(
          "5:52: unknown key 'colour'", "7:8: 'edges' is '7', a list is expected: write edges: [7]",
          "3:10: nothing comes after node 'x', so it must be one of 'output_nodes'",
          "3:36: plugin 'a' has no tool 't9', did you mean 't1'? (known: t1, t2)",
          "4:10: node id 'x' is used twice, first in line 3", "4:24: unknown plugin 'b' (known: a)",
          "5:10: node 'y' cannot be reached from an entry node", "5:48: edge from unknown node 'z'",
          "6:10: nothing comes after node 'u', so it must be one of 'output_nodes'",
          "6:10: node 'u' cannot be reached from an entry node", "6:10: node 'u' has no 'tool_id'",
          "8:18: entry node 'q' does not exist"));
}

TEST(PipelineFile, PrintsTheCycle) {
  EXPECT_THAT(
      problems("p.yaml", R"(id: p
nodes:
  - {id: x, plugin_id: a, tool_id: t1}
  - {id: y, plugin_id: a, tool_id: t1, needs: [x, w]}
  - {id: z, plugin_id: a, tool_id: t1, needs: [y]}
  - {id: w, plugin_id: a, tool_id: t1, needs: [z]}
output_nodes: [w]
)"),
      testing::Contains(testing::MatchesRegex(".*: the pipeline contains a cycle: (y -> z -> w -> "
                                              "y|z -> w -> y -> z|w -> y -> z -> w)")));
}

TEST(PipelineFile, PrintsEveryCycle) {
  const auto found = problems("p.yaml", R"(id: p
nodes:
  - {id: a, plugin_id: a, tool_id: t1, needs: [b]}
  - {id: b, plugin_id: a, tool_id: t1, needs: [a]}
  - {id: after, plugin_id: a, tool_id: t1, needs: [b]}
  - {id: c, plugin_id: a, tool_id: t1, needs: [d, after]}
  - {id: d, plugin_id: a, tool_id: t1, needs: [c]}
)");
  EXPECT_THAT(found, testing::Contains(testing::HasSubstr("contains a cycle: ")).Times(2));
  EXPECT_THAT(found, testing::Contains(testing::ContainsRegex("cycle: (c -> d|d -> c) -> ")));
}

TEST(PipelineFile, TakesTheNameOfAFileThatCannotBeRead) {
  const auto file = load("orders.json", "{");
  EXPECT_EQ(file.definition.id, "orders");
  ASSERT_EQ(file.problems.size(), 1U);
  EXPECT_EQ(load("p.toml", "").problems.size(), 1U);
}

TEST(PipelineFile, ThatIsNotThereIsAnError) {
  const auto file = load_file("/no/such.yaml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(),
            (Error{ErrorCode::kNotFound, "/no/such.yaml: No such file or directory"}));
}

TEST(PipelineFile, ThatIsAFolderIsAnErrorWithThePipelineInIt) {
  const auto folder = testing::TempDir() + "pipeline-" + std::to_string(random_bits());
  std::filesystem::create_directories(folder);
  EXPECT_EQ(load_file(folder).error().message, folder + ": a folder, a pipeline file is expected");

  std::ofstream(folder + "/pipeline.yaml") << "id: p";
  EXPECT_EQ(load_file(folder).error().message,
            folder + ": a folder, a pipeline file is expected, did you mean '" + folder +
                "/pipeline.yaml'?");
}

TEST(Graph, OrdersNodesAsKahnDoes) {
  const auto file = load("p.yaml", R"(
id: p
nodes: [{id: d}, {id: b}, {id: a}, {id: c}]
edges:
  - {from_node: a, to_node: c}
  - {from_node: a, to_node: d}
  - {from_node: b, to_node: d}
)");
  const Graph graph(file.definition);
  EXPECT_THAT(graph.order, ElementsAre(1, 2, 3, 0));      // b, a, then c and d
  EXPECT_THAT(graph.predecessors[0], ElementsAre(2, 1));  // of d, in the order of the edges
}

}  // namespace
}  // namespace weir::pipeline
