#include "pipeline/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

json::Object object(std::string_view text) { return *json::parse(text)->object(); }

const json::Object kParams = object(R"({"day": 3, "name": "x", "none": null})");
const json::Object kInput = object(R"({"rows": [{"a": 1}, {"a": 2}], "a b": "spaced"})");
const json::Object kOutput = object(R"({"count": 7, "deep": {"k": [true]}})");

Scope scope() {
  return {.params = &kParams,
          .input = &kInput,
          .node_output = [](std::string_view id) { return id == "n.1" ? &kOutput : nullptr; },
          .secret = [](const std::string& name) -> std::optional<std::string> {
            if (name != "TOKEN") return {};
            return "s3cret";
          }};
}

/// What a string becomes, as JSON, or what is wrong.
std::string resolved(std::string_view text) {
  const auto value = resolve(json::Value(text), scope());
  return value ? json::to_text(*value) : value.error().message;
}

TEST(Reference, KeepsTheTypeOfWhatItNamesWhenItIsTheWholeString) {
  EXPECT_EQ(resolved("${params.day}"), "3");
  EXPECT_EQ(resolved("${params.none}"), "null");
  EXPECT_EQ(resolved("${input.rows}"), R"([{"a":1},{"a":2}])");
  EXPECT_EQ(resolved("${input.rows.1.a}"), "2");
  EXPECT_EQ(resolved("${nodes.'n.1'.deep.k}"), "[true]");
  EXPECT_EQ(resolved("${nodes.'n.1'}"), R"({"count":7,"deep":{"k":[true]}})");
  EXPECT_EQ(resolved("${input.'a b'}"), R"("spaced")");
  EXPECT_EQ(resolved("${secrets.TOKEN}"), R"("s3cret")");
}

TEST(Reference, StandsAsTextInALongerString) {
  EXPECT_EQ(resolved("day ${params.day} of ${params.name}: ${nodes.'n.1'.deep}"),
            R"("day 3 of x: {\"k\":[true]}")");
}

TEST(Reference, IsNoneBehindTwoDollars) {
  EXPECT_EQ(resolved("$${HOME} costs 3$ and $$"), R"("${HOME} costs 3$ and $$")");
  EXPECT_EQ(resolved("$${${params.day}"), R"("${3")");
}

TEST(Reference, IsReplacedInListsAndObjectsButNotInKeys) {
  const auto value =
      json::parse(R"({"${params.day}": ["${params.day}", {"k": "${params.name}"}]})");
  EXPECT_EQ(json::to_text(*resolve(*value, scope())), R"({"${params.day}":[3,{"k":"x"}]})");
}

TEST(Reference, ThatNamesNothingIsAnErrorThatSaysWhatIsNotThere) {
  EXPECT_EQ(resolved("a ${params.week}"), "${params.week}: the pipeline has no 'week'");
  EXPECT_EQ(resolved("${input.rows.2}"), "${input.rows.2}: there is no '2' in a list");
  EXPECT_EQ(resolved("${nodes.m.k}"), "${nodes.m.k}: node 'm' has no output");
  EXPECT_EQ(resolved("${nodes.'n.1'.k}"), "${nodes.'n.1'.k}: the output of 'n.1' has no 'k'");
  EXPECT_EQ(resolved("${item}"), "${item}: there is no item");
  EXPECT_THAT(resolved("${secrets.PIN}"), HasSubstr("set the environment variable PIN"));
  EXPECT_EQ(resolve(json::Value("${params.week}"), scope()).error().code, ErrorCode::kNotFound);
}

TEST(Reference, ThatIsNotWrittenAsOneIsRefused) {
  EXPECT_THAT(resolved("echo ${HOME}"), HasSubstr("'${HOME}': 'HOME' is nothing that there is"));
  EXPECT_THAT(resolved("${param.x}"), HasSubstr("did you mean 'params'?"));
  EXPECT_THAT(resolved("${params.x"), HasSubstr("there is no } at its end"));
  EXPECT_THAT(resolved("${params..x}"), HasSubstr("a key is missing"));
  EXPECT_THAT(resolved("${params.x y}"), HasSubstr("an unexpected sign"));
  EXPECT_THAT(resolved("${params}"), HasSubstr("it names nothing of them"));
  EXPECT_THAT(resolved("${secrets.A.b}"), HasSubstr("a secret has no keys"));
  EXPECT_THAT(resolved("${input.'a}"), HasSubstr("a key is missing"));
  EXPECT_EQ(resolve(json::Value("${x}"), scope()).error().code, ErrorCode::kInvalidInput);
}

TEST(Reference, CannotBlowAValueUp) {
  json::Object large;
  large.set("k", std::string(6'000'000, 'x'));
  auto with = scope();
  with.input = &large;
  EXPECT_TRUE(resolve(json::Value("${input.k}${input.k}"), with));
  EXPECT_EQ(resolve(json::Value("${input.k}${input.k}${input.k}"), with).error().code,
            ErrorCode::kExhausted);
}

TEST(Reference, SaysWhichSecretsAValueNames) {
  std::vector<Reference> found;
  std::vector<Problem> problems;
  auto value = *json::parse(R"(["${secrets.B} ${params.x}", {"k": "${secrets.A}${secrets.B}"},
                                "${wrong}"])");
  find_references(value, found, problems);
  EXPECT_THAT(secret_names(found), ElementsAre("A", "B"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].position, (json::Position{2, 33}));
  EXPECT_EQ(to_string(found[1]), "${params.x}");
}

}  // namespace
}  // namespace weir::pipeline
