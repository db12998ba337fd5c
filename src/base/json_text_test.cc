#include "base/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::json {
namespace {

using ::testing::ElementsAre;

TEST(JsonText, AStringEndsAtAQuoteThatIsNotEscaped) {
  EXPECT_EQ(string_size(R"("ab" c")"), 4U);
  EXPECT_EQ(string_size(R"("a\"b")"), 6U);
  EXPECT_EQ(string_size(R"("a\\" b")"), 5U);
  EXPECT_EQ(string_size(R"("")"), 2U);
  EXPECT_EQ(string_size(R"("a\")"), std::string_view::npos);
  EXPECT_EQ(string_size("\""), std::string_view::npos);
}

TEST(JsonText, ListsOfStringsAreTakenApart) {
  std::vector<std::string> items{"before"};
  append_strings(R"([ "a" , "b,[" ])", items);
  append_strings(R"(["\u0041\"","\n"])", items);
  append_strings("[]", items);
  EXPECT_THAT(items, ElementsAre("before", "a", "b,[", "A\"", "\n"));
}

TEST(JsonText, SpaceBetweenThePartsOfAValueIsLeftOut) {
  std::string out = "x";
  append_compact(out, " { \"a b\" :\t[ 1.50 ,\r\n \"c \\\" d\" , null ] } \n");
  EXPECT_EQ(out, R"(x{"a b":[1.50,"c \" d",null]})");
}

TEST(JsonText, IsAsDeepAsItsListsAndObjects) {
  EXPECT_EQ(depth_of("1"), 0);
  EXPECT_EQ(depth_of(R"("[[[")"), 0);
  EXPECT_EQ(depth_of(R"([1,{"a]":[]},[]])"), 3);
}

}  // namespace
}  // namespace weir::json
