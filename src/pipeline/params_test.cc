#include "pipeline/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

using testing::ElementsAre;

const Params kDeclared = {
    {"day", {.type = ParamType::kInteger, .required = true}},
    {"ratio", {.type = ParamType::kNumber, .fallback = json::Value(0.5)}},
    {"name", {}},
    {"tags", {.type = ParamType::kList}},
};

/// The parameters as JSON, or the problems.
std::string bound(std::string_view given) {
  const auto result = pipeline::bind(kDeclared, *json::parse(given)->object());
  if (result) return json::to_text(*result);
  std::string text;
  for (const auto& problem : result.error()) text += problem.message + "\n";
  return text;
}

TEST(Params, AreWhatIsGivenElseTheDefaultElseNull) {
  EXPECT_EQ(bound(R"({"day": 3})"), R"({"day":3,"name":null,"ratio":0.5,"tags":null})");
  EXPECT_EQ(bound(R"({"ratio": 2, "tags": [1], "name": "x", "day": -1})"),
            R"({"day":-1,"name":"x","ratio":2,"tags":[1]})");
}

TEST(Params, SayEverythingThatIsWrongWithWhatIsGiven) {
  EXPECT_EQ(bound(R"({"dai": 1, "ratio": "2", "tags": {}})"),
            "the pipeline has no parameter 'dai', did you mean 'day'? (known: day, name, ratio, "
            "tags)\n"
            "parameter 'ratio' is a string, its type is number\n"
            "parameter 'tags' is an object, its type is list\n"
            "parameter 'day' is not given, and has no default\n");
  EXPECT_EQ(bound(R"({"day": 1.5})"), "parameter 'day' is a number, its type is integer\n");
}

TEST(Params, OnTheCommandLineAreJsonOfTheirTypeElseText) {
  const auto value = [](ParamType type, std::string_view text) {
    return json::to_text(param_value({.type = type}, text));
  };
  EXPECT_EQ(value(ParamType::kInteger, "3"), "3");
  EXPECT_EQ(value(ParamType::kInteger, "three"), R"("three")");
  EXPECT_EQ(value(ParamType::kString, "3"), R"("3")");
  EXPECT_EQ(value(ParamType::kString, R"("3")"), R"("3")");
  EXPECT_EQ(value(ParamType::kString, "{a"), R"("{a")");
  EXPECT_EQ(value(ParamType::kBoolean, "true"), "true");
  EXPECT_EQ(value(ParamType::kList, "[1, 2]"), "[1,2]");
  EXPECT_EQ(value(ParamType::kObject, R"({"a": 1})"), R"({"a":1})");
}

}  // namespace
}  // namespace weir::pipeline
