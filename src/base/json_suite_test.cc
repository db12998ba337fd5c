// https://github.com/nst/JSONTestSuite: y_ must be read, n_ refused, i_ may be either.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/json_flat.h"
#include "base/json_pull.h"

namespace weir::json {
namespace {

struct Vector {
  std::string name;
  std::string text;
};

/// The files of one folder of the suite that PROVENANCE.txt lists; a missing one is a failure.
std::vector<Vector> vectors(std::string_view folder) {
  const auto root = std::filesystem::path(std::getenv("WEIR_TEST_DATA")) / "json_test_suite";
  const auto list = read_file(root / "PROVENANCE.txt", 1'000'000);
  if (!list) {
    ADD_FAILURE() << list.error().message;
    return {};
  }
  std::vector<Vector> found;
  for (std::size_t at = 0; (at = list->find("\n  ", at)) != std::string::npos; ++at) {
    const auto name = list->substr(at + 3, list->find("  <-", at) - at - 3);
    if (!name.starts_with(folder)) continue;
    const auto text = read_file(root / name, 10'000'000);
    if (!text) ADD_FAILURE() << text.error().message;
    found.push_back({name.substr(folder.size()), text.value_or("")});
  }
  return found;
}

bool is_object_text(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

/// Whether FlatReader reads `text`, and then the nested values that it leaves as text are read too.
bool reads_flat(std::string_view text) {
  FlatReader reader;
  const auto members = reader.read(text);
  if (!members) return false;
  for (const auto& member : *members) {
    const bool nested = member.kind == Kind::kArray || member.kind == Kind::kObject;
    if (nested && !parse(member.text)) return false;
  }
  return true;
}

bool reads_pulled(std::string_view text) {
  PullReader reader(text);
  reader.skip();
  reader.end();
  return !reader.failed();
}

void check_result(const Result<Value>& value) {
  if (value) {
    EXPECT_EQ(parse(to_text(*value)), *value);
  } else {
    EXPECT_EQ(value.error().code, ErrorCode::kInvalidInput);
  }
}

TEST(JsonSuite, IsReadAndRefusedAsItSays) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  std::size_t read = 0, refused = 0, either = 0;
  for (const auto& [name, text] : vectors("test_parsing/")) {
    SCOPED_TRACE(name);
    const auto value = parse(text);
    switch (name[0]) {
      case 'y':
        EXPECT_TRUE(value) << value.error().message;
        ++read;
        break;
      case 'n':
        EXPECT_FALSE(value);
        ++refused;
        break;
      default:
        ++either;
    }
    check_result(value);
  }
  EXPECT_GT(read, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_GT(either, 0U);
  std::cout << read << " read, " << refused << " refused, " << either << " either\n";
}

TEST(JsonSuite, IsReadFlatWhereItIsAnObject) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  std::size_t objects = 0;
  for (const auto& [name, text] : vectors("test_parsing/")) {
    SCOPED_TRACE(name);
    objects += is_object_text(text) ? 1 : 0;
    const auto value = parse(text);
    EXPECT_EQ(reads_flat(text), value && value->object() != nullptr);
  }
  EXPECT_GT(objects, 0U);
  std::cout << objects << " objects\n";
}

TEST(JsonSuite, IsPulledAndRefusedAsItSays) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  for (const auto& [name, text] : vectors("test_parsing/")) {
    SCOPED_TRACE(name);
    const bool read = reads_pulled(text);
    EXPECT_TRUE(read || name[0] != 'y');
    EXPECT_FALSE(read && name[0] == 'n');
  }
}

// What is not said alike by all readers: never a crash, and what is read is kept.
TEST(JsonSuite, KeepsWhatItReadsOfTheTransformedTexts) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto all = vectors("test_transform/");
  EXPECT_FALSE(all.empty());
  for (const auto& [name, text] : all) {
    SCOPED_TRACE(name);
    const auto value = parse(text);
    std::cout << name << ": " << (value ? to_text(*value) : value.error().message) << "\n";
    check_result(value);
    EXPECT_EQ(reads_flat(text), value && value->object() != nullptr);
  }
}

// In the manner of the suite: what readers that were written by hand got wrong.
TEST(JsonSuiteOfOurs, IsRefused) {
  using namespace std::string_view_literals;
  for (const auto text : {
           R"([-2.])"sv,    R"([0.e1])"sv,       R"([.123])"sv,          R"([1.0e+])"sv,
           R"([0e+-1])"sv,  R"([0x42])"sv,       R"([Inf])"sv,           R"([-Infinity])"sv,
           R"([1.2a-3])"sv, R"([+1])"sv,         R"([012])"sv,           R"([- 1])"sv,
           R"([True])"sv,   R"([fals])"sv,       R"([nul])"sv,           R"([truth])"sv,
           R"([1,])"sv,     R"([,1])"sv,         R"([1,,2])"sv,          R"([][])"sv,
           R"([1}])"sv,     R"(["x"]])"sv,       R"([3[4]])"sv,          R"([1 000.0])"sv,
           R"({1:1})"sv,    R"({"a" b})"sv,      R"({"a":})"sv,          R"({"a":1,,"b":2})"sv,
           R"({"a":1,})"sv, R"({:1})"sv,         R"({"a":1}{"b":2})"sv,  R"({"a":1}/**/)"sv,
           R"({a:1})"sv,    R"({"a":"b)"sv,      R"(["\u00A"])"sv,       R"(["\x00"])"sv,
           R"(["\"])"sv,    R"(["\uD800\u"])"sv, "[\"tab\t\"]"sv,        "[\"new\nline\"]"sv,
           "[1\0]"sv,       "123\0"sv,           "\xEF\xBB\xBF"sv,       "[\"\0\"]"sv,
           "\xC2\x85[1]"sv, "[\xE2\x81\xA0]"sv,  "[\"\xED\xA0\x80\"]"sv, "[\"\xC0\xAF\"]"sv,
       }) {
    EXPECT_FALSE(parse(text)) << text;
    EXPECT_FALSE(reads_flat(text)) << text;
  }
}

TEST(JsonSuiteOfOurs, IsRefusedWhenNestedWithoutEnd) {
  constexpr std::size_t kDeep = 100'000;
  std::string objects;
  for (std::size_t i = 0; i < kDeep; ++i) objects += "{\"\":";
  const std::string lists(kDeep, '['), ends(kDeep, ']');
  for (const auto& text : {lists, lists + ends, objects, "{\"a\":" + lists + ends + "}"}) {
    EXPECT_FALSE(parse(text));
    EXPECT_FALSE(reads_flat(text));
  }
}

}  // namespace
}  // namespace weir::json
