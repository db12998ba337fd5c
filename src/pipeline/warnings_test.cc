#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <set>
#include <string>

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

}  // namespace
}  // namespace weir::pipeline
