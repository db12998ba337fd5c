#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/yaml.h"
#include "pipeline/ancestry.h"
#include "pipeline/cron.h"
#include "pipeline/registry.h"

// What pipeline files say of control, and what is wrong with it.
namespace weir::pipeline {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TypedTool final : public tool::Tool {
 public:
  explicit TypedTool(tool::ToolSpec spec) : spec_(std::move(spec)) {}
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call&) override {
    return {};
  }

 private:
  tool::ToolSpec spec_;
};

tool::Registry some_tools() {
  tool::Registry tools;
  tools.add(std::make_unique<TypedTool>(tool::ToolSpec{.plugin_id = "a", .tool_id = "t"}));
  tools.add(std::make_unique<TypedTool>(
      tool::ToolSpec{.plugin_id = "a",
                     .tool_id = "image",
                     .settings = {{"size", tool::Setting::Kind::kInteger}},
                     .output_types = {"image", "frame"}}));
  tools.add(std::make_unique<TypedTool>(
      tool::ToolSpec{.plugin_id = "a", .tool_id = "text", .input_types = {"text"}}));
  return tools;
}

File read(std::string_view text) { return read_definition(*yaml::parse(text)); }

/// All problems, as "line:column: message".
std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> found;
  for (const auto& problem : problems_of(read(text), some_tools())) {
    found.push_back(to_string(problem, "").substr(1));
  }
  return found;
}

/// A pipeline of x, y that needs x, and z, of which this is written beside what they must have.
std::vector<std::string> problems_of_y(const std::string& y, const std::string& pipeline = "",
                                       const std::string& x = "") {
  return problems("id: p\nnodes:\n  - {id: x, plugin_id: a, tool_id: t" + x +
                  "}\n  - {id: y, plugin_id: a, tool_id: t, needs: [x], " + y +
                  "}\n  - {id: z, plugin_id: a, tool_id: t}\n" + pipeline);
}

TEST(Control, IsReadFromEverySetting) {
  const auto file = read(R"(
id: p
params: {day: {type: integer, default: 3}, who: {description: a name}}
on_failure: best_effort
timeout: 1h
seed: 7
defaults: {retry: {max_attempts: 2}, timeout: 30s}
execution_modes: {dry: {allow: ['a.*'], deny: [a.text]}}
domains: {gpu: 2}
expect: {cron: '*/5 0-6,12 * jan mon', grace: 10m}
nodes:
  - id: x
    plugin_id: a
    tool_id: t
    with: {k: '${params.day}', l: plain}
    when: ${params.day} > 2
    for_each: ${input.files}
    retry: {max_attempts: 5, backoff: linear, jitter: decorrelated, delay: 500ms, max_delay: 1m,
            on: [timeout]}
    timeout: 5m
    approval: {message: "Go?", timeout: 1d}
    undo: {tool: t, with: {id: '${nodes.x.id}'}}
    domain: gpu
    effects_once: true
    circuit_breaker: {operation: chat, provider: acme, failures: 3, open_for: 10s}
    output_types: [image]
  - {id: y, plugin_id: a, tool_id: t, needs: [x], cache: false}
  - {id: g, plugin_id: a, tool_id: t, needs: [y],
     guard_retry: {retry_node: y, max_attempts: 3, stagnation_limit: 4, hash_fields: [k],
                   timeout: 1m},
     cache: {ttl: 12h, files: [data.csv]}}
  - {id: s, pipeline: other}
)");
  ASSERT_THAT(problems_of(file, some_tools()), IsEmpty());
  const auto& definition = file.definition;
  EXPECT_EQ(definition.params.at("day").type, ParamType::kInteger);
  EXPECT_EQ(definition.params.at("day").fallback, json::Value(3));
  EXPECT_EQ(definition.on_failure, FailureMode::kBestEffort);
  EXPECT_EQ(definition.timeout, std::chrono::hours(1));
  EXPECT_EQ(definition.seed, 7);
  EXPECT_EQ(definition.domains.at("gpu"), 2);
  EXPECT_TRUE(allows(definition.execution_modes.at("dry"), "a", "image"));
  EXPECT_FALSE(allows(definition.execution_modes.at("dry"), "a", "text"));
  EXPECT_FALSE(allows(definition.execution_modes.at("dry"), "b", "image"));
  EXPECT_EQ(definition.expect->grace, std::chrono::minutes(10));

  const auto& x = definition.nodes[0];
  EXPECT_TRUE(x.has_references);
  EXPECT_EQ(x.references.size(), 1U);
  EXPECT_EQ(x.when->text(), "${params.day} > 2");
  EXPECT_EQ(to_string(*x.for_each), "${input.files}");
  EXPECT_EQ(x.retry->max_attempts, 5);
  EXPECT_EQ(x.retry->backoff, Backoff::kLinear);
  EXPECT_EQ(x.retry->jitter, Jitter::kDecorrelated);
  EXPECT_EQ(x.retry->delay, milliseconds(500));
  EXPECT_THAT(x.retry->on, ElementsAre(ErrorCategory::kTimeout));
  EXPECT_EQ(x.timeout, std::chrono::minutes(5));
  EXPECT_EQ(x.approval->message, "Go?");
  EXPECT_EQ(x.undo->tool, "t");
  EXPECT_EQ(x.undo->references.size(), 1U);
  EXPECT_TRUE(x.effects_once);
  EXPECT_EQ(x.circuit_breaker->open_for, std::chrono::seconds(10));

  const auto& y = definition.nodes[1];
  EXPECT_FALSE(y.has_references);
  EXPECT_FALSE(y.cache->enabled);
  EXPECT_EQ(y.retry->max_attempts, 2) << "of the defaults";
  EXPECT_EQ(y.timeout, std::chrono::seconds(30)) << "of the defaults";
  EXPECT_EQ(definition.nodes[2].guard_retry->stagnation_limit, 4);
  EXPECT_EQ(definition.nodes[2].cache->ttl, std::chrono::hours(12));
  EXPECT_THAT(definition.nodes[2].cache->files, ElementsAre("data.csv"));
  EXPECT_EQ(definition.nodes[3].pipeline, "other");
}

