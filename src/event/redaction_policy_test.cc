#include "event/redaction_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "event/redaction.h"
#include "event/redaction_testing.h"

namespace weir::event {
namespace {

using testing_support::json_after;
using testing_support::redactor;
using testing_support::text_after;

TEST(Redaction, TakesTheUsersRules) {
  const auto r = redactor({
      .disable = {"email"},
      .keys = {{"badge", "badge"},
               {"street", "customer.address.*", RedactionKind::kPersonal},
               {"zip", "a.zip_code"}},
      .patterns = {{"employee", "EMP-", "0-9", 6, 6}, {"ticket", "##", "A-Z", 2, 3}},
  });
  EXPECT_EQ(text_after(r, "a@b.de EMP-123456 EMP-1234567 XEMP-123456 ##AB"),
            "a@b.de [REDACTED:employee] EMP-1234567 XEMP-123456 [REDACTED:ticket]");
  EXPECT_EQ(text_after(r, "staffBadge=7"), "staffBadge=[REDACTED:badge]");
  EXPECT_TRUE(r.names_secret("badge"));
  EXPECT_EQ(
      json_after(r, R"({"in":{"customer":{"address":{"street":"x","no":12}}}})"),
      R"({"in":{"customer":{"address":{"street":"[REDACTED:street]","no":"[REDACTED:street]"}}}})");
  EXPECT_EQ(json_after(r, R"({"customer":{"address":{"street":"x"}}})", TextKind::kField),
            R"({"customer":{"address":{"street":"x"}}})");
  EXPECT_EQ(
      json_after(r, R"([{"a":[{"zipCode":"1"}],"b":{"zipCode":"1"}},{"a.zip-code":"2"}])"),
      R"([{"a":[{"zipCode":"[REDACTED:zip]"}],"b":{"zipCode":"1"}},{"a.zip-code":"[REDACTED:zip]"}])");
}

TEST(Redaction, PseudonymsJoinAndDependOnTheKey) {
  const auto first = redactor({.pseudonym_key = "one"}),
             second = redactor({.pseudonym_key = "two"});
  const auto a = text_after(first, "mail a@b.de"), b = text_after(first, "from a@b.de");
  EXPECT_THAT(a, testing::MatchesRegex("mail \\[email:[0-9a-f]{16}\\]"));
  EXPECT_EQ(a.substr(5), b.substr(5));
  EXPECT_EQ(a.substr(5), "[email:" + hmac_sha256("one", "a@b.de").text().substr(0, 16) + "]");
  EXPECT_NE(a, text_after(first, "mail b@b.de"));
  EXPECT_NE(a, text_after(second, "mail a@b.de"));
  // The same value under a name, in text and in JSON.
  EXPECT_EQ(json_after(first, R"({"password":"a\u0062c"})"),
            "{\"password\":\"" + text_after(first, "password=abc").substr(9) + "\"}");
}

TEST(RedactionLiterals, AreMaskedWhereverTheyOccur) {
  const auto redactor = Redactor::make({.literals = {"open sesame", "line one\nline two"}});
  ASSERT_TRUE(redactor);
  RedactionCounts counts;
  std::string out;
  EXPECT_TRUE(redactor->redact_text("xopen sesamex open sesame", TextKind::kField, out, counts));
  EXPECT_EQ(out, "x[REDACTED:secret_value]x [REDACTED:secret_value]");
  EXPECT_TRUE(redactor->redact_json(R"({"a":["b\nline one\nline two"]})", TextKind::kNodeOutput,
                                    out, counts));
  EXPECT_EQ(out, R"({"a":["b\n[REDACTED:secret_value]"]})");
  EXPECT_TRUE(redactor->redact_text("> line two", TextKind::kMessage, out, counts));
  EXPECT_EQ(out, "> [REDACTED:secret_value]");
  EXPECT_FALSE(redactor->redact_text("open Sesame", TextKind::kMessage, out, counts));
  EXPECT_EQ(counts.total(), 4U);
}

TEST(RedactionLiterals, ThatStandEverywhereAreRefused) {
  EXPECT_FALSE(Redactor::make({.literals = {"short"}}));
  EXPECT_FALSE(Redactor::make({.literals = {"REDACTED"}}));
  EXPECT_FALSE(Redactor::make({.literals = std::vector<std::string>(257, "long enough")}));
  EXPECT_TRUE(Redactor::make({.literals = {"long enough"}}));
}

TEST(Redaction, RefusesWrongPolicies) {
  const RedactionPolicy policies[] = {
      {.enable = {"no_such"}},
      {.disable = {"no_such"}},
      {.keys = {{"email", "mail"}}},
      {.keys = {{"Bad Name", "mail"}}},
      {.keys = {{std::string(49, 'a'), "mail"}}},
      {.keys = {{"x", "_"}}},
      {.keys = {{"x", "a..b"}}},
      {.patterns = {{"x", "A", "0-9"}}},
      {.patterns = {{"x", "AB", ""}}},
      {.patterns = {{"x", "AB", "9-0"}}},
      {.patterns = {{"x", "AB", "!-~"}}},
      {.patterns = {{"x", "AB[", "0-9"}}},
      {.patterns = {{"x", "AB", "0-9", 0, 5}}},
      {.patterns = {{"x", "AB", "0-9", 6, 5}}},
      {.patterns = {{"x", "AB", "0-9", 1, 5000}}},
      {.patterns = std::vector<RedactionPattern>(65)},
      {.pseudonym_key = std::string(2000, 'k')},
  };
  for (const auto& policy : policies) {
    const auto made = Redactor::make(policy);
    ASSERT_FALSE(made) << &policy - policies;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidInput);
  }
}

}  // namespace
}  // namespace weir::event
