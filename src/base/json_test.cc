#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "base/json_flat.h"
#include "base/yaml.h"

namespace weir::json {
namespace {

using ::testing::StartsWith;

std::string round_trip(std::string_view text) {
  const auto value = parse(text);
  return value ? to_text(*value) : value.error().message;
}

TEST(Json, WritesWhatItRead) {
  for (const char* text :
       {R"({"a":1,"b":[true,false,null],"c":{"d":"x\"\\\n\u0001é😀"}})", "-9223372036854775808",
        "18446744073709551615", "0.1", "5.0", "1e+300", "[]", "{}", "\"\"", "null"}) {
    EXPECT_EQ(round_trip(text), text);
  }
}

TEST(Json, ReadsEscapesAndSurrogatePairs) {
  EXPECT_EQ(round_trip(R"("\ud83d\ude00\/\u00e9")"), "\"😀/é\"");
}

TEST(Json, KeepsKeysInOrderAndFindsTheLastOfTwo) {
  const auto value = parse(R"({"b":1,"a":2,"b":3})");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_text(*value), R"({"b":1,"a":2,"b":3})");
  EXPECT_EQ(*value->object()->find("b"), Value(3));
}

TEST(Json, UpdateReplacesInPlaceAndAppendsTheRest) {
  for (const int extra : {0, 100}) {  // with and without the index
    Object object = *parse(R"({"a":1,"b":2})")->object();
    Object other = *parse(R"({"b":3,"c":4})")->object();
    for (int i = 0; i < extra; ++i) other.append({"k" + std::to_string(i), Value(i)});
    object.update(other);
    EXPECT_THAT(to_text(object), StartsWith(R"({"a":1,"b":3,"c":4)"));
    EXPECT_EQ(object.size(), 3U + static_cast<std::size_t>(extra));
  }
}

TEST(Json, KnowsWhereEveryKeyAndValueStands) {
  const auto value = parse("{\n  \"é\": [1,\n    {\"x\": 2}]\n}");
  ASSERT_TRUE(value);
  const auto& member = *value->object()->begin();
  EXPECT_EQ(member.position, (Position{2, 3}));
  EXPECT_EQ(member.value.position, (Position{2, 8}));
  EXPECT_EQ((*member.value.array())[1].object()->find("x")->position, (Position{3, 11}));
}

TEST(Json, ReadsALongNumberByItselfAsInAList) {
  for (const std::string number :
       {"110001000110111854779", "-110001000110111854779", "18446744073709551615",
        "18446744073709551616", "-9223372036854775808", "0.12345678901234567890123",
        "123456789012345678901234567890e-10"}) {
    EXPECT_EQ(*parse(number + " "), parse("[" + number + "]")->array()->front()) << number;
  }
  EXPECT_FALSE(parse("110001000110111854779 1"));
}

TEST(Json, KnowsWhereAValueByItselfStands) {
  const auto position = parse("\n \"text\" ")->position;
  EXPECT_EQ(position.line, 2U);
  EXPECT_EQ(position.column, 2U);
}

TEST(Json, SaysWhereTheTextIsWrong) {
  EXPECT_THAT(parse("{\"a\": 1,\n \"b\": nul}").error().message, StartsWith("2:7: "));
  EXPECT_THAT(parse("{} x").error().message, StartsWith("1:4: more text"));
  EXPECT_THAT(parse("").error().message, StartsWith("1:1: empty"));
  EXPECT_THAT(parse("[\"a\xff\"]").error().message, StartsWith("1:4: not UTF-8"));
  EXPECT_THAT(parse("[1e400]").error().message, StartsWith("1:2: not a number, or one that does"));
  EXPECT_THAT(parse(std::string(300, '[') + std::string(300, ']')).error().message,
              testing::HasSubstr("nested more than 200 levels deep"));
}

