#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "event/redaction.h"
#include "event/redaction_testing.h"

namespace weir::event {
namespace {

using testing::HasSubstr;
using testing_support::json_after;
using testing_support::redactor;
using testing_support::repeat;
using testing_support::text_after;

TEST(Redaction, KnowsWhichKeysNameSecrets) {
  const auto r = redactor();
  for (const char* key : {"password",
                          "DB_PASSWORD",
                          "dbPassword",
                          "passwd",
                          "pwd",
                          "secret",
                          "client_secret",
                          "clientSecret",
                          "token",
                          "access_token",
                          "X-Auth-Token",
                          "api_key",
                          "apiKey",
                          "API KEY",
                          "x-api-key",
                          "authorization",
                          "http.request.header.authorization",
                          "Cookie",
                          "set-cookie",
                          "private_key",
                          "privateKey",
                          "password2",
                          "OTP",
                          "user_otp",
                          "aws_secret_access_key"}) {
    EXPECT_TRUE(r.names_secret(key)) << key;
  }
  for (const char* key : {"",
                          "p",
                          "node_id",
                          "input_tokens",
                          "tokens",
                          "token_count",
                          "max_tokens",
                          "tokenizer",
                          "secretary",
                          "key",
                          "idempotency_key",
                          "primary_key",
                          "public_key",
                          "output_keys",
                          "author",
                          "session_id",
                          "password_changed_at",
                          "cookies_enabled",
                          "footprotp",
                          "run_id"}) {
    EXPECT_FALSE(r.names_secret(key)) << key;
  }
}

TEST(Redaction, MasksJsonByKeysAndPatterns) {
  const auto r = redactor();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"a":1,"password":"x"})", R"({"a":1,"password":"[REDACTED:named_secret]"})"},
      {R"({ "token" : 123456 , "n":[ 1, 2 ] })",
       R"({ "token" : "[REDACTED:named_secret]" , "n":[ 1, 2 ] })"},
      {R"({"credentials":{"u":"]}","p":[1]},"b":2})",
       R"({"credentials":"[REDACTED:named_secret]","b":2})"},
      {R"({"cookie":["a","b"]})", R"({"cookie":"[REDACTED:named_secret]"})"},
      {R"({"p\u0061ssword":"\"\\"})", R"({"p\u0061ssword":"[REDACTED:named_secret]"})"},
      {R"(["x","mail a\u0040b.de \"now\""])", R"(["x","mail [REDACTED:email] \"now\""])"},
      {R"("password=x\ny")", R"("password=[REDACTED:named_secret]\ny")"},
      {R"({"a":{"b":[{"c":"postgres:\/\/u:p@h"}]}})",
       R"({"a":{"b":[{"c":"postgres://u:[REDACTED:url_password]@h"}]}})"},
  };
  for (const auto& [json, expected] : cases) {
    EXPECT_EQ(json_after(r, json), expected);
    EXPECT_EQ(json_after(r, expected), expected);
  }
}

TEST(Redaction, LeavesCleanJson) {
  const auto r = redactor();
  for (const char* json :
       {R"({"password":null,"token":true,"secret":"","cookie":[],"credentials":{ }})",
        R"({"token":5,"input_tokens":123456789,"PWD":"/work"})", R"({"a":"b","c":["d",{"e":1.5}]})",
        "[]", "{}", "null", "12", R"("x")", " { } "}) {
    EXPECT_EQ(json_after(r, json), json);
  }
}

TEST(Redaction, RedactsWhatIsNotJsonAsText) {
  const auto r = redactor();
  for (const char* text : {R"({"a":"password=x)", R"({"password":)", "{]password=x ", "}password=x",
                           R"({"a" "password=x"})", R"("\uD800 password=x)"}) {
    RedactionCounts counts;
    std::string out = text;
    const bool masked = r.redact_json(text, TextKind::kMessage, out, counts);
    EXPECT_EQ(out, text_after(r, text));
    EXPECT_EQ(masked, counts.total() > 0);
  }
  const auto deep = repeat("[", 300) + "\"password=x\"" + repeat("]", 300);
  RedactionCounts counts;
  std::string out;
  EXPECT_TRUE(r.redact_json(deep, TextKind::kMessage, out, counts));
  EXPECT_THAT(out, HasSubstr("[[\"password=[REDACTED:named_secret]\"]]"));
}

