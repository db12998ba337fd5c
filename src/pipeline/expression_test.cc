#include "pipeline/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

using testing::HasSubstr;

/// "true", "false", or what is wrong.
std::string value_of(std::string_view text) {
  static const json::Object params =
      *json::parse(
           R"({"n": 3, "half": 0.5, "yes": true, "name": "it", "list": [1], "big": 9007199254740993})")
           ->object();
  const auto expression = Expression::parse(text);
  if (!expression) return expression.error().message;
  const auto value = expression->evaluate({.params = &params});
  if (!value) return value.error().message;
  return *value ? "true" : "false";
}

TEST(Expression, ComparesNumbersAndTexts) {
  EXPECT_EQ(value_of("${params.n} == 3"), "true");
  EXPECT_EQ(value_of("${params.n} == 3.0"), "true");
  EXPECT_EQ(value_of("${params.n} != 3"), "false");
  EXPECT_EQ(value_of("${params.half} < 1"), "true");
  EXPECT_EQ(value_of("3 <= ${params.n}"), "true");
  EXPECT_EQ(value_of("${params.n} > 3"), "false");
  EXPECT_EQ(value_of("${params.n} >= 3"), "true");
  EXPECT_EQ(value_of("-1.5e2 < -100"), "true");
  EXPECT_EQ(value_of("${params.name} == 'it'"), "true");
  EXPECT_EQ(value_of("\"a's\" < 'b'"), "true");
  EXPECT_EQ(value_of("${params.n} == '3'"), "false");
  EXPECT_EQ(value_of("${params.yes} == true"), "true");
  EXPECT_EQ(value_of("${params.big} == 9007199254740992"), "false");
}

TEST(Expression, BindsNotTighterThanAndTighterThanOr) {
  EXPECT_EQ(value_of("true or false and false"), "true");
  EXPECT_EQ(value_of("(true or false) and false"), "false");
  EXPECT_EQ(value_of("not false and false"), "false");
  EXPECT_EQ(value_of("not (false and false)"), "true");
  EXPECT_EQ(value_of("not 1 == 2"), "true");
  EXPECT_EQ(value_of("not not true"), "true");
  EXPECT_EQ(value_of("${params.yes}"), "true");
}

TEST(Expression, LooksNoFurtherThanItNeeds) {
  EXPECT_EQ(value_of("true or 1"), "true");
  EXPECT_EQ(value_of("false and 1"), "false");
  EXPECT_EQ(value_of("true and 1"), "character 10: this is a number, true or false is expected");
}

TEST(Expression, TakesWhatIsNotThereForNull) {
  EXPECT_EQ(value_of("${params.none} == null"), "true");
  EXPECT_EQ(value_of("${nodes.a.k} == null"), "true");
  EXPECT_EQ(value_of("${params.n} == null"), "false");
}

TEST(Expression, RefusesOperatorsOnWhatTheyAreNotFor) {
  EXPECT_EQ(value_of("1 + 2"), "character 3: an operator or the end is expected");
  EXPECT_EQ(value_of("${params.n} < 'a'"),
            "character 13: a number and a string have no order: two numbers or two texts are "
            "expected");
  EXPECT_THAT(value_of("${params.list} < 2"), HasSubstr("a list and a number have no order"));
  EXPECT_EQ(value_of("3"), "character 1: this is a number, true or false is expected");
  EXPECT_EQ(value_of("not 'a'"), "character 5: this is a string, true or false is expected");
}

TEST(Expression, SaysWhereItIsWrong) {
  EXPECT_EQ(value_of(""), "character 1: a value is expected, this is the end");
  EXPECT_EQ(value_of("true and"), "character 9: a value is expected, this is the end");
  EXPECT_THAT(value_of("true and orange"), HasSubstr("character 10: a value is expected:"));
  EXPECT_EQ(value_of("(true"), "character 1: this parenthesis is never closed");
  EXPECT_EQ(value_of("true)"), "character 5: an operator or the end is expected");
  EXPECT_EQ(value_of("'a"), "character 1: this text has no end");
  EXPECT_EQ(value_of("1 < 2 < 3"), "character 6: comparisons are joined with 'and'");
  EXPECT_EQ(value_of("1.2.3 == 1"), "character 1: not a number as JSON writes them");
  EXPECT_THAT(value_of("1 == ${parms.x}"), HasSubstr("character 6: '${parms.x}'"));
  EXPECT_EQ(value_of("1 == $x"), "character 6: a reference begins with ${");
}

TEST(Expression, HasLimits) {
  const std::string open(Expression::kMaxDepth, '('), close(Expression::kMaxDepth, ')');
  EXPECT_EQ(value_of(open + "true" + close), "true");
  EXPECT_THAT(value_of("(" + open + "true" + close + ")"), HasSubstr("nested more than 64 deep"));
  std::string chain = "true";
  while (chain.size() + 9 < Expression::kMaxBytes) chain += " and true";
  EXPECT_EQ(value_of(chain), "true");
  EXPECT_THAT(value_of(chain + std::string(20, ' ')), HasSubstr("longer than 4096 bytes"));
}

TEST(Expression, KnowsItsReferences) {
  const auto expression = Expression::parse("${params.a} == ${nodes.b.k} or ${item}");
  ASSERT_TRUE(expression);
  ASSERT_EQ(expression->references().size(), 3U);
  EXPECT_EQ(to_string(expression->references()[1]), "${nodes.b.k}");
}

}  // namespace
}  // namespace weir::pipeline