TEST(Control, RefusesWhatItCannotMean) {
  EXPECT_THAT(problems_of_y("domain: gpo", "domains: {gpu: 1}"),
              ElementsAre("4:10: node 'y': there is no domain 'gpo', did you mean 'gpu'?: "
                          "'domains' has gpu"));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: x}"), IsEmpty());
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: z}"),
              ElementsAre(HasSubstr("its retry_node 'z' does not come before it")));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: y}"),
              ElementsAre(HasSubstr("to try a node itself again is its 'retry'")));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: w}"),
              ElementsAre(HasSubstr("there is no node 'w'")));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: x}, for_each: '${input.a}'"),
              ElementsAre(HasSubstr("it has 'for_each'")));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: x}", "", ", for_each: '${input.a}'"),
              ElementsAre(HasSubstr("its retry_node 'x' has 'for_each'")));
  EXPECT_THAT(problems_of_y("guard_retry: {retry_node: x}", "", ", cache: true"),
              ElementsAre(HasSubstr("its retry_node 'x' has a 'cache'")));
  EXPECT_THAT(problems_of_y("cache: true, effects_once: true"),
              ElementsAre(HasSubstr("it has 'effects_once'")));
  EXPECT_THAT(problems_of_y("cache: false, effects_once: true"), IsEmpty());
  EXPECT_THAT(problems_of_y("cache: true, undo: {tool: t}"),
              ElementsAre(HasSubstr("it has an 'undo'")));
  EXPECT_THAT(problems_of_y("undo: {tool: u}"),
              ElementsAre(HasSubstr("plugin 'a' has no tool 'u'")));
  EXPECT_THAT(problems_of_y("undo: {plugin: b, tool: t}"),
              ElementsAre(HasSubstr("unknown plugin 'b'")));
  EXPECT_THAT(problems_of_y("pipeline: q"),
              ElementsAre(HasSubstr("node 'y' has a 'pipeline' and a tool: leave one out")));
  EXPECT_THAT(problems_of_y("retry: {delay: 2m}"),
              ElementsAre(HasSubstr("'delay' is longer than 'max_delay'")));
  EXPECT_THAT(problems_of_y("retry: {max_attempts: 0}"),
              ElementsAre(HasSubstr("'max_attempts' is 0, a whole number from 1")));
  EXPECT_THAT(problems_of_y("timeout: 5 minutes"), ElementsAre(HasSubstr("a duration from")));
  EXPECT_THAT(problems_of_y("when: '${params.x'"),
              ElementsAre(HasSubstr("'when': character 1: '${params.x'")));
  EXPECT_THAT(problems_of_y("for_each: 'a ${input.b}'"),
              ElementsAre(HasSubstr("one reference is expected")));
  EXPECT_THAT(problems_of_y("domain: d", "domains: {d: 0}"),
              testing::Contains(HasSubstr("'d' is 0")));
  EXPECT_THAT(problems_of_y("when: 'true'", "execution_modes: {m: {deny: ['b.*']}}"),
              ElementsAre("6:22: execution mode 'm': there is no tool 'b.*': a pattern is "
                          "plugin.tool, and * is any part of it"));
  EXPECT_THAT(problems_of_y("when: 'true'", "expect: {grace: 1s}"),
              ElementsAre(HasSubstr("'expect' needs 'every' or 'cron', and not both")));
  EXPECT_THAT(problems_of_y("when: 'true'", "expect: {cron: '61 * * * *'}"),
              ElementsAre(HasSubstr("'61' is no minute")));
  EXPECT_THAT(problems_of_y("when: 'true'", "params: {n: {type: integer, default: x}}"),
              ElementsAre(HasSubstr("'default' is a string, the parameter's type is integer")));
  EXPECT_THAT(problems_of_y("when: 'true'", "params: {n: {default: x, required: true}}"),
              ElementsAre(HasSubstr("has no default")));
}

