#include "report/json_difference.h"

#include <gtest/gtest.h>

namespace weir::report {
namespace {

std::optional<JsonDifference> between(std::string_view left, std::string_view right) {
  return first_difference(json::parse(left).value(), json::parse(right).value());
}

TEST(JsonDifference, IsNoneBetweenValuesThatSayTheSame) {
  EXPECT_EQ(between(R"({"a":[1,{"b":null}],"c":"x"})", R"({"c":"x","a":[1.0,{"b":null}]})"),
            std::nullopt);
}

TEST(JsonDifference, IsTheFirstPlaceAndWhatStandsThere) {
  EXPECT_EQ(between(R"({"rows":[{"n":1},{"n":2,"m":3}]})", R"({"rows":[{"n":1},{"n":4,"m":5}]})"),
            (JsonDifference{"rows[1].n", "2", "4"}));
  EXPECT_EQ(between(R"({"a":1})", R"([1])"), (JsonDifference{"", R"({"a":1})", "[1]"}));
  EXPECT_EQ(between(R"({"a b":{"":true}})", R"({"a b":{"":false}})"),
            (JsonDifference{R"(["a b"][""])", "true", "false"}));
}

TEST(JsonDifference, NamesWhatOnlyOneHas) {
  EXPECT_EQ(between(R"({"a":1,"b":2})", R"({"a":1})"), (JsonDifference{"b", "2", ""}));
  EXPECT_EQ(between(R"({"a":1})", R"({"a":1,"b":2})"), (JsonDifference{"b", "", "2"}));
  EXPECT_EQ(between("[1]", "[1,2]"), (JsonDifference{"[1]", "", "2"}));
  EXPECT_EQ(between("[1,2]", "[1]"), (JsonDifference{"[1]", "2", ""}));
}

TEST(JsonDifference, ShowsTheBeginningOfLongValues) {
  const auto found =
      between("\"" + std::string(1000, 'a') + "\"", "\"" + std::string(1000, 'b') + "\"");
  ASSERT_TRUE(found);
  EXPECT_LT(found->left.size(), 210U);
  EXPECT_TRUE(found->left.ends_with("…"));
}

}  // namespace
}  // namespace weir::report
