#include "pipeline/sub_pipelines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SubPipelinesTest : public testing::Test {
 protected:
  SubPipelinesTest() {
    tools_.add(std::make_unique<tool::FunctionTool>(
        "a", "t", [](const tool::Call&) { return json::Object(); }));
    std::filesystem::create_directories(folder_);
  }
  void write(const std::string& id, const std::string& rest) {
    std::ofstream(folder_ / (id + ".yaml")) << "{id: " << id << ", " << rest << "}";
  }
  [[nodiscard]] Registry load() const { return *Registry::load({&folder_, 1}, tools_); }
  [[nodiscard]] std::vector<std::string> problems(const std::string& id) const {
    std::vector<std::string> all;
    const auto registry = load();
    for (const auto& problem : registry.find(id)->problems) {
      all.push_back(to_string(problem, "f"));
    }
    return all;
  }

  tool::Registry tools_;
  std::filesystem::path folder_ = testing::TempDir() + "nested-" + std::to_string(random_bits());
};

constexpr auto kTool = "nodes: [{id: x, plugin_id: a, tool_id: t}]";

TEST_F(SubPipelinesTest, GetTheParametersThatTheyHave) {
  write("q", std::string("params: {day: {type: integer, required: true}}, ") + kTool);
  const auto with = [&](const std::string& given) {
    write("p", "nodes: [{id: x, pipeline: q, with: " + given + "}]");
    return problems("p");
  };
  EXPECT_THAT(with("{day: 3}"), IsEmpty());
  EXPECT_THAT(with("{day: '${input.day}'}"), IsEmpty()) << "its type is known when it is run";
  EXPECT_THAT(with("{day: 'd${input.day}'}"),
              ElementsAre("f:1:45: node 'x': pipeline 'q': parameter 'day' is a string, its type "
                          "is integer"));
  EXPECT_THAT(with("{dai: 3}"),
              ElementsAre(HasSubstr("'day' is not given, and has no default"),
                          HasSubstr("has no parameter 'dai', did you mean 'day'")));
}

TEST_F(SubPipelinesTest, GetNoSecrets) {
  write("q", std::string("params: {key: {}}, ") + kTool);
  write("p", "nodes: [{id: x, pipeline: q, with: {key: '${secrets.TOKEN}'}}]");
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("node 'x' is a pipeline, and parameters are "
                                                   "recorded")));
}

TEST_F(SubPipelinesTest, MayNotRunThemselves) {
  write("p", "nodes: [{id: x, pipeline: q}]");
  write("q", "nodes: [{id: y, pipeline: r}]");
  write("r", "nodes: [{id: z, pipeline: q}]");
  write("s", "nodes: [{id: x, pipeline: s}]");
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("node 'x': pipeline 'q' ")));
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("runs itself: q → r → q")));
  EXPECT_THAT(problems("q"), ElementsAre(HasSubstr("q → r → q")));
  EXPECT_THAT(problems("s"), ElementsAre("f:1:22: node 'x': pipeline 's' runs itself: s → s"));
}

TEST_F(SubPipelinesTest, AreRunOnlyWhenAllInsideThemCanBe) {
  write("p", "nodes: [{id: x, pipeline: q}]");
  write("q", "nodes: [{id: y, pipeline: r}]");
  write("r", "nodes: [{id: z, plugin_id: b, tool_id: t}]");
  EXPECT_THAT(problems("p"),
              ElementsAre(HasSubstr("node 'x': pipeline 'q' runs 'r', which cannot be run: " +
                                    (folder_ / "r.yaml").string() + ":1:36: unknown plugin 'b'")));
  write("r", kTool);
  EXPECT_THAT(problems("p"), IsEmpty());
  const auto registry = load();
  const SubPipelineCheck check(registry);
  const auto below = check.below(registry.find("p")->file.definition);
  ASSERT_EQ(below.size(), 2U);
  EXPECT_EQ(below[0]->file.definition.id, "q");
  EXPECT_EQ(below[1]->file.definition.id, "r");
}

TEST_F(SubPipelinesTest, HaveNoEffectsOfTheirOwn) {
  write("q", kTool);
  write("p", "nodes: [{id: x, pipeline: q, effects_once: true}]");
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("its nodes say themselves which of them")));
}

TEST_F(SubPipelinesTest, AreUndoneByAToolWhosePluginIsNamed) {
  write("q", kTool);
  write("p", "nodes: [{id: x, pipeline: q, undo: {tool: t}}]");
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("its 'undo' has to name the 'plugin'")));
  write("p", "nodes: [{id: x, pipeline: q, undo: {plugin: a, tool: u}}]");
  EXPECT_THAT(problems("p"), ElementsAre(HasSubstr("plugin 'a' has no tool 'u'")));
  write("p", "nodes: [{id: x, pipeline: q, undo: {plugin: a, tool: t}}]");
  EXPECT_THAT(problems("p"), IsEmpty());
}

}  // namespace
}  // namespace weir::pipeline