TEST(References, NameWhatThereIsWhereItIs) {
  EXPECT_THAT(problems_of_y("with: {k: '${nodes.x.a} ${input.b} ${secrets.TOKEN}'}"), IsEmpty());
  EXPECT_THAT(problems_of_y("with: {k: '${params.day}'}"),
              ElementsAre(HasSubstr("${params.day}: the pipeline has no parameter 'day' (known: "
                                    "none)")));
  EXPECT_THAT(problems_of_y("with: {k: '${params.dai}'}", "params: {day: {}}"),
              ElementsAre(HasSubstr("did you mean 'day'? (known: day)")));
  EXPECT_THAT(problems_of_y("with: {k: '${nodes.w.a}'}"),
              ElementsAre(HasSubstr("${nodes.w.a}: there is no node 'w'")));
  EXPECT_THAT(problems_of_y("with: {k: '${nodes.z.a}'}"),
              ElementsAre("4:61: ${nodes.z.a}: node 'z' does not come before 'y': add it to "
                          "'needs', or an edge"));
  EXPECT_THAT(problems_of_y("with: {k: '${nodes.y.a}'}"),
              ElementsAre(HasSubstr("a node cannot name its own output")));
  EXPECT_THAT(problems_of_y("undo: {tool: t, with: {k: '${nodes.y.a}'}}"), IsEmpty());
  EXPECT_THAT(problems_of_y("when: '${nodes.z.a} == 1'"),
              ElementsAre(HasSubstr("node 'z' does not come before 'y'")));
  EXPECT_THAT(problems_of_y("when: '${secrets.TOKEN} == 1'"),
              ElementsAre(HasSubstr("secrets are for 'with' alone")));
  EXPECT_THAT(problems_of_y("with: {k: '${item}'}"),
              ElementsAre(HasSubstr("there is an item in a node with 'for_each' alone")));
  EXPECT_THAT(problems_of_y("with: {k: '${item.a}'}, for_each: '${nodes.x.a}'"), IsEmpty());
  EXPECT_THAT(problems_of_y("with: {k: '${HOME}'}"), ElementsAre(HasSubstr("write $${ for a ${")));
}

TEST(References, MayStandForASettingOfAnyKind) {
  EXPECT_THAT(problems(R"({id: p, nodes: [{id: x, plugin_id: a, tool_id: image,
                           with: {size: '${input.n}'}}]})"),
              IsEmpty());
  EXPECT_THAT(problems(R"({id: p, nodes: [{id: x, plugin_id: a, tool_id: image,
                           with: {size: 'n ${input.n}'}}]})"),
              ElementsAre(HasSubstr("'size' of a.image must be a whole number")));
}

