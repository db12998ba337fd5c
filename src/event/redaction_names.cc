#include "event/redaction_names.h"

#include <algorithm>

#include "event/redaction_chars.h"
#include "event/redaction_secrets.h"

namespace weir::event::redaction {
namespace {

struct BuiltInName {
  std::string_view normal;
  NameStrength strength;
};

// A name stands for every key that ends in it: "secret" is client_secret, too. Not here: "auth",
// "key" and "pass", which end too many innocent keys, and plurals of "token", which are counted.
constexpr BuiltInName kNames[] = {
    {"password", NameStrength::kStrong},
    {"passwd", NameStrength::kStrong},
    {"passphrase", NameStrength::kStrong},
    {"passcode", NameStrength::kStrong},
    {"passwordhash", NameStrength::kStrong},
    {"pwd", NameStrength::kPath},
    {"dbpass", NameStrength::kWeak},
    {"userpass", NameStrength::kWeak},
    {"smtppass", NameStrength::kWeak},
    {"credential", NameStrength::kWeak},
    {"credentials", NameStrength::kWeak},
    {"apikey", NameStrength::kStrong},
    {"apisecret", NameStrength::kStrong},
    {"secretkey", NameStrength::kStrong},
    {"secretaccesskey", NameStrength::kStrong},
    {"clientsecret", NameStrength::kStrong},
    {"accountkey", NameStrength::kStrong},
    {"sharedaccesskey", NameStrength::kStrong},
    {"accesskey", NameStrength::kWeak},
    {"encryptionkey", NameStrength::kWeak},
    {"signingkey", NameStrength::kWeak},
    {"masterkey", NameStrength::kWeak},
    {"privatekey", NameStrength::kPath},
    {"sshkey", NameStrength::kPath},
    {"authkey", NameStrength::kWeak},
    {"secret", NameStrength::kWeak},
    {"secrets", NameStrength::kWeak},
    {"secretvalue", NameStrength::kWeak},
    {"token", NameStrength::kWeak},
    {"jwt", NameStrength::kWeak},
    {"otp", NameStrength::kWeak},
    {"totp", NameStrength::kWeak},
    {"cvv", NameStrength::kWeak},
    {"cvc", NameStrength::kWeak},
    {"csrf", NameStrength::kWeak},
    {"xsrf", NameStrength::kWeak},
    {"amzsignature", NameStrength::kWeak},
    {"authorization", NameStrength::kScheme},
    {"cookie", NameStrength::kPairs},
};

/// A shorter name must begin where a word does: "otp" is not in "footprotp".
constexpr std::size_t kFreeLength = 5;

bool begins_word(std::string_view text, std::size_t at) {
  if (at == 0 || !is_alnum(text[at - 1])) return true;
  return is_upper(text[at]) && !is_upper(text[at - 1]);
}

/// Where `normal` begins, read backwards from the end of `text` over single separators.
std::optional<std::size_t> begin_of(std::string_view normal, std::string_view text) {
  std::size_t at = text.size();
  for (auto left = normal.size(); left > 0; --left) {
    if (at == 0) return {};
    --at;
    if (left < normal.size() && at > 0 && is_separator(text[at])) --at;
    if (to_lower(text[at]) != normal[left - 1]) return {};
  }
  return at;
}

// ---- names in the text of people ----

/// Blanks around a sign, as in aligned settings; more is another column.
constexpr std::size_t kMaxBlanks = 16;

/// What stands after a name when no secret does.
constexpr std::string_view kProse[] = {
    "null",  "none",   "nil",  "undefined", "true",    "false",   "required",  "optional",
    "empty", "unset",  "set",  "missing",   "invalid", "expired", "incorrect", "wrong",
    "must",  "is",     "was",  "not",       "too",     "cannot",  "does",      "has",
    "or",    "and",    "to",   "for",       "in",      "with",    "from",      "the",
    "a",     "option", "flag", "argument",  "string",  "str",     "changed",   "failed",
};

struct Value {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool quoted = false;
};

/// The end of the name before `sign`, past blanks, a closing quote and the bracket of x["name"].
std::size_t name_end(std::string_view text, std::size_t sign) {
  auto end = sign;
  if (text[sign] == '=' && end > 0 && text[end - 1] == ':') --end;
  for (std::size_t n = 0; n < kMaxBlanks && end > 0 && is_blank(text[end - 1]); ++n) --end;
  if (end > 1 && text[end - 1] == ']' && is_quote(text[end - 2])) --end;
  if (end > 0 && is_quote(text[end - 1])) --end;
  if (end > 0 && text[end - 1] == '\\') --end;
  return end;
}

/// Whether `sign` compares (==, !=, <=), scopes (::) or is the first half of := .
bool is_other_sign(std::string_view text, std::size_t sign) {
  const char next = sign + 1 < text.size() ? text[sign + 1] : '\0';
  const char before = sign > 0 ? text[sign - 1] : '\0';
  if (text[sign] == ':') return next == ':' || next == '=' || before == ':';
  return next == '=' || before == '=' || before == '!' || before == '<' || before == '>';
}

/// The closing quote of a value that begins at `begin`, of the kind that opened it.
std::optional<std::size_t> closing_quote(std::string_view text, std::size_t begin, char quote,
                                         bool escaped) {
  for (auto i = begin; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == quote) return i;
    if (text[i] != '\\') continue;
    if (escaped && i + 1 < text.size() && text[i + 1] == quote) return i;
    ++i;
  }
  return {};
}

bool ends_value(char c) { return is_space(c) || is_quote(c) || c == ',' || c == ';' || c == '&'; }
bool closes(char c) { return c == ')' || c == ']' || c == '}' || c == '>'; }

/// So much is read of a value before it is known to be one: a text of "token:token:token:" would
/// otherwise be read to its end from each of them.
constexpr std::size_t kMaxUndecided = 256;

/// An unquoted value. Brackets inside are part of it, and so are masks.
Value bare_value(std::string_view text, std::size_t begin) {
  auto end = begin, mask_end = begin;
  while (end < text.size() && !ends_value(text[end])) {
    const auto mask = mask_length(text.substr(end));
    end += mask != 0 ? mask : 1;
    if (mask != 0) mask_end = end;
  }
  if (text[begin] == '<' && end > begin && text[end - 1] == '>') return {begin, end};
  while (end > mask_end && closes(text[end - 1])) --end;
  if (end > mask_end && text[end - 1] == '\\') --end;  // of an escaped quote
  return {.begin = begin, .end = end};
}

Value value_at(std::string_view text, std::size_t begin) {
  const bool escaped = begin + 1 < text.size() && text[begin] == '\\' && is_quote(text[begin + 1]);
  const auto open = begin + (escaped ? 1 : 0);
  if (begin >= text.size()) return {begin, begin};
  if (open >= text.size() || !is_quote(text[open])) return bare_value(text, begin);
  const auto end = closing_quote(text, open + 1, text[open], escaped);
  if (!end) return open + 1 < text.size() ? bare_value(text, open + 1) : Value{open + 1, open + 1};
  return {.begin = open + 1, .end = *end, .quoted = true};
}

bool is_prose(std::string_view value) {
  while (!value.empty() && (value.back() == '.' || value.back() == '!' || value.back() == ':')) {
    value.remove_suffix(1);
  }
  return std::any_of(std::begin(kProse), std::end(kProse), [&](std::string_view word) {
    return value.size() == word.size() && starts_with_ignoring_case(value, word);
  });
}

/// A reference to a secret instead of one: ${secrets.DB}, $(cat f), {{ x }}, <your-key>, ****.
bool is_placeholder(std::string_view value) {
  return (value.starts_with('<') && value.ends_with('>')) || value.starts_with("${") ||
         value.starts_with("$(") || value.starts_with("{{") || value.starts_with("***") ||
         value.starts_with("%s") || value == "{}" || value == "[]";
}

/// name=x is written by programs, "name: x" by people, too.
enum class Sign : std::uint8_t { kJoined, kLoose };

bool looks_secret(std::string_view value, bool quoted, Sign sign) {
  constexpr std::size_t kMinJoined = 6, kMin = 8;
  if (quoted) return value.size() >= kMin;
  if (sign == Sign::kJoined) return value.size() >= kMinJoined;
  return value.size() >= kMin && std::any_of(value.begin(), value.end(), is_digit) &&
         std::any_of(value.begin(), value.end(), is_letter);
}

bool is_path(std::string_view value) {
  return value.starts_with('/') || value.starts_with("./") || value.starts_with("~/");
}

bool is_secret(std::string_view value, bool quoted, Sign sign, NameStrength strength) {
  if (value.empty() || is_mask(value)) return false;
  if (is_placeholder(value) || (!quoted && is_prose(value))) return false;
  switch (strength) {
    case NameStrength::kStrong:
      return true;
    case NameStrength::kPath:
      return !is_path(value);
    case NameStrength::kWeak:
    case NameStrength::kScheme:
    case NameStrength::kPairs:
      return looks_secret(value, quoted, sign);
  }
  return true;
}

std::optional<Match> match_value(std::string_view text, std::size_t begin, NameRule name,
                                 Sign sign) {
  auto value = value_at(text.substr(0, begin + kMaxUndecided), begin);
  const bool cut = value.end + 1 >= begin + kMaxUndecided;
  if (cut) name.strength = NameStrength::kStrong;  // no word of prose is as long
  const auto content = text.substr(value.begin, value.end - value.begin);
  if (!is_secret(content, value.quoted, sign, name.strength)) return {};
  if (cut || !value.quoted) value = value_at(text, begin);
  return Match{value.begin, value.end, name.rule};
}

/// What follows of a header line, of which a quote may close what it is in.
std::size_t line_end(std::string_view text, std::size_t begin) {
  return skip(text, begin, [](char c) { return c != '\n' && c != '\r' && c != '"' && c != '\''; });
}

std::optional<Match> rest_of_line(std::string_view text, std::size_t begin,
                                  RedactionRuleIndex rule) {
  auto end = line_end(text, begin);
  while (end > begin && (is_blank(text[end - 1]) || text[end - 1] == '\\')) --end;
  const auto value = text.substr(begin, end - begin);
  if (value.empty() || is_mask(value)) return {};
  return Match{begin, end, rule};
}

/// Authorization: SCHEME x (RFC 9110, section 11.6.2). The scheme stays: it says what failed.
std::optional<std::size_t> after_scheme(std::string_view text, std::size_t begin) {
  constexpr std::string_view kSchemes[] = {"bearer", "basic",     "digest", "token",
                                           "apikey", "negotiate", "ntlm",   "aws4-hmac-sha256"};
  const auto rest = text.substr(begin);
  for (const auto scheme : kSchemes) {
    const auto end = begin + scheme.size();
    if (!starts_with_ignoring_case(rest, scheme) || end >= text.size() || !is_blank(text[end])) {
      continue;
    }
    return skip(text, end, is_blank);
  }
  return {};
}

}  // namespace

