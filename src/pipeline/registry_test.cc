#include "pipeline/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    tools_.add(std::make_unique<tool::FunctionTool>(
        "a", "t", [](const tool::Call&) { return json::Object(); }));
    std::filesystem::create_directories(folder_ / "inside");
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] Registry load() const { return *Registry::load({&folder_, 1}, tools_); }

  tool::Registry tools_;
  std::filesystem::path folder_ = testing::TempDir() + "registry-" + std::to_string(random_bits());
};

constexpr auto kNode = ", nodes: [{id: x, plugin_id: a, tool_id: t}]}";

TEST_F(RegistryTest, FindsPipelinesByTheirIds) {
  write("b.yaml", std::string("{id: one") + kNode);
  write("a.json", R"({"id": "two", "nodes": [{"id": "x", "plugin_id": "a", "tool_id": "t"}]})");
  write("readme.md", "no pipeline");
  write("inside/c.yaml", std::string("{id: three") + kNode);
  const auto registry = load();
  EXPECT_THAT(registry.ids(), ElementsAre("one", "two"));
  ASSERT_NE(registry.find("one"), nullptr);
  EXPECT_EQ(registry.find("one")->path, folder_ / "b.yaml");
  EXPECT_THAT(registry.find("one")->problems, IsEmpty());
  EXPECT_EQ(registry.find("three"), nullptr);
}

TEST_F(RegistryTest, KeepsWrongFilesWithTheirProblems) {
  write("a.yaml", "{id: broken, nodes: [{id: x, plugin_id: b, tool_id: t}]}");
  write("b.yml", "not: [closed");
  write("c.yaml", std::string("{id: right") + kNode);
  const auto registry = load();
  EXPECT_THAT(registry.ids(), ElementsAre("b", "broken", "right"));
  EXPECT_THAT(registry.find("broken")->problems[0].message, HasSubstr("unknown plugin 'b'"));
  EXPECT_THAT(registry.find("b")->problems[0].message, HasSubstr("not YAML"));
  EXPECT_THAT(registry.find("right")->problems, IsEmpty());
}

TEST_F(RegistryTest, ComplainsOfASecondPipelineOfTheSameId) {
  write("a.yaml", std::string("{id: p") + kNode);
  write("b.yaml", std::string("{id: p") + kNode);
  const auto registry = load();
  EXPECT_THAT(registry.entries()[0].problems, IsEmpty());
  ASSERT_EQ(registry.entries()[1].problems.size(), 1U);
  EXPECT_EQ(registry.entries()[1].problems[0].message,
            "id 'p' is already that of " + (folder_ / "a.yaml").string());
  EXPECT_EQ(registry.find("p")->path, folder_ / "a.yaml");
}

TEST_F(RegistryTest, ComplainsOfAPipelineThatIsNotThere) {
  write("a.yaml", "{id: p, nodes: [{id: x, pipeline: quz}]}");
  write("b.yaml", std::string("{id: qux") + kNode);
  const auto registry = load();
  ASSERT_EQ(registry.find("p")->problems.size(), 1U);
  EXPECT_EQ(registry.find("p")->problems[0].message,
            "node 'x': there is no pipeline 'quz', did you mean 'qux'?");
}

TEST_F(RegistryTest, ThatIsNotThereIsAnError) {
  const std::filesystem::path none = folder_ / "none";
  EXPECT_EQ(Registry::load({&none, 1}, tools_).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::pipeline