TEST(Json, ReadsAWordByItselfToItsEnd) {
  EXPECT_EQ(parse(" false\n"), Value(false));
  EXPECT_EQ(parse("null"), Value(nullptr));
  for (const std::string_view text : {"false$", "truex", "null1", "true,", "tru", "nul"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(Json, WritesInvalidUtf8AsReplacementCharacters) {
  EXPECT_EQ(to_text("a\xff\xc3(\xe2\x82"), "\"a\uFFFD\uFFFD(\uFFFD\uFFFD\"");
}

// https://github.com/nst/JSONTestSuite: y_ must be read, n_ refused, i_ may be either.
/// Every byte in every place of those that are looked at together, before and after others.
TEST(Json, EscapesEveryByteWhereverItStands) {
  const auto escaped = [](std::string_view text) {
    std::string quoted;
    json::append_string(quoted, text);
    return quoted.substr(1, quoted.size() - 2);
  };
  for (const std::size_t size : {1U, 2U, 3U, 4U, 7U, 8U, 9U, 15U, 16U, 17U, 20U, 33U}) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      for (const char filler : {' ', '~', '!', '[', ']', '\x7f'}) {
        const auto one = escaped({&c, 1}), other = escaped({&filler, 1});
        for (std::size_t place = 0; place < size; ++place) {
          std::string text(size, filler), expected = "\"";
          text[place] = c;
          for (std::size_t i = 0; i < size; ++i) expected += i == place ? one : other;
          expected += '"';
          std::string appended;
          json::append_string(appended, text);
          ASSERT_EQ(appended, expected);
          std::vector<char> put(6 * size + 18);
          ASSERT_EQ(std::string(put.data(), json::put_string(put.data(), text)), expected);
        }
      }
    }
  }
}

/// Sequences of UTF-8, whole and broken, over the ends of what is looked at together.
TEST(Json, PutsWhatItAppends) {
  for (const std::string_view part :
       {"\u00e9", "\u20ac", "\U0001F600", "\xe2\x82", "\xff", "\"\\"}) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (std::size_t after = 0; after < 20; ++after) {
        const auto text =
            std::string(before, 'x').append(part).append(part) + std::string(after, 'y');
        std::string appended;
        json::append_string(appended, text);
        std::vector<char> put(6 * text.size() + 18);
        ASSERT_EQ(std::string(put.data(), json::put_string(put.data(), text)), appended);
      }
    }
  }
  char empty[18];
  EXPECT_EQ(std::string(empty, json::put_string(empty, "")), "\"\"");
}

/// The shortest form that reads as the number, with a point in it.
std::string shortest(double value) {
  char text[kMaxNumber];
  std::string form(text, std::to_chars(text, text + sizeof text, value).ptr);
  return form.find_first_of(".e") == std::string::npos ? form + ".0" : form;
}

TEST(Json, PutsEachNumberInItsShortestForm) {
  const auto put = [](double value) {
    char text[kMaxNumber];
    return std::string(text, put_double(text, value));
  };
  std::mt19937_64 random(12);
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = random();
    const auto millionths = static_cast<double>(bits >> (18 + bits % 46)) / 1e6;  // any size
    for (const double value :
         {millionths, -millionths, std::nextafter(millionths, 1e300), millionths / 3}) {
      ASSERT_EQ(put(value), shortest(value));
    }
  }
  for (const double value : {0.0, 0.001, 0.000999, 0.01, 1.0, 9.5, 20'000.0, 99'999.999999, 1e5,
                             1e-4, 123456.5, 0.1 + 0.2}) {
    EXPECT_EQ(put(value), shortest(value));
  }
  EXPECT_EQ(put(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(Json, EscapesSingleBytesAsTheStandardSays) {
  const auto escaped = [](char c) {
    std::string text;
    json::append_string(text, {&c, 1});
    return text;
  };
  EXPECT_EQ(escaped('"'), R"("\"")");
  EXPECT_EQ(escaped('\\'), R"("\\")");
  EXPECT_EQ(escaped('\n'), R"("\n")");
  EXPECT_EQ(escaped('\x01'), R"("\u0001")");
  EXPECT_EQ(escaped('\x1f'), R"("\u001f")");
  EXPECT_EQ(escaped('\x7f'), "\"\x7f\"");
  EXPECT_EQ(escaped('\x80'), "\"\xEF\xBF\xBD\"");
}

TEST(JsonFlat, RefusesNestedValuesThatAreNoJson) {
  FlatReader reader;
  for (const auto* nested :
       {"[1 2]", "[1,]", "{\"b\" 1}", "[nul]", "{\"b\":[\"\\x\"]}", "[01]", "[,]"}) {
    EXPECT_FALSE(reader.read("{\"a\":" + std::string(nested) + "}")) << nested;
  }
  const std::string object = R"({"b": [1, null, {"c": "\u00e9"}, -1e3, true]})";
  const auto members = reader.read("{\"a\": " + object + " , \"d\": []}");
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ(members->front().text, object);
  EXPECT_EQ(members->back().text, "[]");
  const auto scalars = reader.read("{\"a\": true , \"b\": -1.50\n}");
  ASSERT_TRUE(scalars);
  EXPECT_EQ(scalars->front().text, "true");
  EXPECT_EQ(scalars->back().text, "-1.50");
}

TEST(JsonFlat, LimitsTheDepthAsParseDoes) {
  FlatReader reader;
  for (const int depth : {kMaxDepth - 1, kMaxDepth}) {
    const auto brackets = static_cast<std::size_t>(depth);
    const auto line = "{\"a\":" + std::string(brackets, '[') + std::string(brackets, ']') + "}";
    EXPECT_EQ(reader.read(line).has_value(), parse(line).has_value()) << depth;
    EXPECT_EQ(reader.read(line).has_value(), depth < kMaxDepth);
  }
}

TEST(Yaml, ReadsTheValueThatTheSameJsonGives) {
  const auto value =
      yaml::parse("a: 1\nb: [x, 'true', true, ~, 0x10, 1.5, yes]\nc:\n  d: |\n    t\n");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_text(*value), R"({"a":1,"b":["x","true",true,null,16,1.5,"yes"],"c":{"d":"t\n"}})");
}

TEST(Yaml, RepeatsWhatAnAliasNames) {
  const auto value = yaml::parse("a: &x {k: [1, 2]}\nb: *x\nc: [*x]\n");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(to_text(*value), R"({"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]}]})");
}

