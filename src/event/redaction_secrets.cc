#include "event/redaction_secrets.h"

#include <array>
#include <string_view>

#include "event/redaction_chars.h"

namespace weir::event::redaction {
namespace {

constexpr auto kNone = std::string_view::npos;

enum class Alphabet : std::uint8_t {
  kUpperDigit,  ///< A-Z 0-9
  kHex,         ///< 0-9 a-f
  kAlnum,       ///< A-Z a-z 0-9
  kAlnumUnder,  ///< and _
  kWord,        ///< and -
};

/// A token that its issuer marks by how it begins.
struct TokenShape {
  BuiltIn rule;
  std::string_view prefix;
  Alphabet alphabet = Alphabet::kAlnum;
  std::size_t min_length = 0;  ///< after the prefix
  /// Longer is something else; 0: no limit, issuers lengthen their tokens.
  std::size_t max_length = 0;
  bool needs_digit = false;  ///< The prefix alone also begins ordinary words.
};

/// Every prefix begins with a letter; prefix and min_length together are at least kTokenRun
/// characters of [A-Za-z0-9_-], because that is what the scanner looks for. Where the prefix has a
/// dot, that counts from the character after it.
///
/// Lengths are the issuers' shortest known ones. Sources: the token formats published by each
/// issuer (GitHub "About authentication", GitLab "Token overview", Slack "Token types", AWS IAM
/// "Unique identifiers", Stripe "API keys"), and gitleaks' rules for the others.
constexpr TokenShape kShapes[] = {
    {BuiltIn::kAwsAccessKey, "AKIA", Alphabet::kUpperDigit, 16, 16},
    {BuiltIn::kAwsAccessKey, "ASIA", Alphabet::kUpperDigit, 16, 16},
    {BuiltIn::kAwsAccessKey, "ABIA", Alphabet::kUpperDigit, 16, 16},
    {BuiltIn::kAwsAccessKey, "ACCA", Alphabet::kUpperDigit, 16, 16},
    {BuiltIn::kGithubToken, "ghp_", Alphabet::kAlnum, 36},
    {BuiltIn::kGithubToken, "gho_", Alphabet::kAlnum, 36},
    {BuiltIn::kGithubToken, "ghu_", Alphabet::kAlnum, 36},
    {BuiltIn::kGithubToken, "ghs_", Alphabet::kAlnum, 36},
    {BuiltIn::kGithubToken, "ghr_", Alphabet::kAlnum, 36},
    {BuiltIn::kGithubToken, "github_pat_", Alphabet::kAlnumUnder, 40},
    {BuiltIn::kGitlabToken, "glpat-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "gldt-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glrt-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glptt-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glcbt-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glft-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "gloas-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glsoat-", Alphabet::kWord, 20},
    {BuiltIn::kGitlabToken, "glagent-", Alphabet::kWord, 20},
    {BuiltIn::kSlackToken, "xoxa-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xoxb-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xoxe-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xoxp-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xoxr-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xoxs-", Alphabet::kWord, 11},
    {BuiltIn::kSlackToken, "xapp-", Alphabet::kWord, 20},
    {BuiltIn::kStripeKey, "sk_live_", Alphabet::kAlnum, 16},
    {BuiltIn::kStripeKey, "sk_test_", Alphabet::kAlnum, 16},
    {BuiltIn::kStripeKey, "rk_live_", Alphabet::kAlnum, 16},
    {BuiltIn::kStripeKey, "rk_test_", Alphabet::kAlnum, 16},
    {BuiltIn::kStripeKey, "whsec_", Alphabet::kAlnum, 24},
    {BuiltIn::kGoogleKey, "AIza", Alphabet::kWord, 35},
    {BuiltIn::kGoogleKey, "GOCSPX-", Alphabet::kWord, 20},
    {BuiltIn::kGoogleKey, "ya29.", Alphabet::kWord, 20},
    {BuiltIn::kAnthropicKey, "sk-ant-", Alphabet::kWord, 20},
    {BuiltIn::kOpenaiKey, "sk-proj-", Alphabet::kWord, 20},
    {BuiltIn::kOpenaiKey, "sk-svcacct-", Alphabet::kWord, 20},
    {BuiltIn::kOpenaiKey, "sk-admin-", Alphabet::kWord, 20},
    {BuiltIn::kOpenaiKey, "sk-or-v1-", Alphabet::kHex, 32},
    {BuiltIn::kOpenaiKey, "sk-", Alphabet::kAlnum, 32, 0, true},
    {BuiltIn::kVendorToken, "npm_", Alphabet::kAlnum, 36},
    {BuiltIn::kVendorToken, "pypi-", Alphabet::kWord, 50},
    {BuiltIn::kVendorToken, "hf_", Alphabet::kAlnum, 30},
    {BuiltIn::kVendorToken, "gsk_", Alphabet::kAlnum, 40},
    {BuiltIn::kVendorToken, "xai-", Alphabet::kAlnum, 40},
    {BuiltIn::kVendorToken, "r8_", Alphabet::kAlnum, 37},
    {BuiltIn::kVendorToken, "dop_v1_", Alphabet::kHex, 64},
    {BuiltIn::kVendorToken, "doo_v1_", Alphabet::kHex, 64},
    {BuiltIn::kVendorToken, "shpat_", Alphabet::kHex, 32},
    {BuiltIn::kVendorToken, "shpss_", Alphabet::kHex, 32},
    {BuiltIn::kVendorToken, "shpca_", Alphabet::kHex, 32},
    {BuiltIn::kVendorToken, "dapi", Alphabet::kHex, 32},
    {BuiltIn::kVendorToken, "dckr_pat_", Alphabet::kWord, 20},
    {BuiltIn::kVendorToken, "lin_api_", Alphabet::kAlnum, 32},
    {BuiltIn::kVendorToken, "AGE-SECRET-KEY-1", Alphabet::kUpperDigit, 50},
    {BuiltIn::kVendorToken, "ATATT3xFfGF0", Alphabet::kWord, 20},
    {BuiltIn::kVendorToken, "weir_", Alphabet::kWord, 52, 52, true},
    {BuiltIn::kVendorToken, "SG.", Alphabet::kWord, 20},
    {BuiltIn::kVendorToken, "hvs.", Alphabet::kWord, 20},
    {BuiltIn::kVendorToken, "hvb.", Alphabet::kWord, 20},
};

bool is_in(Alphabet alphabet, char c) {
  switch (alphabet) {
    case Alphabet::kUpperDigit:
      return is_upper(c) || is_digit(c);
    case Alphabet::kHex:
      return is_hex(c);
    case Alphabet::kAlnum:
      return is_alnum(c);
    case Alphabet::kAlnumUnder:
      return is_alnum(c) || c == '_';
    case Alphabet::kWord:
      return is_word(c);
  }
  return false;
}

constexpr std::size_t pair(char a, char b) {
  return (static_cast<std::size_t>(a) & 127U) << 7U | (static_cast<std::size_t>(b) & 127U);
}

/// The first two characters of the prefixes.
constexpr auto kPairs = [] {
  std::array<bool, std::size_t{128} * 128> pairs{};
  for (const auto& shape : kShapes) pairs[pair(shape.prefix[0], shape.prefix[1])] = true;
  return pairs;
}();

/// Digits are looked for only so far: the matchers of shapes that need one stay linear.
constexpr std::size_t kDigitSearch = 64;

bool fits(const TokenShape& shape, std::string_view tail) {
  std::size_t length = 0;
  while (length < shape.min_length) {
    if (length == tail.size() || !is_in(shape.alphabet, tail[length])) return false;
    ++length;
  }
  if (shape.max_length != 0 && length < tail.size() && is_alnum(tail[length])) return false;
  if (!shape.needs_digit) return true;
  const auto head = tail.substr(0, std::min(length, kDigitSearch));
  return std::any_of(head.begin(), head.end(), is_digit);
}

std::optional<Match> match_shape(std::string_view text, std::size_t begin) {
  if (!kPairs[pair(text[begin], text[begin + 1])]) return {};
  const auto rest = text.substr(begin);
  for (const auto& shape : kShapes) {
    if (!rest.starts_with(shape.prefix)) continue;
    const auto tail = begin + shape.prefix.size();
    if (!fits(shape, text.substr(tail))) continue;
    const auto end = shape.max_length != 0
                         ? tail + shape.max_length
                         : skip(text, tail, [&](char c) { return is_in(shape.alphabet, c); });
    return Match{begin, end, index_of(shape.rule)};
  }
  return {};
}

/// Where the prefix of a token whose second part begins at `begin` begins: "SG.", "ya29.".
std::size_t before_dot(std::string_view text, std::size_t begin) {
  constexpr std::size_t kLongestPrefix = 4;
  std::size_t at = begin - 1;
  while (at > 0 && begin - 1 - at < kLongestPrefix && is_alnum(text[at - 1])) --at;
  return at;
}

std::optional<Match> match_jwt(std::string_view text, std::size_t begin) {
  // A part that begins inside another was already read with it: this keeps the time linear.
  if (begin > 0 && is_word(text[begin - 1])) return {};
  constexpr std::size_t kMinPart = 8;
  const auto head_end = skip(text, begin, is_word);
  if (head_end >= text.size() || text[head_end] != '.') return {};
  auto end = skip(text, head_end + 1, is_word);
  const auto body = end - head_end - 1;
  // An empty second part is that of an encrypted token (RFC 7516): the third is not empty.
  if (body != 0 && body < kMinPart) return {};
  if (body == 0 && (end >= text.size() || text[end] != '.')) return {};
  for (int part = 2; part < 5 && end < text.size() && text[end] == '.'; ++part) {
    const auto next = skip(text, end + 1, is_word);
    if (next == end + 1 && part > 2) break;  // a full stop
    end = next;
  }
  return Match{begin, end, index_of(BuiltIn::kJwt)};
}

bool is_base64(char c) { return is_alnum(c) || c == '+' || c == '/'; }

unsigned base64_value(char c) {
  if (is_upper(c)) return static_cast<unsigned>(c - 'A');
  if (is_lower(c)) return static_cast<unsigned>(c - 'a') + 26;
  if (is_digit(c)) return static_cast<unsigned>(c - '0') + 52;
  return c == '+' ? 62 : 63;
}

/// Whether the text is "user:password" in base64: a colon, and no control characters.
bool is_basic(std::string_view base64) {
  if (base64.size() < 4 || base64.size() % 4 == 1) return false;
  unsigned buffer = 0, bits = 0;
  bool colon = false;
  for (const char c : base64) {
    buffer = (buffer << 6U | base64_value(c)) & 0xFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    const unsigned byte = buffer >> bits & 0xFFU;
    if (byte < 0x20 || byte == 0x7F) return false;
    colon = colon || byte == ':';
  }
  return colon;
}

std::optional<Match> match_basic(std::string_view text, std::size_t begin) {
  auto end = skip(text, begin, is_base64);
  if (!is_basic(text.substr(begin, end - begin))) return {};
  end = skip(text, end, [](char c) { return c == '='; });
  return Match{begin, end, index_of(BuiltIn::kBasicAuth)};
}

std::optional<Match> match_bearer(std::string_view text, std::size_t begin) {
  const auto end = skip(text, begin, [](char c) {
    return is_word(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
  });
  // "bearer authentication failed" is prose.
  constexpr std::size_t kMinWithDigit = 8, kMin = 20;
  const auto token = text.substr(begin, end - begin);
  if (token.size() < kMinWithDigit) return {};
  if (token.size() < kMin && !std::any_of(token.begin(), token.end(), is_digit)) return {};
  return Match{begin, end, index_of(BuiltIn::kBearerToken)};
}

}  // namespace

std::size_t mask_length(std::string_view text) {
  constexpr std::string_view kPlain = "[REDACTED:";
  constexpr std::size_t kDigits = 16;
  if (!text.starts_with('[')) return 0;
  const auto is_name = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
  const bool plain = text.starts_with(kPlain);
  const auto head = text.substr(0, (plain ? kPlain.size() : 1) + Redactor::kMaxRuleName + 1);
  const auto begin = plain ? kPlain.size() : 1;
  const auto name_end = skip(head, begin, is_name);
  if (name_end == begin || name_end >= text.size()) return 0;
  if (plain) return text[name_end] == ']' ? name_end + 1 : 0;
  if (text[name_end] != ':') return 0;
  const auto digits = text.substr(name_end + 1, kDigits);
  const auto close = name_end + 1 + kDigits;
  if (skip(digits, 0, is_hex) != kDigits || close >= text.size() || text[close] != ']') return 0;
  return close + 1;
}

std::size_t end_of_mask_around(std::string_view text, std::size_t at) {
  constexpr std::size_t kMax = Redactor::kMaxRuleName + 18;  // [rule:16 hex digits]
  for (std::size_t back = 1; back <= kMax && back <= at; ++back) {
    const char c = text[at - back];
    if (is_alnum(c) || c == '_' || c == ':') continue;
    if (c != '[') return 0;
    const auto end = at - back + mask_length(text.substr(at - back));
    return end > at ? end : 0;
  }
  return 0;
}

std::optional<Match> match_token(std::string_view text, std::size_t begin) {
  if (text[begin] == 'e' && text.substr(begin).starts_with("eyJ")) return match_jwt(text, begin);
  if (auto match = match_shape(text, begin)) return match;
  if (begin < 3 || text[begin - 1] != '.') return {};
  const auto prefix = before_dot(text, begin);
  return prefix + 1 < begin && begins_free(text, prefix) ? match_shape(text, prefix) : std::nullopt;
}

std::optional<Match> match_private_key(std::string_view text, std::size_t begin) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";
  constexpr std::size_t kMaxLabel = 64;
  if (!text.substr(begin).starts_with(kBegin)) return {};
  const auto label = text.substr(begin + kBegin.size(), kMaxLabel);
  const auto label_end = label.find(kDashes);
  if (label_end == kNone || label.substr(0, label_end).find("PRIVATE KEY") == kNone) return {};
  const auto body = begin + kBegin.size() + label_end + kDashes.size();
  const auto end_line = text.find(kEnd, body);
  // Cut off: what is there of it is secret all the same.
  if (end_line == kNone) return Match{begin, text.size(), index_of(BuiltIn::kPrivateKey)};
  const auto dashes = text.substr(end_line + kEnd.size(), kMaxLabel).find(kDashes);
  const auto end =
      dashes == kNone ? end_line + kEnd.size() : end_line + kEnd.size() + dashes + kDashes.size();
  return Match{begin, end, index_of(BuiltIn::kPrivateKey)};
}

std::optional<Match> match_credentials(std::string_view text, std::size_t begin) {
  constexpr std::size_t kMaxBlanksAfterWord = 4;
  if (!begins_free(text, begin)) return {};
  const auto rest = text.substr(begin);
  const bool bearer = starts_with_ignoring_case(rest, "bearer");
  if (!bearer && !starts_with_ignoring_case(rest, "basic")) return {};
  const auto word_end = begin + (bearer ? 6 : 5);
  const auto value = skip(text.substr(0, word_end + kMaxBlanksAfterWord), word_end, is_blank);
  if (value == word_end) return {};
  return bearer ? match_bearer(text, value) : match_basic(text, value);
}

std::optional<Match> match_url_password(std::string_view text, std::size_t colon) {
  constexpr std::size_t kMaxUserInfo = 512;
  if (begins_free(text, colon) || !text.substr(colon).starts_with("://")) return {};
  const auto begin = colon + 3;
  const auto authority = text.substr(begin, kMaxUserInfo);
  std::size_t password = kNone, at = kNone;
  bool port = true;  // so far only digits follow the colon
  for (std::size_t i = 0; i < authority.size(); ++i) {
    const char c = authority[i];
    if (const auto mask = mask_length(authority.substr(i))) {
      // Its colon parts nothing.
      i += mask - 1;
      port = port && password == kNone;
      continue;
    }
    if (is_space(c) || is_quote(c) || c == '<' || c == '>') break;
    if (authority.substr(i).starts_with("://")) break;
    if (c == '/' || c == '?' || c == '#') {
      // Passwords have these unescaped, too; host:port/path has not.
      if (at != kNone || password == kNone || port) break;
    } else if (c == '@') {
      at = i;
    } else if (c == ':' && password == kNone) {
      password = i + 1;
      continue;
    }
    port = port && (password == kNone || is_digit(c));
  }
  if (password == kNone || at == kNone || at <= password) return {};
  const auto value = authority.substr(password, at - password);
  if (is_mask(value)) return {};
  return Match{begin + password, begin + at, index_of(BuiltIn::kUrlPassword)};
}

std::optional<Match> match_connection_string(std::string_view text, std::size_t at) {
  constexpr std::size_t kMaxUserInfo = 256;
  const auto host = text.substr(at + 1);
  if (!host.starts_with("tcp(") && !host.starts_with("unix(")) return {};
  std::size_t colon = kNone;
  for (auto i = at; i > 0 && at - i < kMaxUserInfo; --i) {
    const char c = text[i - 1];
    if (is_space(c) || is_quote(c) || c == ']') break;
    if (c == ':') colon = i - 1;
  }
  if (colon == kNone || colon + 1 >= at) return {};
  return Match{colon + 1, at, index_of(BuiltIn::kConnectionString)};
}

}  // namespace weir::event::redaction