std::string normalized(std::string_view word) {
  std::string normal;
  for (const char c : word) {
    if (is_alnum(c)) normal += to_lower(c);
  }
  return normal;
}

NameMatcher::NameMatcher() {
  for (const auto& [normal, strength] : kNames) {
    add(std::string(normal), {.rule = index_of(BuiltIn::kNamedSecret), .strength = strength});
  }
}

void NameMatcher::add(std::string normal, NameRule rule) {
  for (const char before : {normal[normal.size() - 2], '_', '-', '.', ' '}) {
    pairs_.set(pair(before, normal.back()));
  }
  auto& names = by_last_[static_cast<std::size_t>(normal.back()) & 31U];
  // The longest first, so that the more exact name decides; of equal ones the later, a policy's.
  const auto place = std::find_if(names.begin(), names.end(), [&](const Name& name) {
    return name.normal.size() <= normal.size();
  });
  names.insert(place, {std::move(normal), rule});
}

std::optional<NameRule> NameMatcher::find_slowly(std::string_view text) const {
  const auto word = without_number(text);
  for (const auto key : {text, word}) {
    if (!has_pair(key)) continue;
    // Of the names that end alike most are told apart by the letter before; a separator may be any.
    const char before = to_lower(key[key.size() - 2]);
    for (const auto& name : by_last_[static_cast<std::size_t>(key.back()) & 31U]) {
      if (is_alnum(before) && before != name.normal[name.normal.size() - 2]) continue;
      const auto begin = begin_of(name.normal, key);
      if (begin && (name.normal.size() >= kFreeLength || begins_word(key, *begin))) {
        return name.rule;
      }
    }
    if (word.size() == text.size()) break;
  }
  return {};
}