TEST(Yaml, KnowsWhereEveryKeyAndValueStands) {
  const auto value = yaml::parse("a: 1\nb:\n  - x: 2\n");
  const auto& b = *value->object()->find("b");
  EXPECT_EQ((*b.array())[0].object()->begin()->position, (Position{3, 5}));
  EXPECT_EQ((*b.array())[0].object()->begin()->value.position, (Position{3, 8}));
}

TEST(Yaml, TakesWhatIsNoNumberForText) {
  for (const auto* text : {"+-5", "0x-5", "0o-7", "++5", "0x", "+"}) {
    EXPECT_EQ(*yaml::parse(text), Value(text)) << text;
  }
  EXPECT_EQ(*yaml::parse("+5"), Value(5));
  EXPECT_EQ(*yaml::parse("0x1F"), Value(31));
}

TEST(Yaml, RefusesWhatLooksLikeAnotherEncoding) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(yaml::parse("a\0\0\0:\0\0\0"sv).error().message, "1:2: a zero byte");
  EXPECT_EQ(yaml::parse("a: 1\nb: é\0"sv).error().message, "2:5: a zero byte");
  EXPECT_EQ(yaml::parse("a: é\xff").error().message, "1:5: not UTF-8");
}

TEST(Yaml, RefusesEscapesThatItsParserMakesSingleBytesOf) {
  EXPECT_EQ(*yaml::parse(R"(a: "\x85\xA0\u2028")"), *parse(R"({"a": "\u0085\u00a0\u2028"})"));
  EXPECT_THAT(yaml::parse(R"(a: "\N")").error().message, StartsWith("1:4: not YAML: an escape"));
  EXPECT_THAT(yaml::parse(R"("\_": 1)").error().message, StartsWith("1:1: not YAML: an escape"));
}

TEST(Yaml, CountsWhatAnAliasStandsForInItsDepth) {
  const auto nested = [](std::size_t depth, const std::string& inner) {
    return std::string(depth, '[') + inner + std::string(depth, ']');
  };
  const auto of = [&](std::size_t outer) {
    return "- &a " + nested(100, "1") + "\n- " + nested(outer, "*a") + "\n";
  };
  EXPECT_TRUE(yaml::parse(of(98)));
  EXPECT_TRUE(parse(to_text(*yaml::parse(of(98)))));
  EXPECT_THAT(yaml::parse(of(99)).error().message, testing::HasSubstr("nested more than 200"));
}

TEST(Yaml, CountsCharactersInColumns) {
  const auto value = yaml::parse("é: [ü, {€: 😀, a: 1}]\n");
  ASSERT_TRUE(value);
  const auto& list = *value->object()->begin()->value.array();
  EXPECT_EQ(list[0].position, (Position{1, 5}));
  EXPECT_EQ(list[1].object()->find("a")->position, (Position{1, 18}));
}

TEST(Yaml, SaysTheEndWhereTheTextEndsTooEarly) {
  EXPECT_THAT(yaml::parse(R"("\u06)").error().message, StartsWith("1:6: not YAML"));
}

TEST(Yaml, RefusesWhatItCannotTakeAndSaysWhere) {
  EXPECT_THAT(yaml::parse("a: [1,\nb: 2").error().message,
              testing::ContainsRegex("^[0-9]+:[0-9]+: "));
  EXPECT_THAT(yaml::parse("a: 1\n---\nb: 2\n").error().message, StartsWith("1:1: more than one"));
  EXPECT_THAT(yaml::parse("a: \xff").error().message, StartsWith("1:4: not UTF-8"));
  EXPECT_FALSE(yaml::parse(std::string(5000, '[')));
  EXPECT_FALSE(yaml::parse("{a: 1},\n{b: 2}\n"));  // some ways to read this never end
  EXPECT_THAT(yaml::parse("{[a]: 1}").error().message,
              testing::HasSubstr("a key must be a plain word"));
  EXPECT_FALSE(yaml::parse("a: &x [*x]"));
}

TEST(Yaml, RefusesAliasesThatBlowTheDocumentUp) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto name = std::to_string(i), before = std::to_string(i - 1);
    bomb += "a" + name + ": &a" + name + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ",*a" : "*a") + before;
    bomb += "]\n";
  }
  EXPECT_THAT(yaml::parse(bomb).error().message, testing::HasSubstr("more than a million values"));
}

}  // namespace
}  // namespace weir::json