TEST(Redaction, MasksValuesByTheirKey) {
  const auto r = redactor();
  RedactionCounts counts;
  std::string out;
  EXPECT_TRUE(r.redact_value("password", "ab", TextKind::kField, out, counts));
  EXPECT_EQ(out, "[REDACTED:named_secret]");
  EXPECT_FALSE(r.redact_value("password", out, TextKind::kField, out, counts));
  EXPECT_FALSE(r.redact_value("password", "", TextKind::kField, out, counts));
  EXPECT_FALSE(r.redact_value("PWD", "/work", TextKind::kField, out, counts));
  EXPECT_TRUE(r.redact_value("note", "pwd=ab", TextKind::kField, out, counts));
  EXPECT_EQ(out, "pwd=[REDACTED:named_secret]");
}

// As environments, tags and attributes are written.
TEST(Redaction, MasksTheValueBesideAName) {
  const auto r = redactor();
  const auto masked = [&](const std::string& json) {
    RedactionCounts counts;
    std::string out;
    return r.redact_json(json, TextKind::kField, out, counts) ? out : json;
  };
  EXPECT_EQ(
      masked(R"([{"name":"DB_PASSWORD","value":"x"},{"name":"HOME","value":"y"}])"),
      R"([{"name":"DB_PASSWORD","value":"[REDACTED:named_secret]"},{"name":"HOME","value":"y"}])");
  EXPECT_EQ(masked(R"({"key":"api_key","at":{"value":1},"value":{"stringValue":"x"}})"),
            R"({"key":"api_key","at":{"value":1},"value":"[REDACTED:named_secret]"})");
  for (const auto* clean :
       {R"([{"name":"password","type":"VARCHAR"},{"value":"x"}])", R"({"value":"x"})",
        R"({"name":"password","of":{"value":"x"}})", R"({"name":["password"],"value":"x"})"}) {
    EXPECT_EQ(masked(clean), clean);
  }
}

TEST(Redaction, CountsEachRule) {
  const auto r = redactor();
  RedactionCounts counts;
  std::string out;
  EXPECT_TRUE(r.redact_text("a@b.de, c@d.de and password=x", TextKind::kMessage, out, counts));
  EXPECT_TRUE(r.redact_json(R"({"token":"t","to":"a@b.de"})", TextKind::kMessage, out, counts));
  for (std::size_t i = 0; i < r.rules().size(); ++i) {
    const auto& name = r.rules()[i].name;
    const auto expected = name == "email" ? 3U : name == "named_secret" ? 2U : 0U;
    EXPECT_EQ(counts.of(static_cast<RedactionRuleIndex>(i)), expected) << name;
  }
  EXPECT_EQ(counts.total(), 5U);
}

/// What a key says does not hang on how it is spelt: capital letters, and a separator between any
/// two of its letters, the last two too.
TEST(Redaction, KnowsANameHoweverItIsSpelt) {
  const auto r = redactor();
  for (const std::string name : {"password", "apikey", "passwd", "clientsecret", "authtoken"}) {
    std::string capitals = name;
    for (auto& c : capitals) c = static_cast<char>(c - 'a' + 'A');
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (const std::string separator : {"", "_", "-", ".", " "}) {
        for (const auto& spelt : {name, capitals}) {
          auto key = spelt;
          key.insert(at, separator);
          EXPECT_TRUE(r.names_secret(key)) << key;
          EXPECT_TRUE(r.names_secret("my_" + key + "_2")) << key;
        }
      }
    }
    for (const auto at : {name.size() - 2, name.size() - 1}) {
      auto other = name;
      other[at] = 'q';
      EXPECT_FALSE(r.names_secret(other)) << other;
    }
  }
}

// Strings are read sixteen bytes at a time: whatever their length, and wherever an escape stands in
// them, they end where they end, and what they say is masked as it is in a text.
TEST(Redaction, ReadsStringsOfEveryLengthWithAnEscapeAtEveryPlace) {
  const auto r = redactor();
  const std::string secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      for (const std::string escape : {"", "\\\"", "\\\\", "\\n", "\\u0041"}) {
        auto text = std::string(size, 'x');
        text.insert(at, escape);
        const auto clean = R"({"a":")" + text + R"(","b":1})";
        EXPECT_EQ(json_after(r, clean), clean);
        const auto beside = R"({"a":")" + text + R"(","password":"hunter22"})";
        EXPECT_EQ(json_after(r, beside),
                  R"({"a":")" + text + R"(","password":"[REDACTED:named_secret]"})");
        const auto inside = json_after(r, R"({"a":")" + text + " " + secret + R"("})");
        EXPECT_THAT(inside, HasSubstr("[REDACTED:"));
        EXPECT_FALSE(inside.contains(secret)) << inside;
      }
    }
  }
}

}  // namespace
}  // namespace weir::event