std::optional<PathRule> PathRule::parse(std::string_view path, RedactionRuleIndex rule) {
  PathRule result;
  result.rule_ = rule;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    result.parts_.push_back(part == "*" ? "*" : normalized(part));
    if (result.parts_.back().empty() || result.parts_.size() > kMaxParts) return {};
    begin = end + 1;
  }
  return result;
}

bool PathRule::matches(std::span<const std::string_view> keys) const {
  auto part = parts_.rbegin();
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    for (auto rest = *key;;) {
      const auto dot = rest.rfind('.');
      const auto word = dot == std::string_view::npos ? rest : rest.substr(dot + 1);
      if (*part != "*" && *part != normalized(word)) return false;
      if (++part == parts_.rend()) return true;
      if (dot == std::string_view::npos) break;
      rest = rest.substr(0, dot);
    }
  }
  return false;
}

std::optional<Match> match_named(std::string_view text, std::size_t sign,
                                 const NameMatcher& names) {
  const auto name = names.find(text.substr(0, name_end(text, sign)));
  if (!name || is_other_sign(text, sign)) return {};
  const bool arrow = text.substr(sign).starts_with("=>");
  const auto after = sign + (arrow ? 2 : 1);
  const auto begin = skip(text.substr(0, after + kMaxBlanks), after, is_blank);
  if (begin >= text.size()) return {};

  if (name->strength == NameStrength::kScheme) {
    if (const auto secret = after_scheme(text, begin)) {
      return rest_of_line(text, *secret, name->rule);
    }
  }
  if (name->strength == NameStrength::kPairs && text[sign] == ':' && !is_quote(text[begin])) {
    const auto head = text.substr(0, begin + kMaxUndecided);
    const auto line = head.substr(begin, line_end(head, begin) - begin);
    return line.contains('=') ? rest_of_line(text, begin, name->rule) : std::nullopt;
  }
  return match_value(text, begin, {.rule = name->rule, .strength = name->strength},
                     text[sign] == '=' && begin == after ? Sign::kJoined : Sign::kLoose);
}

std::optional<Match> match_flag(std::string_view text, std::size_t begin,
                                const NameMatcher& names) {
  constexpr std::size_t kMaxFlag = 40;
  const auto name_begin = begin + 2;
  const auto end = skip(text.substr(0, name_begin + kMaxFlag), name_begin, is_word);
  if (end >= text.size() || end == name_begin || !is_blank(text[end])) return {};
  const auto name = names.find(text.substr(0, end));
  if (!name) return {};
  const auto value_begin = skip(text.substr(0, end + kMaxBlanks), end, is_blank);
  if (value_begin >= text.size() || text[value_begin] == '-') return {};
  const auto strength =
      name->strength == NameStrength::kPath ? name->strength : NameStrength::kStrong;
  return match_value(text, value_begin, {.rule = name->rule, .strength = strength}, Sign::kJoined);
}

}  // namespace weir::event::redaction
