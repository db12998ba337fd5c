#include "base/json_pull.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace weir::json {
namespace {

/// What a reader finds, written again; or what is wrong, and where.
void put_found(PullReader& reader, std::string& out) {
  switch (reader.peek()) {
    case Kind::kObject: {
      reader.begin_object();
      out += '{';
      for (std::string_view key; reader.next_member(key);) {
        out.append(key).append("=");
        put_found(reader, out);
        out += ' ';
      }
      out += '}';
      break;
    }
    case Kind::kArray:
      reader.begin_array();
      out += '[';
      while (reader.next_item()) {
        put_found(reader, out);
        out += ' ';
      }
      out += ']';
      break;
    case Kind::kString:
      out.append("'").append(reader.string()).append("'");
      break;
    case Kind::kBoolean:
      out += reader.boolean() ? "yes" : "no";
      break;
    case Kind::kNull:
      reader.null();
      out += "null";
      break;
    case Kind::kInteger:
    case Kind::kNumber:
      out += reader.number().text;
      break;
  }
}

std::string found(std::string_view text) {
  // In memory of its own, without a byte after it that could be read by mistake.
  const std::vector<char> exact(text.begin(), text.end());
  PullReader reader({exact.data(), exact.size()});
  std::string out;
  put_found(reader, out);
  reader.end();
  if (!reader.failed()) return out;
  return "byte " + std::to_string(reader.offset()) + ": " + reader.what();
}

TEST(JsonPull, ReadsValuesOfEveryKind) {
  EXPECT_EQ(found(R"( {"a" : [ 1 , -2.5e3,"x", true,false , null ] ,"b":{}, "c":[]} )"),
            "{a=[1 -2.5e3 'x' yes no null ] b={} c=[] }");
  EXPECT_EQ(found("0"), "0");
  EXPECT_EQ(found(R"("")"), "''");
}

TEST(JsonPull, TakesEscapesOutOfStringsAndNames) {
  EXPECT_EQ(found(R"({"\u0061\n":"\"\\\/\b\f\r\t\u00e9\u20ac\ud83d\ude00"})"),
            "{a\n='\"\\/\b\f\r\té€😀' }");
  EXPECT_EQ(found(R"("\ud83d-\ude00-\ud83dx")"), "'\xEF\xBF\xBD-\xEF\xBF\xBD-\xEF\xBF\xBDx'")
      << "half a pair";
  EXPECT_EQ(found("\"a long text without an escape, and then \\u0041 one of them\""),
            "'a long text without an escape, and then A one of them'");
}

TEST(JsonPull, ReadsNumbersOfAnySize) {
  const auto number = [](std::string_view text) {
    PullReader reader(text);
    const auto read = reader.number();
    EXPECT_EQ(read.text, text);
    return read;
  };
  EXPECT_EQ(number("-9223372036854775808").integer, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("9223372036854775808").kind, Kind::kNumber);
  EXPECT_EQ(number("9223372036854775808").number, 9223372036854775808.0);
  EXPECT_EQ(number("100000000000000000000").number, 1e20);
  EXPECT_EQ(number("1e400").number, std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("-1e400").number, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("1e-400").number, 0);
  EXPECT_TRUE(std::signbit(number("-0").number));
}

TEST(JsonPull, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(found(""), "byte 0: the text ends where a value should be");
  EXPECT_EQ(found(R"({"a":1,})"), "byte 7: a name in quotes should be here");
  EXPECT_EQ(found("[1,]"), "byte 3: there is no value");
  EXPECT_EQ(found("[1 2]"), "byte 3: a comma should be here");
  EXPECT_EQ(found(R"({"a" 1})"), "byte 5: a colon should be here");
  EXPECT_EQ(found("[1"), "byte 2: the text ends in a list or an object");
  EXPECT_EQ(found("\"a"), "byte 0: a string has no end, or a control character in it");
  EXPECT_EQ(found("\"a\nb\""), "byte 0: a string has no end, or a control character in it");
  EXPECT_EQ(found(R"("\x")"), "byte 1: a backslash before what needs none");
  EXPECT_EQ(found(R"("\u12")"), "byte 1: \\u without four hexadecimal digits");
  EXPECT_EQ(found("01"), "byte 1: more text after the value");
  EXPECT_EQ(found("-"), "byte 0: a number should be here");
  EXPECT_EQ(found("nul"), "byte 0: there is no value");
  EXPECT_EQ(found("{} {}"), "byte 3: more text after the value");
}

TEST(JsonPull, FindsNothingMoreAfterAFailure) {
  PullReader reader(R"([1,{"a":2}])");
  reader.begin_array();
  ASSERT_TRUE(reader.next_item());
  EXPECT_EQ(reader.string(), "");
  std::string_view key;
  EXPECT_FALSE(reader.next_item());
  EXPECT_FALSE(reader.next_member(key));
  EXPECT_EQ(reader.peek(), Kind::kNull);
  EXPECT_EQ(reader.offset(), 1U) << "the first one counts";
}

TEST(JsonPull, ReadsLaterWhatItDefers) {
  PullReader reader(R"({"a": [1, {"x": "]}\""}, []] ,"b":"\u0062"})");
  reader.begin_object();
  std::string_view key;
  ASSERT_TRUE(reader.next_member(key));
  const auto deferred = reader.defer();
  EXPECT_EQ(deferred, R"([1, {"x": "]}\""}, []])");
  ASSERT_TRUE(reader.next_member(key));
  EXPECT_EQ(reader.defer(), R"("\u0062")");
  EXPECT_FALSE(reader.next_member(key));
  const auto* const after = reader.position();
  reader.go_to(deferred.data());
  std::string out;
  put_found(reader, out);
  EXPECT_EQ(out, "[1 {x=']}\"' } [] ]");
  reader.go_to(after);
  reader.end();
  EXPECT_FALSE(reader.failed());
}

TEST(JsonPull, SkipsOnlyWhatIsJson) {
  const auto skips = [](std::string_view text) {
    PullReader reader(text);
    reader.skip();
    reader.end();
    return !reader.failed();
  };
  EXPECT_TRUE(skips(R"({"a":[1,"\u0041",{"b":null}]})"));
  EXPECT_FALSE(skips(R"({"a":[1})"));
  EXPECT_FALSE(skips(R"({"a":tru})"));
  EXPECT_TRUE(skips(std::string(200, '[') + std::string(200, ']')));
  EXPECT_FALSE(skips(std::string(201, '[') + std::string(201, ']')));
}

// Wherever a text is cut off it is no JSON any more, and nothing beyond its end is looked at.
TEST(JsonPull, FailsWhereverItsTextIsCutOff) {
  constexpr std::string_view kText = R"({"name \u0041":[-12.5e+3,true,null,"é\n"],"x":{"y":"z"}})";
  for (std::size_t size = 0; size < kText.size(); ++size) {
    EXPECT_TRUE(found(kText.substr(0, size)).starts_with("byte ")) << size;
  }
}

}  // namespace
}  // namespace weir::json
