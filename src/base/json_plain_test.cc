#include "base/json_plain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <string>

#include "base/json.h"

namespace weir::json {
namespace {

/// The text, and room for its members.
struct Plain {
  explicit Plain(std::string_view object)
      : text(std::string(object).append(kPlainPadding, '\0')),
        count(read_plain(text.data(), object.size(), members)) {}

  std::string text;
  std::array<FlatMember, 8> members;
  std::optional<std::size_t> count;
};

/// A value as somebody else may write it, who has escapes and spaces of all sorts.
class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}

  std::string object(int depth) {
    std::string text = "{";
    for (int left = pick(6); left > 0; --left) {
      text += space() + string() + space() + ":" + space() + value(depth) + space();
      if (left > 1) text += ',';
    }
    return text + space() + "}";
  }
  /// Some bytes are not what they were.
  std::string damaged(std::string text) {
    for (int left = pick(3); left > 0 && !text.empty(); --left) {
      const auto at = static_cast<std::size_t>(pick(static_cast<int>(text.size())));
      static constexpr std::string_view kBytes = "\"\\{}[],:019-+.eEu \n\x80\xc3\x01t";
      if (pick(2) == 0) text.erase(at, 1);
      text.insert(std::min(at, text.size()), 1, kBytes[static_cast<std::size_t>(pick(22))]);
    }
    return text;
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  std::string one_of(std::initializer_list<const char*> words) {
    return words.begin()[pick(static_cast<int>(words.size()))];
  }
  std::string space() { return one_of({"", "", "", " ", "\n", "\t\r "}); }
  std::string string() {
    std::string text = "\"";
    for (int left = pick(6); left > 0; --left) {
      text += one_of({"a", "key", "sixteen bytes and more", "\\n", "\\\"", "\\\\", "\\/", "\u00e9",
                      "\u20ac", "\U0001F600", "\\u0041", "\\ud83d\\ude00", "{[,:", "\x7f"});
    }
    return text + '"';
  }
  std::string number() {
    return one_of({"0",
                   "-0",
                   "7",
                   "-12",
                   "999999999999999999",
                   "9223372036854775807",
                   "9223372036854775808",
                   "-9223372036854775808",
                   "18446744073709551615",
                   "0.5",
                   "-0.0",
                   "78.780959",
                   "0.1000000000000000055511151231257827",
                   "9007199254740993.5",
                   "1e3",
                   "1.5E-7",
                   "2.2250738585072014e-308",
                   "4.9e-324",
                   "1e-400",
                   "1e309",
                   "123456789012345678.75",
                   "1E+2",
                   "0e5",
                   "0E11111111111111111111",
                   "1e-0001"});
  }
  std::string value(int depth) {
    switch (pick(depth > 0 ? 7 : 4)) {
      case 0:
        return number();
      case 1:
        return one_of({"true", "false", "null"});
      case 4:
      case 5: {
        std::string list = "[";
        for (int left = pick(4); left > 0; --left) {
          list += space() + value(depth - 1) + (left > 1 ? "," : "");
        }
        return list + space() + "]";
      }
      case 6:
        return object(depth - 1);
      default:
        return string();
    }
  }

  std::mt19937 random_;
};

void expect_equal(const FlatMember& a, const FlatMember& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.boolean, b.boolean);
  EXPECT_EQ(a.integer, b.integer);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.number), std::bit_cast<std::uint64_t>(b.number));
  EXPECT_EQ(a.all_strings, b.all_strings);
  EXPECT_EQ(a.text, b.text);
}

/// The same object with one member more, which only simdjson reads.
std::string with_unusual_member(std::string object) {
  object.resize(object.find_last_of('}'));
  const bool is_empty = object.find('"') == std::string::npos;
  return object + (is_empty ? "" : ",") + R"("\u0061":0})";
}

// What it takes is what simdjson makes of the text, and what simdjson refuses it does not take.
TEST(JsonPlain, TakesNothingThatSimdjsonDoesNotAndGivesTheSame) {
  FlatReader simdjson;
  int taken = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    RandomJson random(seed);
    auto object = random.object(3);
    if (seed % 2 == 1) object = random.damaged(object);
    const Plain plain(object);
    if (!plain.count) continue;
    SCOPED_TRACE(object);
    ++taken;
    const auto members = simdjson.read(with_unusual_member(object));
    ASSERT_TRUE(members) << members.error().message;
    ASSERT_EQ(members->size(), *plain.count + 1);
    for (std::size_t i = 0; i < *plain.count; ++i) expect_equal(plain.members[i], (*members)[i]);
  }
  EXPECT_GT(taken, 4'000);
}

TEST(JsonPlain, TakesWhatEventsAreWrittenIn) {
  for (const auto* object :
       {"{}", " { } ", R"({"a":"b"})",
        R"({"a" : -1 , "b":[ "x" , "y" ],"c":{"d":[{}]}})"
        "\r",
        R"({"message":"a \"word\"\nand \\","é":"ü"})",
        R"({"a":0.1,"b":12.345678901234567,"c":1e-9})", R"({"a":true,"b":false,"c":null})"}) {
    EXPECT_TRUE(Plain(object).count) << object;
  }
  EXPECT_EQ(Plain(R"({"message":"a \"word\"\nand \\"})").members[0].text, "a \"word\"\nand \\");
}

TEST(JsonPlain, LeavesTheRestToOthers) {
  for (const auto* object : {"",
                             " ",
                             "{",
                             "[1]",
                             R"({"a":"\u0041"})",
                             R"({"a":[)",
                             R"({"a":01})",
                             R"({"a":1.})",
                             R"({"a":.5})",
                             R"({"a":+1})",
                             R"({"a":1e})",
                             R"({"a":1e309})",
                             R"({"a":0E1})",
                             R"({"a":1e0001})",
                             R"({"a":tru})",
                             R"({"a":nulll})",
                             R"({"a":"b)",
                             R"({"a":"b\)",
                             R"({"a":1,})",
                             R"({"a" 1})",
                             R"({"a":1} x)",
                             R"({"a":99999999999999999999})",
                             "{\"a\":\"\x01\"}",
                             "{\"a\":\"\x80\"}",
                             "{\"a\":\"\xed\xa0\x80\"}",
                             "{\"a\":\"\xc3"}) {
    EXPECT_FALSE(Plain(object).count) << object;
  }
  EXPECT_FALSE(Plain(std::string_view("{\"a\":1}\0", 8)).count);
  const std::string open(kMaxPlainDepth, '['), close(open.size(), ']');
  EXPECT_FALSE(Plain("{\"a\":" + open + close + "}").count);
  std::string many = "{\"a\":1";
  for (int i = 0; i < 8; ++i) many += ",\"a\":1";
  EXPECT_FALSE(Plain(many + "}").count);
}

}  // namespace
}  // namespace weir::json
