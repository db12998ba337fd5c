#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <set>
#include <string>

#include "base/id.h"
#include "pipeline/registry.h"
#include "pipeline/rules.h"
#include "pipeline/validate.h"

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CapableTool final : public tool::Tool {
 public:
  CapableTool() {
    spec_.plugin_id = "a";
    spec_.tool_id = "t";
    spec_.capabilities = {"stream"};
  }
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call&) override {
    return tool::Output{.payload = {}, .usage = {}};
  }

 private:
  tool::ToolSpec spec_;
};

struct Found {
  std::vector<std::string> problems, warnings;
};

std::string said(const Problem& problem) { return problem.code + ": " + problem.message; }

Found check(const std::string& text) {
  tool::Registry tools;
  tools.add(std::make_unique<CapableTool>());
  const auto file = read_text("p.yaml", text);
  Found found;
  for (const auto& problem : problems_of(file, tools)) found.problems.push_back(said(problem));
  for (const auto& warning : warnings_of(file, tools)) found.warnings.push_back(said(warning));
  return found;
}

constexpr const char* kTwo =
    "nodes: [{id: x, plugin_id: a, tool_id: t}, "
    "{id: y, plugin_id: a, tool_id: t, needs: [x]}]";

TEST(Warnings, AreOfNodesThatNothingJoins) {
  const auto found = check(
      "{id: p, nodes: [{id: x, plugin_id: a, tool_id: t}, {id: y, plugin_id: a, tool_id: t, "
      "needs: [x]}, {id: z, plugin_id: a, tool_id: t}]}");
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre("ORPHAN_NODE: node 'z' is joined with no other node"));
  EXPECT_THAT(check(std::string("{id: p, ") + kTwo + "}").warnings, IsEmpty());
  EXPECT_THAT(check("{id: p, nodes: [{id: x, plugin_id: a, tool_id: t}, {id: y, plugin_id: a, "
                    "tool_id: t}]}")
                  .warnings,
              IsEmpty())
      << "nothing joins any";
}

TEST(Warnings, AreOfWhatIsNeededTwice) {
  const auto found = check(
      "{id: p, nodes: [{id: x, plugin_id: a, tool_id: t}, {id: y, plugin_id: a, tool_id: t, "
      "needs: [x, x]}]}");
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("DUPLICATE_NEED: node 'y' needs 'x' twice")));
}

TEST(Capabilities, AreTheEnginesAndThoseOfItsTools) {
  const auto with = [](const std::string& required, const std::string& more = "") {
    return check("{id: p, requires_capabilities: [" + required + "], " + more + kTwo + "}");
  };
  EXPECT_THAT(with("replay.full, stream, cancel.forced").problems, IsEmpty());
  EXPECT_THAT(with("streem").problems,
              ElementsAre(HasSubstr("CAPABILITY_NOT_SUPPORTED: capability 'streem': neither the "
                                    "engine nor a tool of the pipeline has it, did you mean "
                                    "'stream'?")));
  EXPECT_THAT(with("streem").warnings, IsEmpty());
  EXPECT_THAT(with("x, x", "fallback: emulate, ").warnings,
              ElementsAre(HasSubstr("CAPABILITY_EMULATED: capability 'x'")));
  EXPECT_THAT(with("x", "fallback: degrade, ").warnings,
              ElementsAre(HasSubstr("CAPABILITY_DEGRADED: capability 'x'")));
  EXPECT_THAT(with("x", "fallback: degrade, ").problems, IsEmpty());
}

TEST(Rules, SayHowEveryKindOfProblemIsMended) {
  const auto found = check(
      "{id: p, output_nodes: [none], nodes: [{id: x, plugin_id: a, tool_id: u, needs: [x]}, "
      "{id: '?', plugin_id: a, tool_id: t, needs: [q]}]}");
  EXPECT_FALSE(found.problems.empty());
  for (const auto& problem : found.problems) {
    EXPECT_NE(find_rule(problem.substr(0, problem.find(':'))), nullptr) << problem;
  }
  EXPECT_EQ(find_rule("NONE"), nullptr);
}

/// As they are called by links to them.
std::set<std::string> headings_of(const std::string& page) {
  std::set<std::string> headings;
  std::ifstream file(WEIR_SOURCE_DIR "/" + page);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("## ")) continue;
    std::string heading;
    for (const char c : line.substr(3)) {
      if (c == ' ') heading += '-';
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
        heading += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    headings.insert(heading);
  }
  return headings;
}

TEST(Rules, NameAPlaceInTheDocumentation) {
  for (const auto& rule : rules()) {
    const std::string page(rule.page.substr(0, rule.page.find('#')));
    const auto headings = headings_of(page);
    EXPECT_FALSE(headings.empty()) << page;
    if (page.size() == rule.page.size()) continue;
    EXPECT_TRUE(headings.contains(std::string(rule.page.substr(page.size() + 1)))) << rule.page;
  }
}

TEST(Warnings, AreOfNodesOfTheOtherDialectWithoutTypes) {
  const auto with = [](const std::string& types) {
    return check("{id: p, nodes: [{id: x, plugin_type: a, tool_type: t" + types + "}]}").warnings;
  };
  EXPECT_THAT(with(""), ElementsAre(HasSubstr("TYPES_MISSING: node 'x' has a 'tool_type'")));
  EXPECT_THAT(with(", input_types: [i]"), ElementsAre(HasSubstr("TYPES_MISSING")));
  EXPECT_THAT(with(", input_types: [i], output_types: [o]"), IsEmpty());
}

TEST(Warnings, AreOfFilesThatACacheDoesNotKnow) {
  const std::filesystem::path folder =
      testing::TempDir() + "unnamed-" + std::to_string(random_bits());
  std::filesystem::create_directories(folder);
  for (const auto* name : {"report.sh", "prices.csv"}) std::ofstream(folder / name) << "x";
  const auto with = [&](const std::string& cache, const std::string& settings) {
    const auto path = folder / "p.yaml";
    std::ofstream(path) << "{id: p, nodes: [{id: x, plugin_id: a, tool_id: t, cache: " << cache
                        << ", with: " << settings << "}]}";
    const auto file = load_file(path);
    EXPECT_TRUE(file);
    tool::Registry tools;
    tools.add(std::make_unique<CapableTool>());
    std::vector<std::string> said_of;
    for (const auto& warning : warnings_of(*file, tools)) said_of.push_back(said(warning));
    return said_of;
  };
  EXPECT_THAT(
      with("true", "{command: [sh, report.sh]}"),
      ElementsAre(HasSubstr("CACHE_UNNAMED_FILE: 'cache' of node 'x': the file 'report.sh'")));
  EXPECT_THAT(with("true", "{command: [sh, -c, 'sort <./prices.csv | sh report.sh prices.csv']}"),
              testing::UnorderedElementsAre(HasSubstr("'./prices.csv'"), HasSubstr("'report.sh'"),
                                            HasSubstr("'prices.csv'")));
  EXPECT_THAT(with("true", "{query: {sql: \"SELECT * FROM 'prices.csv'\"}}"),
              ElementsAre(HasSubstr("'prices.csv'")));
  EXPECT_THAT(with("{files: [report.sh]}", "{command: [sh, ./report.sh, other.csv]}"), IsEmpty());
  EXPECT_THAT(with("false", "{command: [sh, report.sh]}"), IsEmpty());
}

}  // namespace
}  // namespace weir::pipeline
