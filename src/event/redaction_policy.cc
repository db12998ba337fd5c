#include "event/redaction_policy.h"

#include <algorithm>
#include <bitset>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "event/redaction_chars.h"
#include "event/redaction_rules.h"

namespace weir::event::redaction {
namespace {

/// Longer prefixes and key words are no words; the matchers compare so much at each place.
constexpr std::size_t kMaxWord = 64;
/// A key of HMAC-SHA-256 gets no stronger above 64 bytes.
constexpr std::size_t kMaxPseudonymKey = 1024;

/// A mask can complete what stood before it, so a text is read until nothing is found. The fuzzer
/// has made texts that need four readings, and none yet that needs more; a limit keeps the time
/// linear.
constexpr int kMaxPasses = 8;

Error wrong(std::string_view rule, std::string_view what) {
  return {ErrorCode::kInvalidInput,
          "redaction rule '" + std::string(rule) + "': " + std::string(what)};
}

bool is_rule_name(std::string_view name) {
  return !name.empty() && name.size() <= Redactor::kMaxRuleName && is_lower(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

/// "A-Za-z0-9_-": ranges, and a dash where it cannot be one.
std::optional<std::bitset<256>> parse_alphabet(std::string_view text) {
  std::bitset<256> alphabet;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto low = static_cast<unsigned char>(text[i]);
    const bool range = i + 2 < text.size() && text[i + 1] == '-';
    const auto high = range ? static_cast<unsigned char>(text[i + 2]) : low;
    if (high < low || high >= 0x80 || low < 0x20) return {};
    for (unsigned c = low; c <= high; ++c) alphabet.set(c);
    i += range ? 2 : 0;
  }
  if (alphabet.none()) return {};
  return alphabet;
}

}  // namespace

Result<std::unique_ptr<const CompiledPolicy>> CompiledPolicy::make(const RedactionPolicy& policy) {
  if (policy.keys.size() > Redactor::kMaxKeys || policy.patterns.size() > Redactor::kMaxPatterns) {
    return fail(ErrorCode::kInvalidInput, "redaction: more than 128 keys or 64 patterns");
  }
  if (policy.pseudonym_key.size() > kMaxPseudonymKey) {
    return fail(ErrorCode::kInvalidInput, "redaction: the pseudonym key is over 1024 bytes");
  }
  std::unique_ptr<CompiledPolicy> result(new CompiledPolicy);
  for (const auto& [name, kind, enabled] : kBuiltInRules) {
    result->rules_.push_back({.name = std::string(name), .kind = kind, .enabled = enabled});
  }
  for (const auto& key : policy.keys) WEIR_TRY(result->add_key(key));
  for (const auto& pattern : policy.patterns) WEIR_TRY(result->add_pattern(pattern));
  WEIR_TRY(result->add_literals(policy.literals));
  WEIR_TRY(result->switch_rules(policy.enable, true));
  WEIR_TRY(result->switch_rules(policy.disable, false));
  result->pseudonym_key_ = policy.pseudonym_key;
  result->make_finders(policy);
  return result;
}

Result<RedactionRuleIndex> CompiledPolicy::add_rule(const std::string& name, RedactionKind kind) {
  if (!is_rule_name(name)) {
    return std::unexpected(wrong(name,
                                 "a name is a-z, 0-9 and _, begins with a letter, and has at "
                                 "most 48 characters"));
  }
  const auto same = [&](const RedactionRule& rule) { return rule.name == name; };
  if (std::any_of(rules_.begin(), rules_.end(), same)) {
    return std::unexpected(wrong(name, "there is already a rule of that name"));
  }
  rules_.push_back({.name = name, .kind = kind});
  return static_cast<RedactionRuleIndex>(rules_.size() - 1);
}

Result<void> CompiledPolicy::add_key(const RedactionKey& key) {
  WEIR_TRY(const auto rule, add_rule(key.name, key.kind));
  if (key.key.contains('.')) {
    auto path = PathRule::parse(key.key, rule);
    if (!path)
      return std::unexpected(wrong(key.name, "the path '" + key.key +
                                                 "' has an empty or "
                                                 "more than 16 parts"));
    paths_.push_back(std::move(*path));
    return {};
  }
  auto normal = normalized(key.key);
  if (normal.size() < 2 || normal.size() > kMaxWord) {
    return std::unexpected(wrong(key.name, "a key has 2 to 64 letters and digits"));
  }
  names_.add(std::move(normal), {.rule = rule});
  return {};
}

Result<void> CompiledPolicy::add_pattern(const RedactionPattern& pattern) {
  WEIR_TRY(const auto rule, add_rule(pattern.name, pattern.kind));
  const auto alphabet = parse_alphabet(pattern.alphabet);
  if (!alphabet) {
    return std::unexpected(wrong(pattern.name,
                                 "an alphabet is printable ASCII characters and "
                                 "ranges of them, such as A-Za-z0-9_-"));
  }
  if (pattern.prefix.size() < 2 || pattern.prefix.size() > kMaxWord) {
    return std::unexpected(wrong(pattern.name, "a prefix has 2 to 64 characters"));
  }
  // Otherwise the pattern would find itself in its mask.
  if (pattern.prefix.find_first_of("[]") != std::string::npos || alphabet->test('[') ||
      alphabet->test(']')) {
    return std::unexpected(wrong(pattern.name, "[ and ] are for masks"));
  }
  if (pattern.min_length == 0 || pattern.min_length > pattern.max_length ||
      pattern.max_length > Redactor::kMaxPatternLength) {
    return std::unexpected(wrong(pattern.name, "lengths are from 1 to 4096, the least first"));
  }
  patterns_.push_back({.prefix = pattern.prefix,
                       .alphabet = *alphabet,
                       .min_length = pattern.min_length,
                       .max_length = pattern.max_length,
                       .rule = rule});
  return {};
}

/// A text of several lines is masked line by line, too, and as JSON writes it: so it is logged.
Result<void> CompiledPolicy::add_literals(const std::vector<std::string>& literals) {
  if (literals.empty()) return {};
  if (literals.size() > Redactor::kMaxLiterals) {
    return fail(ErrorCode::kInvalidInput, "redaction: more than 256 literals");
  }
  WEIR_TRY(literal_rule_, add_rule("secret_value", RedactionKind::kSecret));
  for (const auto& literal : literals) {
    // In its own mask, it would be found again and again.
    if (literal.size() < Redactor::kMinLiteral || mask(literal_rule_, "").contains(literal)) {
      return fail(ErrorCode::kInvalidInput,
                  "redaction: a secret's value is under 6 bytes, or a common word: it cannot be "
                  "told from other text");
    }
    literals_.push_back(literal);
    std::string escaped;
    json::append_string(escaped, literal);
    escaped = escaped.substr(1, escaped.size() - 2);
    if (escaped != literal) literals_.push_back(std::move(escaped));
    std::size_t begin = 0;
    for (auto end = literal.find('\n'); begin < literal.size(); end = literal.find('\n', begin)) {
      auto line = literal.substr(begin, end == std::string::npos ? end : end - begin);
      if (line.ends_with('\r')) line.pop_back();
      if (line.size() >= Redactor::kMinLiteral && line != literal) literals_.push_back(line);
      begin = end == std::string::npos ? literal.size() : end + 1;
    }
  }
  std::stable_sort(literals_.begin(), literals_.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return {};
}

Result<void> CompiledPolicy::switch_rules(const std::vector<std::string>& names, bool enabled) {
  for (const auto& name : names) {
    const auto rule = std::find_if(rules_.begin(), rules_.end(),
                                   [&](const RedactionRule& known) { return known.name == name; });
    if (rule == rules_.end()) return std::unexpected(wrong(name, "there is no such rule"));
    rule->enabled = enabled;
  }
  return {};
}

void CompiledPolicy::make_finders(const RedactionPolicy& policy) {
  for (std::size_t i = 0; i < kTextKindCount; ++i) {
    const auto kind = static_cast<TextKind>(i);
    const bool personal = std::find(policy.personal_in.begin(), policy.personal_in.end(), kind) !=
                          policy.personal_in.end();
    RuleSet set;
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      set[rule] = rules_[rule].enabled && (personal || rules_[rule].kind == RedactionKind::kSecret);
    }
    finders_.emplace_back(set, names_);
  }
}

std::string CompiledPolicy::mask(RedactionRuleIndex rule, std::string_view value) const {
  const auto& name = rules_[rule].name;
  if (pseudonym_key_.empty()) return "[REDACTED:" + name + "]";
  constexpr std::size_t kDigits = 16;
  return "[" + name + ":" + hmac_sha256(pseudonym_key_, value).text().substr(0, kDigits) + "]";
}

/// Masks what `find` finds, each time in what is left as in a text of its own: a mask stands before
/// it, so that nothing before can matter, and the same is found in the masked text.
template <class Find>
bool CompiledPolicy::mask_all(std::string_view text, Find find, std::string& out,
                              RedactionCounts& counts) const {
  auto match = find(text);
  if (!match) return false;
  std::string result;
  for (; match; match = find(text)) {
    result.append(text, 0, match->begin);
    result += mask(match->rule, text.substr(match->begin, match->end - match->begin));
    counts.add(match->rule);
    text.remove_prefix(match->end);
  }
  result.append(text);
  out = std::move(result);
  return true;
}

bool CompiledPolicy::mask_text(std::string_view text, TextKind kind, std::string& out,
                               RedactionCounts& counts) const {
  const bool has_literal = !literals_.empty() && mask_literals(text, out, counts);
  if (has_literal) text = out;
  if (!mask_once(text, finder(kind), out, counts)) return has_literal;
  for (int pass = 1; pass < kMaxPasses && mask_once(out, finder(kind), out, counts);) ++pass;
  return true;
}

bool CompiledPolicy::mask_once(std::string_view text, const Finder& built_in, std::string& out,
                               RedactionCounts& counts) const {
  // What the user names goes first: it is the more exact word for it.
  const bool masked = !patterns_.empty() && mask_patterns(text, built_in, out, counts);
  if (masked) text = out;
  const auto find = [&](std::string_view rest) { return built_in.find(rest); };
  return mask_all(text, find, out, counts) || masked;
}

bool CompiledPolicy::mask_literals(std::string_view text, std::string& out,
                                   RedactionCounts& counts) const {
  bool masked = false;
  for (const auto& literal : literals_) {
    const auto find = [&](std::string_view rest) -> std::optional<Match> {
      const auto begin = rest.find(literal);
      if (begin == std::string_view::npos) return {};
      return Match{.begin = begin, .end = begin + literal.size(), .rule = literal_rule_};
    };
    if (!mask_all(text, find, out, counts)) continue;
    masked = true;
    text = out;
  }
  return masked;
}

bool CompiledPolicy::mask_patterns(std::string_view text, const Finder& rules, std::string& out,
                                   RedactionCounts& counts) const {
  bool masked = false;
  for (const auto& pattern : patterns_) {
    if (!rules.applies(pattern.rule)) continue;
    const auto find = [&](std::string_view rest) { return find_pattern(rest, pattern); };
    if (!mask_all(text, find, out, counts)) continue;
    masked = true;
    text = out;
  }
  return masked;
}

}  // namespace weir::event::redaction
