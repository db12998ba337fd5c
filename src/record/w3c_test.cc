#include "record/w3c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "record/context_carrier.h"

namespace weir::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kTraceId = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kTraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string with(std::size_t offset, std::string_view replacement) {
  return std::string(kTraceParent).replace(offset, replacement.size(), replacement);
}

std::string text_of(std::string_view tracestate) {
  const auto state = Tracestate::parse(tracestate);
  return state ? state->text() : "invalid";
}

Tracestate tracestate(std::string_view text) { return *Tracestate::parse(text); }

TEST(Traceparent, SaysItsFourFields) {
  const auto parent = Traceparent::parse(kTraceParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id.text(), kTraceId);
  EXPECT_EQ(parent->parent_id.value, 0xb7ad6b7169203331U);
  EXPECT_EQ(parent->flags, kSampledFlag);
  EXPECT_EQ(parent->text(), kTraceParent);
}

TEST(Traceparent, IsIgnoredWhenAnyFieldIsInvalid) {
  for (const auto& text :
       {std::string(), std::string(kTraceParent.substr(0, 54)), std::string(kTraceParent) + "0",
        std::string(kTraceParent) + "-00", with(0, "ff"), with(0, "0A"), with(0, ".0"),
        with(2, "_"), with(35, "0"), with(52, "0"), with(3, "A"), with(3, "g"), with(36, "B"),
        with(53, "0A"), with(53, ".0"), with(3, std::string(32, '0')),
        with(36, std::string(16, '0'))}) {
    EXPECT_FALSE(Traceparent::parse(text)) << text;
  }
}

TEST(Traceparent, OfALaterVersionIsReadByItsFirstFieldsAndSentAsVersion00) {
  for (const auto& text :
       {with(0, "01"), with(0, "cc"), with(0, "01") + "-", with(0, "fe") + "-X"}) {
    const auto parent = Traceparent::parse(text);
    ASSERT_TRUE(parent) << text;
    EXPECT_EQ(parent->text(), kTraceParent);
  }
  EXPECT_FALSE(Traceparent::parse(with(0, "01") + "."));
  EXPECT_FALSE(Traceparent::parse(with(0, "01") + "0"));
}

TEST(Traceparent, PassesOnTheFlagsThatLevelTwoDefinesAndNoOthers) {
  EXPECT_EQ(Traceparent::parse(with(53, "ff"))->text().substr(53), "03");
  EXPECT_EQ(Traceparent::parse(with(53, "02"))->flags, kRandomTraceIdFlag);
  EXPECT_EQ(Traceparent::parse(with(53, "fc"))->flags, 0);
}

