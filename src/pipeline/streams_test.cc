#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/file.h"
#include "pipeline/graph.h"
#include "pipeline/scheduler.h"
#include "pipeline/validate.h"

// Streams in a pipeline file, and when the nodes that they join start.
namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlainTool final : public tool::Tool {
 public:
  PlainTool(std::string tool_id, tool::Streams streams)
      : spec_{.plugin_id = "x", .tool_id = std::move(tool_id), .settings = {}, .streams = streams} {
  }
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call&) override {
    return tool::Output{};
  }

 private:
  const tool::ToolSpec spec_;
};

tool::Registry tools() {
  tool::Registry registry;
  registry.add(std::make_unique<tool::FunctionTool>(
      "x", "t", [](const tool::Call&) { return json::Object(); }));
  registry.add(std::make_unique<PlainTool>("plain", tool::Streams::kNone));
  registry.add(std::make_unique<PlainTool>("one", tool::Streams::kOneEach));
  return registry;
}

std::string node(const std::string& id, const std::string& rest = "") {
  return R"({"id": ")" + id + R"(", "plugin_id": "x", "tool_id": "t")" + rest + "}";
}

/// Nodes a and b, joined by a stream, and what else there is.
std::string pair_and(const std::string& b = "", const std::string& nodes = "",
                     const std::string& edges = "", const std::string& top = "") {
  return R"({"id": "p", )" + top + R"("nodes": [)" + node("a") + ", " + node("b", b) + nodes +
         R"(], "edges": [{"from_node": "a", "to_node": "b", "stream": {}})" + edges + "]}";
}

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<std::string> messages;
  const auto file = read_definition(*json::parse(text));
  for (const auto& problem : file.problems) messages.push_back(problem.message);
  for (const auto& problem : validate(file.definition, tools())) {
    messages.push_back(problem.message);
  }
  return messages;
}

TEST(Streams, AreReadWithTheirDefaults) {
  const auto file = read_definition(*json::parse(pair_and(
      "", ", " + node("c"),
      R"(, {"from_node": "b", "to_node": "c", "stream": {"capacity": 7, "on_full": "drop_oldest"}})")));
  EXPECT_THAT(file.problems, IsEmpty());
  const auto& edges = file.definition.edges;
  EXPECT_EQ(*edges[0].stream, tool::StreamOptions());
  EXPECT_EQ(edges[0].stream->capacity, 100);
  EXPECT_EQ(*edges[1].stream,
            (tool::StreamOptions{.capacity = 7, .on_full = tool::OnFull::kDropOldest}));
}

TEST(Streams, AreRefusedWithWhatWouldRunANodeAgainOrKeepItFromStarting) {
  EXPECT_THAT(problems_of(pair_and()), IsEmpty());
  for (const std::string setting :
       {R"("retry": {"max_attempts": 2})", R"("cache": true)", R"("for_each": "${input.l}")",
        R"("when": "true")", R"("approval": {})", R"("domain": "d")"}) {
    SCOPED_TRACE(setting);
    const auto name = setting.substr(1, setting.find('"', 1) - 1);
    EXPECT_THAT(problems_of(pair_and(", " + setting, "", "", R"("domains": {"d": 2}, )")),
                ElementsAre(HasSubstr("node 'b' has a stream and '" + name +
                                      "', which do not go together: ")));
  }
  EXPECT_THAT(problems_of(pair_and(R"(, "retry": {"max_attempts": 1})")), IsEmpty());
}

TEST(Streams, AreRefusedWithTheRetryOfDefaults) {
  EXPECT_THAT(problems_of(pair_and(R"(, "retry": {"max_attempts": 1})", "", "",
                                   R"("defaults": {"retry": {"max_attempts": 3}}, )")),
              ElementsAre(HasSubstr("give the node 'retry: {max_attempts: 1}'")));
}

TEST(Streams, NeedToolsThatReadAndWriteThem) {
  auto text = pair_and();
  text.replace(text.rfind("\"t\""), 3, "\"plain\"");
  EXPECT_THAT(problems_of(text),
              ElementsAre("node 'b' has a stream, and none can be read or written by its tool "
                          "x.plain"));
}

TEST(Streams, AreNoMoreThanTheirToolCanHave) {
  auto text = pair_and("", ", " + node("c"), R"(, {"from_node": "c", "to_node": "b", "stream": {}},
                                                  {"from_node": "b", "to_node": "d", "stream": {}})");
  text.replace(text.find("\"t\"", text.find("\"b\"")), 3, "\"one\"");
  EXPECT_THAT(problems_of(text),
              ElementsAre("node 'b' has several streams to read, and one at most is read by its "
                          "tool x.one",
                          "edge to unknown node 'd'"));
}

TEST(Streams, AreRefusedWhereAGuardWouldRunThemAgain) {
  const auto guard = [](const std::string& retried) {
    return ", " +
           node("g", R"(, "needs": ["b"], "guard_retry": {"retry_node": ")" + retried + R"("})") +
           ", " + node("first");
  };
  constexpr const char* kEdge = R"(, {"from_node": "first", "to_node": "a"})";
  EXPECT_THAT(problems_of(pair_and("", guard("first"), kEdge)),
              ElementsAre(HasSubstr("'guard_retry' of node 'g' would run node 'a' again")));
  EXPECT_THAT(problems_of(pair_and("", guard("b"), kEdge)),
              ElementsAre(HasSubstr("'guard_retry' of node 'g' would run node 'b' again")));
}

