#include "base/json_canonical.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>

namespace weir::json {
namespace {

std::string canonical(std::string_view text) {
  const auto value = parse(text);
  if (!value) return value.error().message;
  const auto result = canonical_text(*value);
  return result ? *result : result.error().message;
}

TEST(JsonCanonical, WritesTheExampleOfTheRfc) {  // RFC 8785, 3.2.2 to 3.2.4
  EXPECT_EQ(canonical(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })"),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(JsonCanonical, SortsKeysByTheirUtf16CodeUnits) {  // RFC 8785, 3.2.3
  EXPECT_EQ(canonical(R"({"\u20ac": "Euro Sign", "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"})"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
            "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
            "\"\U0001f600\":\"Emoji: Grinning Face\","
            "\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
  EXPECT_EQ(canonical(R"({"aa":1,"a":2,"":3,"ab":{"z":1,"b":[]}})"),
            R"({"":3,"a":2,"aa":1,"ab":{"b":[],"z":1}})");
}

TEST(JsonCanonical, WritesNumbersAsEcmascriptDoes) {  // RFC 8785, appendix B
  const std::pair<std::uint64_t, const char*> samples[] = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : samples) {
    EXPECT_EQ(*canonical_text(std::bit_cast<double>(bits)), text);
  }
}

TEST(JsonCanonical, WritesOneTextForEqualNumbers) {
  EXPECT_EQ(canonical("[1, 1.0, 10e-1, 120, -5]"), "[1,1,1,120,-5]");
}

TEST(JsonCanonical, RefusesWhatHasNoCanonicalForm) {
  const std::string what = "no canonical form: ";
  EXPECT_EQ(canonical("9007199254740993"), what + "9007199254740993 is no double");
  EXPECT_EQ(canonical("9223372036854775807"), what + "9223372036854775807 is no double");
  EXPECT_EQ(canonical("18446744073709551615"), what + "18446744073709551615 is no double");
  EXPECT_EQ(canonical("-9223372036854775808"), "-9223372036854776000");
  EXPECT_EQ(canonical(R"({"a":{"k":1,"j":2,"k":1}})"), what + "the key 'k' is given twice");
  EXPECT_FALSE(canonical_text(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(canonical_text(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(canonical_text("\xff"));
}

}  // namespace
}  // namespace weir::json