TEST(Tracestate, KeepsItsMembersInOrder) {
  EXPECT_EQ(text_of("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(text_of(" \t a=1 \t,,\t b= 2 , "), "a=1,b= 2");
  EXPECT_EQ(text_of(""), "");
}

TEST(Tracestate, IsIgnoredWholeWhenAMemberIsInvalid) {
  const std::string longest(256, 'k');
  for (const auto& text :
       {std::string("a"), std::string("a="), std::string("=1"), std::string("a=1,B=2"),
        std::string("a=1,@b=2"), std::string("a=1,_b=2"), std::string("a.b=1"), std::string("a =1"),
        std::string("a=1=2"), std::string("a=1\t2"), std::string("a=\x7f"),
        std::string("a=\xc3\xa9"), longest + "k=1", "a=" + longest + "v"}) {
    EXPECT_EQ(text_of(text), "invalid") << text;
    EXPECT_EQ(text_of("x=1," + text), "invalid") << text;
  }
  EXPECT_EQ(text_of(longest + "=" + longest), longest + "=" + longest);
  EXPECT_EQ(text_of("0a@b_-*/@=1"), "0a@b_-*/@=1");
}

TEST(Tracestate, HoldsThirtyTwoMembers) {
  std::string text = "k0=v";
  for (int i = 1; i < 32; ++i) text += ",k" + std::to_string(i) + "=v";
  EXPECT_EQ(text_of(text), text);
  EXPECT_EQ(text_of(text + ", ,"), text);
  EXPECT_EQ(text_of(text + ",k32=v"), "invalid");
  EXPECT_EQ(text_of(text + ",k0=v"), "invalid");
  EXPECT_EQ(text_of("a=1" + std::string(Tracestate::kMaxInputBytes, ' ')), "invalid");
}

TEST(Tracestate, KeepsTheLatestOfTwoWithOneKey) {
  EXPECT_EQ(text_of("congo=2,rojo=1,congo=1"), "congo=2,rojo=1");
}

TEST(Tracestate, CombinesSeveralHeadersInTheirOrder) {
  const std::string_view headers[] = {"foo=1,bar=2", "", "rojo=1", "baz=3"};
  EXPECT_EQ(text_of(combine(headers)), "foo=1,bar=2,rojo=1,baz=3");
}

TEST(Tracestate, PutsWhatIsSetFirst) {
  auto state = tracestate("rojo=1,congo=1,weir=0");
  ASSERT_TRUE(state.set("weir", "2"));
  EXPECT_EQ(state.text(), "weir=2,rojo=1,congo=1");
  ASSERT_TRUE(state.set("new", "3"));
  EXPECT_EQ(state.text(), "new=3,weir=2,rojo=1,congo=1");
  state.erase("rojo");
  EXPECT_EQ(state.text(), "new=3,weir=2,congo=1");
  EXPECT_EQ(*state.find("congo"), "1");
  EXPECT_EQ(state.find("rojo"), nullptr);
}

TEST(Tracestate, RefusesToSetWhatItWouldNotRead) {
  auto state = tracestate("a=1");
  for (const auto& [key, value] : {std::pair("A", "1"), {"b", ""}, {"b", "1,"}, {"b", "1 "}}) {
    EXPECT_EQ(state.set(key, value).error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_EQ(state.text(), "a=1");
}

TEST(Tracestate, DropsTheOldestWhenFull) {
  Tracestate state;
  for (int i = 0; i < 33; ++i) ASSERT_TRUE(state.set("k" + std::to_string(i), "v"));
  EXPECT_EQ(state.members().size(), 32U);
  EXPECT_EQ(state.members().front().key, "k32");
  EXPECT_EQ(state.find("k0"), nullptr);
}

TEST(Tracestate, IsCutByWholeMembersTheLongOnesFirst) {
  const auto long_member = "long=" + std::string(124, 'x');  // 129 bytes
  auto state = tracestate("a=1," + long_member + ",b=2,c=3");
  state.cut_to(1000);
  EXPECT_EQ(state.members().size(), 4U);
  state.cut_to(100);
  EXPECT_EQ(state.text(), "a=1,b=2,c=3");
  state.cut_to(8);
  EXPECT_EQ(state.text(), "a=1,b=2");
  state.cut_to(2);
  EXPECT_EQ(state.text(), "");
}

// The example of the standard.
TEST(Baggage, ReadsKeysValuesAndProperties) {
  const auto baggage = Baggage::parse(
      "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue");
  using Member = Baggage::Member;
  EXPECT_THAT(baggage.members(),
              ElementsAre(Member{"key1", "value1", {{"property1", {}}, {"property2", {}}}},
                          Member{"key2", "value2", {}},
                          Member{"key3", "value3", {{"propertyKey", "propertyValue"}}}));
  EXPECT_EQ(baggage.text(),
            "key1=value1;property1;property2,key2=value2,key3=value3;propertyKey=propertyValue");
}

// https://github.com/w3c/baggage, test/test_baggage.py
TEST(Baggage, IgnoresWhiteSpaceAroundEveryPart) {
  EXPECT_EQ(Baggage::parse("SomeKey \t = \t SomeValue \t ; \t SomeProp \t ; \t Second \t = \t Value"
                           " \t , \t SomeKey2 \t = \t SomeValue2 \t ")
                .text(),
            "SomeKey=SomeValue;SomeProp;Second=Value,SomeKey2=SomeValue2");
}

TEST(Baggage, EncodesWhatAHeaderCannotHold) {
  Baggage baggage;
  ASSERT_TRUE(baggage.set({"serverNode", "DF 28, \"é\"; 100%\\", {{"p", "a b"}}}));
  EXPECT_EQ(baggage.text(), "serverNode=DF%2028%2C%20%22%C3%A9%22%3B%20100%25%5C;p=a%20b");
  EXPECT_EQ(Baggage::parse(baggage.text()), baggage);
}

TEST(Baggage, DecodesToUtf8) {
  const auto value = [](std::string_view text) { return Baggage::parse(text).members()[0].value; };
  EXPECT_EQ(value("k=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29"),
            "\t \"';=asdf!@#$%^&*()");
  EXPECT_EQ(value("k=a=b=="), "a=b==");
  EXPECT_EQ(value("k="), "");
  EXPECT_EQ(value("k=%e4%B8%ad"), "中");
  EXPECT_EQ(value("k=%C3%28"), "\uFFFD(");
  EXPECT_EQ(value("k=100%&%2"), "100%&%2");
  EXPECT_EQ(value("k=%2541"), "%41");
}

TEST(Baggage, LeavesOutMembersThatAreNotAsTheStandardSays) {
  for (const char* text :
       {"", ",", "a", "=1", "a b=1", "a=1 2", "a=\"1\"", "a=1\\", "a=1;", "a=1;;p", "a=1;=p",
        "a=1;p q", "a=1;p=\"", "\xc3\xa9=1", "a=\xc3\xa9", "a=1\x7f"}) {
    EXPECT_EQ(Baggage::parse("x=1," + std::string(text) + ",y=2").text(), "x=1,y=2") << text;
  }
}

TEST(Baggage, KeepsAKeyThatRepeatsInOrder) {
  auto baggage = Baggage::parse("a=1,b=2,a=3");
  EXPECT_EQ(baggage.text(), "a=1,b=2,a=3");
  EXPECT_EQ(baggage.find("a")->value, "3");
  ASSERT_TRUE(baggage.set({"a", "4"}));
  EXPECT_EQ(baggage.text(), "b=2,a=4");
  baggage.erase("b");
  EXPECT_EQ(baggage.text(), "a=4");
}

TEST(Baggage, PassesOnAllWithinTheLimitsOfTheStandard) {
  std::string text = "k0=v";
  for (int i = 1; i < 180; ++i) text += ",k" + std::to_string(i) + "=v";
  EXPECT_EQ(Baggage::parse(text).text(), text);
  const auto longest = "a=" + std::string(8190, 'x');
  EXPECT_EQ(Baggage::parse(longest).text(), longest);
}

TEST(Baggage, LeavesOutWholeMembersBeyondTheLimits) {
  std::string text = "k0=v";
  for (int i = 1; i < 200; ++i) text += ",k" + std::to_string(i) + "=v";
  EXPECT_EQ(Baggage::parse(text).members().size(), 180U);
  const std::string half(4096, 'x');
  EXPECT_EQ(Baggage::parse("a=" + half + ",b=" + half + ",c=1").text(), "a=" + half + ",c=1");
  EXPECT_THAT(Baggage::parse(std::string(Baggage::kMaxInputBytes, ' ') + "a=1").members(),
              IsEmpty());
}

TEST(Baggage, IsUnchangedWhenAMemberIsRefused) {
  auto baggage = Baggage::parse("a=1,b=2");
  EXPECT_EQ(baggage.set({"a b", "1"}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(baggage.set({"a", "1", {{"", {}}}}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(baggage.set({"a", std::string(9000, 'x')}).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(baggage.text(), "a=1,b=2");
}

// ---- the vectors of https://github.com/w3c/trace-context/tree/main/test ------------------------

enum class Trace : std::uint8_t { kSame, kNew };
constexpr std::string_view kInherited = "inherited";  // all members, in their order

/// What test.py of the standard asserts of each test; where its prose says less or something else,
/// its assertions count.
struct Expected {
  std::string_view test;
  Trace trace = Trace::kSame;
  std::string_view tracestate{};
  std::int64_t only_case = -1;  ///< a row for one case goes before that of its test
};
constexpr Expected kExpected[] = {
    {"test_both_traceparent_and_tracestate_missing", Trace::kNew},
    {"test_traceparent_duplicated", Trace::kNew},
    {"test_traceparent_header_name", Trace::kNew},
    {"test_traceparent_header_name_valid_casing"},
    {"test_traceparent_version_0x00", Trace::kNew},
    // "01.what-the-future-will-be-like": no dash after the flags, as the two others have it.
    {"test_traceparent_version_0xcc", Trace::kNew, "", 2},
    {"test_traceparent_version_0xcc"},
    {"test_traceparent_version_0xff", Trace::kNew},
    {"test_traceparent_version_illegal_characters", Trace::kNew},
    {"test_traceparent_version_too_long", Trace::kNew},
    {"test_traceparent_version_too_short", Trace::kNew},
    {"test_traceparent_trace_id_all_zero", Trace::kNew},
    {"test_traceparent_trace_id_illegal_characters", Trace::kNew},
    {"test_traceparent_trace_id_too_long", Trace::kNew},
    {"test_traceparent_trace_id_too_short", Trace::kNew},
    {"test_traceparent_parent_id_all_zero", Trace::kNew},
    {"test_traceparent_parent_id_illegal_characters", Trace::kNew},
    {"test_traceparent_parent_id_too_long", Trace::kNew},
    {"test_traceparent_parent_id_too_short", Trace::kNew},
    {"test_traceparent_trace_flags_illegal_characters", Trace::kNew},
    {"test_traceparent_trace_flags_too_long", Trace::kNew},
    {"test_traceparent_trace_flags_too_short", Trace::kNew},
    {"test_traceparent_ows_handling"},
    {"test_tracestate_included_traceparent_missing", Trace::kNew},
    {"test_tracestate_included_traceparent_included", Trace::kSame, kInherited},
    {"test_tracestate_header_name"},
    {"test_tracestate_header_name_valid_casing", Trace::kSame, kInherited},
    {"test_tracestate_empty_header", Trace::kSame, kInherited},
    {"test_tracestate_multiple_headers_different_keys", Trace::kSame, kInherited},
    {"test_tracestate_duplicated_keys", Trace::kSame, "foo=1"},
    {"test_tracestate_all_allowed_characters", Trace::kSame, kInherited},
    {"test_tracestate_ows_handling", Trace::kSame, kInherited},
    {"test_tracestate_key_illegal_characters"},
    {"test_tracestate_key_illegal_vendor_format", Trace::kSame, "", 1},  // begins with an at sign
    {"test_tracestate_key_illegal_vendor_format", Trace::kSame, kInherited},
    {"test_tracestate_member_count_limit", Trace::kSame, "", 1},
    {"test_tracestate_member_count_limit", Trace::kSame, kInherited},
    {"test_tracestate_key_length_limit", Trace::kSame, "", 1},
    {"test_tracestate_key_length_limit", Trace::kSame, "", 3},
    {"test_tracestate_key_length_limit", Trace::kSame, kInherited},
    {"test_tracestate_value_illegal_characters"},
    {"test_multiple_requests_with_valid_traceparent"},
    {"test_multiple_requests_without_traceparent", Trace::kNew},
    {"test_multiple_requests_with_illegal_traceparent", Trace::kNew},
    {"test_propagates_random_flag"},
    {"test_generates_random_flag", Trace::kNew},
};

/// The lines of a file of vectors.
std::vector<json::Object> vectors(std::string_view file) {
  const std::string path = std::getenv("WEIR_TEST_DATA") + std::string("/w3c_trace_context/");
  const auto text = read_file(path + std::string(file), 1'000'000);
  if (!text) {
    ADD_FAILURE() << text.error().message;
    return {};
  }
  std::vector<json::Object> lines;
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) {
    const auto value = json::parse(line);
    if (value && value->object() != nullptr) {
      lines.push_back(*value->object());
    } else {
      ADD_FAILURE() << "not a vector: " << line;
    }
  }
  return lines;
}

std::string string_in(const json::Object& vector, std::string_view key) {
  return *vector.find(key)->string();
}

std::vector<Header> headers_in(const json::Object& vector) {
  std::vector<Header> headers;
  for (const auto& header : *vector.find("headers")->array()) {
    headers.push_back({*(*header.array())[0].string(), *(*header.array())[1].string()});
  }
  return headers;
}

/// What a naive reader makes of the tracestates of a vector.
std::string naive_tracestate(std::span<const Header> headers) {
  std::string all;
  for (const auto& header : headers) {
    std::string name(header.name);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name != "tracestate") continue;
    std::istringstream stream{std::string(header.value)};
    for (std::string member; std::getline(stream, member, ',');) {
      member.erase(0, member.find_first_not_of(" \t"));
      member.resize(member.find_last_not_of(" \t") + 1);
      if (!member.empty()) all += (all.empty() ? "" : ",") + member;
    }
  }
  return all;
}

void check_vector(const json::Object& vector) {
  const auto test = string_in(vector, "test");
  const auto number = *vector.find("case")->integer();
  const auto expected = std::ranges::find_if(kExpected, [&](const Expected& row) {
    return row.test == test && (row.only_case == -1 || row.only_case == number);
  });
  ASSERT_NE(expected, std::end(kExpected)) << "an unknown test";
  const auto headers = headers_in(vector);

  const auto received = from_headers(headers);
  const auto sent = to_headers(received.child_span());

  const auto parent = Traceparent::parse(sent.at("traceparent"));
  ASSERT_TRUE(parent);
  bool known_trace = false, known_span = false;
  for (const auto& header : headers) {
    known_trace = known_trace || header.value.contains(parent->trace_id.text());
    const auto span = parent->parent_id.text();
    known_span = known_span || header.value.contains(std::string_view(span.data(), span.size()));
  }
  EXPECT_EQ(known_trace, expected->trace == Trace::kSame);
  EXPECT_FALSE(known_span);
  const auto state = sent.contains("tracestate") ? sent.at("tracestate") : "";
  EXPECT_EQ(state,
            expected->tracestate == kInherited ? naive_tracestate(headers) : expected->tracestate);
  if (test.contains("random_flag")) {
    EXPECT_TRUE(parent->flags & kRandomTraceIdFlag);
  }
}

TEST(W3cVectors, OfHeadersGiveWhatTheTestsOfTheStandardAssert) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto all = vectors("http_header_vectors.public.jsonl");
  EXPECT_GE(all.size(), 42U);
  for (const auto& vector : all) {
    SCOPED_TRACE(string_in(vector, "test") + " " + json::to_text(*vector.find("case")));
    check_vector(vector);
  }
  std::cout << all.size() << " header vectors\n";
}

/// The lines of test_traceparent.py at which the classes of the tests, which are no whole parsers,
/// say something else than the standard: BaseTraceparent takes a trace-id of zeros, Traceparent
/// knows version 00 only.
const std::set<std::int64_t> kNotAsTheStandard = {59, 127};

TEST(W3cVectors, OfSingleValuesAreReadOrRefusedAsTheStandardSays) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto all = vectors("parse_vectors.public.jsonl");
  EXPECT_GE(all.size(), 25U);
  for (const auto& vector : all) {
    const auto input = string_in(vector, "input");
    SCOPED_TRACE(input);
    const auto rejected = *vector.find("reference_parser_rejects")->boolean();
    if (string_in(vector, "kind") == "tracestate") {
      const auto state = Tracestate::parse(input);
      EXPECT_EQ(state.has_value(), !rejected);
      const Header headers[] = {{"tracestate", input}};
      EXPECT_EQ(state ? state->text() : input, rejected ? input : naive_tracestate(headers));
      continue;
    }
    const bool other = kNotAsTheStandard.contains(*vector.find("line")->integer());
    const auto parent = Traceparent::parse(input);
    EXPECT_EQ(parent.has_value(), rejected == other);
    const auto ids = parent ? parent->text().substr(3, 50) : "";
    EXPECT_EQ(ids, parent ? input.substr(3, 50) : "");
  }
  std::cout << all.size() << " value vectors\n";
}

}  // namespace
}  // namespace weir::record
