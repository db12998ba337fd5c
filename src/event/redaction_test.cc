#include "event/redaction.h"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <random>

#include "base/hash.h"
#include "event/redaction_scan.h"
#include "event/redaction_testing.h"

namespace weir::event {
namespace {

using testing_support::redactor;
using testing_support::repeat;
using testing_support::text_after;

RedactionPolicy with_addresses() { return {.enable = {"ip_address"}}; }

// A token that no scanner of repositories takes for a real one: it is put together here.
std::string token(std::string_view prefix, std::size_t length) {
  return std::string(prefix) + repeat("a1B2c3D4", length / 8 + 1).substr(0, length);
}
std::string hex(std::string_view prefix, std::size_t length) {
  return std::string(prefix) + repeat("0a1b2c3d", length / 8 + 1).substr(0, length);
}
const std::string kJwtText =
    "eyJhbGciOiJIUzI1NiJ9."
    "eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N";

struct Positive {
  std::string before;
  std::string secret;
  std::string after;
  std::string rule;

  [[nodiscard]] std::string text() const {
    auto result = before;
    return result.append(secret).append(after);
  }
  [[nodiscard]] std::string masked() const {
    auto result = before;
    return result.append("[REDACTED:").append(rule).append("]").append(after);
  }
};

std::vector<Positive> secrets() {
  const std::string pem =
      "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/==\nabc\n-----END RSA PRIVATE KEY-----";
  return {
      {"", pem, "\nnext", "private_key"},
      {"cut: ", "-----BEGIN PRIVATE KEY-----\nMIIE", "", "private_key"},
      {"", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----", ".",
       "private_key"},
      {"id ",
       "AKIA"
       "IOSFODNN7EXAMPLE",
       ".", "aws_access_key"},
      {"bucket-",
       "ASIA"
       "IOSFODNN7EXAMPLE",
       "/x", "aws_access_key"},
      {"push with ", token("ghp_", 36), " failed", "github_token"},
      {"(", token("github_pat_", 82), ")", "github_token"},
      {"", token("glpat-", 20), "", "gitlab_token"},
      {"", token("xoxb-", 24), "\n", "slack_token"},
      {"'", token("sk_live_", 24), "'", "stripe_key"},
      {"", token("AIza", 35), "", "google_key"},
      {"", token("ya29.", 40), "", "google_key"},
      {"", token("sk-", 48), "", "openai_key"},
      {"", token("sk-proj-", 40), "", "openai_key"},
      {"with ", token("sk-ant-api03-", 40), "", "anthropic_key"},
      {"", token("npm_", 36), "", "vendor_token"},
      {"", token("SG.", 22), "", "vendor_token"},
      {"", token("hf_", 34), "", "vendor_token"},
      {"", hex("dapi", 32), "", "vendor_token"},
      {"got ", kJwtText, " back", "jwt"},
      {"Bearer ", "abc.def~1/gh+i==", "", "bearer_token"},
      {"key ", "weir_18c81271_OiMLq3vJ0Yk2hXn9RrTgBsWzEcUoPdAf7Kx5VmLtQab", "", "vendor_token"},
      {"bearer\t", "0123456789abcdef", ",", "bearer_token"},
      {"Basic ", "dXNlcjpwYXNz", "", "basic_auth"},
      {"basic ", "YWxhZGRpbjpvcGVuc2VzYW1l", ";", "basic_auth"},
      {"postgres://weir:", "hunter2", "@db:5432/x", "url_password"},
      {"redis://:", "p@ss", "@h", "url_password"},
      {"amqp://u:", "a/b", "@h/v", "url_password"},
      {"root:", "hunter2", "@tcp(127.0.0.1:3306)/db", "connection_string"},
      {"password=", "x", "", "named_secret"},
      {"PASSWORD = '", "two words", "'", "named_secret"},
      {R"({"db_password": ")", R"(a\"b)", R"("})", "named_secret"},
      {R"({\"password\": \")", "ab", R"(\"})", "named_secret"},
      {"Server=a;Uid=b;Pwd=", "c$d", ";Database=e", "named_secret"},
      {"DefaultEndpointsProtocol=https;AccountKey=", "aGVsbG8=", ";x", "named_secret"},
      {"GET /x?a=1&access_token=", "abcdef", "&b=2", "named_secret"},
      {"AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "named_secret"},
      {"api key: ", "k3y", " x", "named_secret"},
      {"token: ", "abc12345", "", "named_secret"},
      {"Authorization: Bearer ", "x y", "\nHost: h", "named_secret"},
      {"Authorization: ", "0123abcd9", "\n", "named_secret"},
      {"Set-Cookie: ", "sid=1; Path=/", "\r\n", "named_secret"},
      {"run --api-key ", "k3y", " --n 1", "named_secret"},
      {"cfg[\"password\"] = \"", "v", "\"", "named_secret"},
      {"password2=", "x)y", ")", "named_secret"},
  };
}

std::vector<Positive> personal() {
  return {
      {"to ", "ann.lee+weir@mail.example.org", ".", "email"},
      {"<", "jos\xC3\xA9@m\xC3\xBCller.de", ">", "email"},
      {"user=", "o_b@example.com", "&x", "email"},
      {"card ", "4111111111111111", ",", "payment_card"},
      {"card ", "4111 1111 1111 1111", " ok", "payment_card"},
      {"", "5500-0055-5555-5559", "", "payment_card"},
      {"", "378282246310005", "", "payment_card"},
      {"2026-01-05 ", "3782 822463 10005", "", "payment_card"},
      {"pay to ", "DE89370400440532013000", ".", "iban"},
      {"", "GB82 WEST 1234 5698 7654 32", " now", "iban"},
      {"ssn ", "123-45-6789", "", "us_ssn"},
      {"call ", "+49 30 1234567", ".", "phone"},
      {"call ", "+1 (555) 123-4567", " now", "phone"},
      {"tel:", "+442079460958", "", "phone"},
  };
}

TEST(Redaction, MasksEverySecretWherever) {
  const auto r = redactor();
  for (const auto& positive : secrets()) {
    const auto text = positive.text(), expected = positive.masked();
    EXPECT_EQ(text_after(r, text, TextKind::kField), expected);
    // Wherever the scanner's blocks are cut.
    for (std::size_t n = 1; n < 130; ++n) {
      const auto padding = repeat(" ", n);
      ASSERT_EQ(text_after(r, padding + text), padding + expected) << n;
    }
  }
}

TEST(Redaction, MasksPersonalDataWhereThePolicySays) {
  const auto r = redactor();
  for (const auto& positive : personal()) {
    const auto text = positive.text(), expected = positive.masked();
    EXPECT_EQ(text_after(r, text, TextKind::kMessage), expected);
    EXPECT_EQ(text_after(r, text, TextKind::kNodeInput), expected);
    EXPECT_EQ(text_after(r, text, TextKind::kNodeOutput), expected);
    EXPECT_EQ(text_after(r, text, TextKind::kField), text);
    for (std::size_t n = 1; n < 130; ++n) {
      const auto padding = repeat(" ", n);
      ASSERT_EQ(text_after(r, padding + text), padding + expected) << n;
    }
  }
}

TEST(Redaction, MasksAddressesOnlyIfAskedFor) {
  const auto on = redactor(with_addresses());
  for (const char* address :
       {"10.0.0.1", "255.255.255.255", "::1", "fe80::1", "2001:db8:85a3:0:0:8a2e:370:7334"}) {
    const auto text = "from " + std::string(address) + " to";
    EXPECT_EQ(text_after(on, text), "from [REDACTED:ip_address] to");
    EXPECT_EQ(text_after(redactor(), text), text);
  }
  for (const char* text : {"1.2.3.4.5", "v1.2.3.4", "1.2.3", "256.1.1.1", "12:30:45", "a::b",
                           "std::vector", "00:1a:2b:3c:4d:5e", "2026-01-05T03:00:00.000001Z"}) {
    EXPECT_EQ(text_after(on, text), text);
  }
}

TEST(Redaction, LeavesWhatOnlyLooksLikeIt) {
  const auto r = redactor();
  const std::string clean[] = {
      "node completed",
      "019b8a2f-7c00-7000-8000-000000000001",
      "11111111-1111-1111-1111-111111111111",
      sha256("abc").text(),
      "996ac0d084ed2787b426421e34ba9923",
      "00-996ac0d084ed2787b426421e34ba9923-39a2e25565495ce9-01",
      "2026-01-05T03:00:00.000001Z",
      "2026-01-05 03:00:00,123 INFO 12:30:45",
      "2026-01-05T03:00:00+01:00",
      "1767582000000 1767582000000000 1767582000000000000",
      "78.780959 ms, 0.4111111111111111, -12.345678901234",
      "version 1.2.3-rc.4+build.567, v12.0.0",
      "/srv/etl/src/event/redaction.cc:120:15",
      "C:\\Users\\weir\\data.parquet",
      "s3://bucket/key/part-00000-0123456789.parquet",
      "https://example.com:8080/a@b?x=1#y",
      "https://registry/@scope/package@1.2.3",
      "ssh://git@host/repo and git@github.com:o/r.git",
      "icon@2x.png getty@tty1.service actions/checkout@v4 user@localhost",
      "4111111111111112",        // Luhn
      "1234567812345670",        // Luhn, but nobody's
      "DE89370400440532013001",  // check digits
      "ZZ89370400440532013000",  // no country
      "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 123-45-67890",
      "+250 lines, -30 lines, +12.3456789012, a+123456789012, +0123456789",
      "input_tokens=512 output_tokens: 64 max_tokens=4096, tokens: 5",
      "unexpected token: foo",
      "token=17",
      "password: required",
      "Password must be set. password: is missing",
      "password=${secrets.DB} token=$(cat t) api_key=<your-key>",
      "if password == other",
      "Token::value secret::kept",
      "use --password or --token to log in",
      "--password-file /run/secrets/p",
      "private_key=/etc/ssl/key.pem PWD=/srv/etl",
      "cookie: consent given",
      "Authorization: failed",
      "bearer authentication failed, basic authentication, Basic realm",
      "sk-learn-and-some-other-words-of-a-name",
      "AKIAIOSFODNN7EXAMPLEX",
      "xAKIAIOSFODNN7EXAMPLE",
      "ghp_short",
      "eyJ.eyJ.x and eyJhbGciOiJIUzI1NiJ9 alone",
      "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
      "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",
      "idempotency_key=abcdef123 cache_key=0123456789abcdef session_id=abc123def",
      "{\"rows\":10,\"key\":\"value\"}",
      "",
  };
  for (const auto& text : clean) {
    EXPECT_EQ(text_after(r, text), text);
    EXPECT_EQ(text_after(r, "x " + text + " y"), "x " + text + " y");
  }
}

TEST(Redaction, ChangesNothingTheSecondTime) {
  for (const char* key : {"", "k"}) {
    const auto r = redactor({.enable = {"ip_address"}, .pseudonym_key = key});
    auto all = secrets();
    const auto data = personal();
    all.insert(all.end(), data.begin(), data.end());
    std::string together;
    for (const auto& positive : all) {
      const auto once = text_after(r, positive.text());
      EXPECT_EQ(text_after(r, once), once);
      together.append(positive.text()).append(" ");
    }
    const auto once = text_after(r, together);
    EXPECT_EQ(text_after(r, once), once);
  }
}

// Found by the fuzzer: a mask is masked again as a whole, or not at all.
TEST(Redaction, NeverCutsAMask) {
  const auto r = redactor(with_addresses());
  EXPECT_EQ(text_after(r, "h://ann@b.example.com@d"), "h://[REDACTED:email]@d");
  EXPECT_EQ(text_after(r, "token:1/::012"), "token:[REDACTED:named_secret]");
}

TEST(Redaction, ScansAsThePortableCodeDoes) {
  std::mt19937 random(7);
  // Each of these sets off other triggers.
  const std::string_view alphabets[] = {"abAB1_-", "12 -", "ABab12.", "@:=+- abZz", "\xC3\xA9./["};
  for (int round = 0; round < 20000; ++round) {
    const auto letters = alphabets[static_cast<std::size_t>(round) % std::size(alphabets)];
    std::string block(1 + random() % redaction::kBlock, '\0');
    for (auto& c : block) {
      c = random() % 16 == 0 ? static_cast<char>(random()) : letters[random() % letters.size()];
    }
    const auto triggers = redaction::scan(block);
    ASSERT_EQ(triggers, redaction::scan_portably(block)) << block;
    // None is after the end, where nothing can be read.
    for (auto i = block.size(); i < redaction::kBlock; ++i) ASSERT_EQ(triggers.any() >> i & 1U, 0U);
  }
}

// Eight times the text takes about eight times as long, and sixty-four times if it were quadratic.
// Between them is room for a machine that does something else meanwhile, which the thread's own
// time mostly leaves out.
TEST(Redaction, TakesLinearTimeWhateverTheTextIs) {
  const auto r = redactor({.enable = {"ip_address"}, .patterns = {{"x", "aa", "a", 2, 64}}});
  const auto seconds = [&](std::string_view unit, std::size_t size) {
    const auto text = repeat(unit, size / unit.size());
    const auto json = "{\"a\":\"" + text + "\"}";
    RedactionCounts counts;
    std::string out;
    const auto of_thread = [] {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    };
    const auto start = of_thread();
    r.redact_text(text, TextKind::kMessage, out, counts);
    r.redact_json(json, TextKind::kMessage, out, counts);
    return of_thread() - start;
  };
  const std::string_view units[] = {
      "@",
      "1",
      "a.",
      "eyJ",
      "eyJ-",
      "eyJaaaaaaaaaaaaa.",
      "-",
      "--",
      "--a ",
      "-----BEGIN ",
      "://",
      "a://b:c",
      "token:",
      "token:\"",
      "password='${",
      "cookie:",
      "Cookie: ",
      "sk-",
      "sk-aaaaaaaaaaaaaaaa-",
      "Bearer ",
      "basic A",
      "1 ",
      "4111 1111 1111 ",
      "123-45-",
      "+1",
      "+1 ",
      "DE89",
      "DE89 ",
      "a@",
      "a@a.",
      "a@a.b-",
      "[REDACTED:",
      "[a:",
      "\\\\",
      "1.1.",
      "::",
      "a:",
      "ghp_",
      "x@tcp(",
      "password=\"null ",
      "password=",
      "password=x ",
      "a@b.de ",
      "\xC3\xA9",
      "authorization:basic ",
      "a=",
      "password=\\\\\"",
  };
  for (const auto unit : units) {
    double large = std::numeric_limits<double>::infinity(), small = 1e9;  // the least of several
    for (int attempt = 0; attempt < 5 && large >= 20 * small; ++attempt) {
      large = std::min(large, seconds(unit, 1 << 20));
      small = std::min(small, seconds(unit, 1 << 17));
    }
    EXPECT_LT(large, 20 * small) << unit;
  }
}

}  // namespace
}  // namespace weir::event