TEST(Streams, DoNotJoinNodesThatWaitForOneAnother) {
  EXPECT_THAT(problems_of(pair_and("", ", " + node("c"),
                                   R"(, {"from_node": "a", "to_node": "c"},
                                        {"from_node": "c", "to_node": "b"})")),
              ElementsAre("'a', 'b' start together, since streams join them, but one of them "
                          "waits for a node after another"));
  EXPECT_THAT(problems_of(pair_and("", ", " + node("c"),
                                   R"(, {"from_node": "b", "to_node": "c", "stream": {}},
                                        {"from_node": "a", "to_node": "c"})")),
              ElementsAre(HasSubstr("but one of them waits for another to end")));
}

TEST(Streams, DoNotMakeTheWritersOutputKnown) {
  constexpr const char* kWith = R"(, "with": {"x": "${nodes.a.k}"})";
  EXPECT_THAT(problems_of(pair_and(kWith)), ElementsAre(HasSubstr("does not come before 'b'")));
  EXPECT_THAT(
      problems_of(pair_and("", ", " + node("c", std::string(R"(, "needs": ["b"])") + kWith))),
      ElementsAre(HasSubstr("does not come before 'c'")))
      << "it may still run";
  EXPECT_THAT(
      problems_of(pair_and("", ", " + node("c", std::string(R"(, "needs": ["a", "b"])") + kWith))),
      IsEmpty());
}

class StreamsScheduler : public testing::Test {
 protected:
  static Definition definition_of(std::size_t nodes, const std::vector<std::pair<int, int>>& edges,
                                  const std::vector<std::pair<int, int>>& streams) {
    Definition definition;
    for (std::size_t i = 0; i < nodes; ++i) definition.nodes.push_back({.id = {std::to_string(i)}});
    for (const auto& [from, to] : edges) {
      definition.edges.push_back({{std::to_string(from)}, {std::to_string(to)}});
    }
    for (const auto& [from, to] : streams) {
      definition.edges.push_back(
          {{std::to_string(from)}, {std::to_string(to)}, tool::StreamOptions()});
    }
    return definition;
  }
  template <class Call>
  static std::vector<StepIndex> started(Call call) {
    Scheduler::Commands commands;
    call(commands);
    std::vector<StepIndex> steps;
    for (const auto& command : commands) {
      if (command.kind == Command::Kind::kStart) steps.push_back(command.step);
    }
    return steps;
  }
};

TEST_F(StreamsScheduler, StartsAGroupWhenAllThatAnyOfItNeedsHasEnded) {
  //  0 ──► 1 ~~► 2 ~~► 3 ──► 5
  //  4 ────────────────┘
  const Graph graph(definition_of(6, {{0, 1}, {4, 3}, {3, 5}}, {{1, 2}, {2, 3}}));
  EXPECT_THAT(graph.groups, ElementsAre(testing::Pair(1, ElementsAre(1, 2, 3))));
  Scheduler scheduler(graph);
  EXPECT_THAT(started([&](auto& c) { scheduler.start(c); }), ElementsAre(0, 4));
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(0, c); }), IsEmpty());
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(4, c); }), ElementsAre(1, 2, 3));
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(3, c); }), ElementsAre(5));
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(2, c); }), IsEmpty());
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(1, c); }), IsEmpty());
  EXPECT_FALSE(scheduler.is_finished()) << "5 still runs";
}

TEST_F(StreamsScheduler, StartsAGroupWithoutPredecessorsAtOnce) {
  const Graph graph(definition_of(3, {{2, 1}}, {{0, 1}}));
  Scheduler scheduler(graph);
  EXPECT_THAT(started([&](auto& c) { scheduler.start(c); }), ElementsAre(2));
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(2, c); }), ElementsAre(0, 1));
  const Graph free(definition_of(2, {}, {{0, 1}}));
  Scheduler other(free);
  EXPECT_THAT(started([&](auto& c) { other.start(c); }), ElementsAre(0, 1));
}

TEST_F(StreamsScheduler, StartsTheRestOfAGroupWhenOneOfItWasSkipped) {
  const Graph graph(definition_of(4, {{0, 1}, {3, 2}}, {{1, 2}}));
  Scheduler scheduler(graph);
  EXPECT_THAT(started([&](auto& c) { scheduler.start(c); }), ElementsAre(0, 3));
  EXPECT_THAT(started([&](auto& c) { scheduler.skip(1, c); }), IsEmpty());
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(0, c); }), IsEmpty()) << "3 still runs";
  EXPECT_THAT(started([&](auto& c) { scheduler.completed(3, c); }), ElementsAre(2));
}

TEST_F(StreamsScheduler, SkipsAGroupOneOfWhosePredecessorsFailed) {
  const Graph graph(definition_of(3, {{2, 1}}, {{0, 1}}));
  Scheduler scheduler(graph, {}, FailureMode::kContinue);
  Scheduler::Commands commands;
  scheduler.start(commands);
  commands.clear();
  scheduler.failed(2, ErrorCategory::kPermanent, commands);
  EXPECT_THAT(commands,
              ElementsAre(Command{Command::Kind::kSkip, 0}, Command{Command::Kind::kSkip, 1},
                          Command{Command::Kind::kFinishRun, 0}));
}

}  // namespace
}  // namespace weir::pipeline