TEST(Types, MustMeetAlongAnEdge) {
  const auto edge = [](const std::string& from, const std::string& to) {
    return problems("{id: p, nodes: [{id: x, plugin_id: a, tool_id: " + from +
                    "}, {id: y, plugin_id: a, tool_id: " + to + ", needs: [x]}]}");
  };
  EXPECT_THAT(edge("image", "text"), ElementsAre(HasSubstr("type mismatch: x (outputs: image, "
                                                           "frame) → y (inputs: text)")));
  EXPECT_THAT(edge("t", "text"), IsEmpty());
  EXPECT_THAT(edge("image", "t"), IsEmpty());
  EXPECT_THAT(edge("image", "text, input_types: [frame, sound]"), IsEmpty());
  EXPECT_THAT(edge("t, output_types: [sound]", "text"), ElementsAre(HasSubstr("type mismatch")));
}

TEST(Graph, ProblemsAreThoseOfTheRules) {
  EXPECT_THAT(problems("{id: p, nodes: []}"), ElementsAre(HasSubstr("the pipeline has no nodes")));
  EXPECT_THAT(problems("{id: p, nodes: [{id: x, plugin_id: a, tool_id: t, needs: [x]}]}"),
              testing::Contains(HasSubstr("node 'x' cannot come before itself")));
  EXPECT_THAT(problems(R"({id: p, output_nodes: [x], nodes: [{id: x, plugin_id: a, tool_id: t},
                           {id: y, plugin_id: a, tool_id: t}]})"),
              ElementsAre(HasSubstr("nothing comes after node 'y', so it must be one of "
                                    "'output_nodes'")));
}

TEST(OtherDialect, HasTypesInThePlaceOfIdsAndNoNames) {
  const auto file = read(R"({"id": "p", "nodes": [
    {"id": "x", "plugin_type": "a", "tool_type": "image", "output_types": ["image"]},
    {"id": "y", "plugin_type": "a", "tool_type": "t", "input_types": ["image"]}],
    "edges": [{"from_node": "x", "to_node": "y"}], "entry_nodes": ["x"], "output_nodes": ["y"]})");
  EXPECT_THAT(problems_of(file, some_tools()), IsEmpty());
  EXPECT_EQ(file.definition.name, "p");
  EXPECT_EQ(file.definition.nodes[0].plugin_id.text, "a");
  EXPECT_EQ(file.definition.nodes[0].tool_id.text, "image");
  EXPECT_THAT(problems("{id: p, nodes: [{id: x, plugin_id: a, plugin_type: b, tool_id: t}]}"),
              ElementsAre(HasSubstr("'b' and 'a' are two names of the same")));
}

TEST(Cron, HasFiveFields) {
  for (const auto* good : {"* * * * *", "*/15 0-6/2 1,15 jan-mar sun", "0 0 31 12 7"}) {
    EXPECT_TRUE(check_cron(good)) << good;
  }
  for (const auto* bad :
       {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1, * * * *", "1-2-3 * * * *"}) {
    EXPECT_FALSE(check_cron(bad)) << bad;
  }
}

// Against walking back from the node.
TEST(Ancestry, IsWhatWalkingBackFinds) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    const std::size_t size = 1 + below(200);
    Definition definition;
    for (std::size_t i = 0; i < size; ++i) definition.nodes.push_back({.id = {std::to_string(i)}});
    for (std::size_t i = 0; i < size; ++i) {
      const auto from = below(size), to = below(size);
      if (from > to) definition.edges.push_back({{std::to_string(from)}, {std::to_string(to)}});
    }
    const Graph graph(definition);
    std::vector<AncestorQuestion> questions;
    std::vector<bool> expected;
    for (int i = 0; i < 500; ++i) {
      const auto ancestor = static_cast<NodeIndex>(below(size));
      const auto node = static_cast<NodeIndex>(below(size));
      questions.emplace_back(ancestor, node);
      std::vector<bool> seen(size);
      std::vector<NodeIndex> todo = {node};
      bool is_before = false;
      while (!todo.empty()) {
        const auto one = todo.back();
        todo.pop_back();
        for (const auto before : graph.predecessors[one]) {
          is_before = is_before || before == ancestor;
          if (!seen[before]) todo.push_back(before);
          seen[before] = true;
        }
      }
      expected.push_back(is_before);
    }
    EXPECT_EQ(are_ancestors(graph, questions), expected);
  }
}

}  // namespace
}  // namespace weir::pipeline
