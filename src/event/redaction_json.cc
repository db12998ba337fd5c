// Redactor::redact_json: JSON walked as text.

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "event/redaction_chars.h"
#include "event/redaction_policy.h"
#include "event/redaction_secrets.h"

namespace weir::event::redaction {
namespace {

std::optional<unsigned> hex4(std::string_view text) {
  if (text.size() < 4) return {};
  unsigned value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = to_lower(text[i]);
    if (!is_hex(c)) return {};
    value = value << 4U | static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  return value;
}

void append_utf8(std::string& out, unsigned code) {
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0U | code >> 6U);
  } else if (code < 0x10000) {
    add(0xE0U | code >> 12U);
    add(0x80U | (code >> 6U & 0x3FU));
  } else {
    add(0xF0U | code >> 18U);
    add(0x80U | (code >> 12U & 0x3FU));
    add(0x80U | (code >> 6U & 0x3FU));
  }
  add(0x80U | (code & 0x3FU));
}

/// The character of \uXXXX at `at`, after the u; `at` moves past it and its second half.
std::optional<unsigned> unicode_escape(std::string_view raw, std::size_t& at) {
  auto code = hex4(raw.substr(at));
  if (!code) return {};
  at += 4;
  if (*code < 0xD800 || *code > 0xDFFF) return code;
  if (*code >= 0xDC00 || !raw.substr(at).starts_with("\\u")) return {};
  const auto low = hex4(raw.substr(at + 2));
  if (!low || *low < 0xDC00 || *low > 0xDFFF) return {};
  at += 6;
  return 0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00);
}

/// Appends a string's text without its escapes (RFC 8259, section 7). False: it has wrong ones.
bool append_unescaped(std::string& out, std::string_view raw) {
  constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  for (std::size_t at = 0; at < raw.size();) {
    const auto backslash = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, backslash - at);
    if (backslash == raw.size()) return true;
    if (backslash + 1 == raw.size()) return false;
    const char letter = raw[backslash + 1];
    at = backslash + 2;
    if (letter == 'u') {
      const auto code = unicode_escape(raw, at);
      if (!code) return false;
      append_utf8(out, *code);
      continue;
    }
    const auto meaning = kLetters.find(letter);
    if (meaning == std::string_view::npos) return false;
    out += kMeanings[meaning];
  }
  return true;
}

/// Where from `at` on the first quote or backslash is; the size of `text` when there is none.
/// Sixteen or eight bytes at a time and without a call: most strings are short. The high bit of
/// each of eight bytes that is one of them, and perhaps of some that follow it.
std::size_t find_special(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  for (; at + sizeof(__m128i) <= text.size(); at += sizeof(__m128i)) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto equal = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    const auto special =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(equal('"'), equal('\\'))));
    if (special != 0) return at + static_cast<std::size_t>(std::countr_zero(special));
  }
#endif
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= text.size(); at += 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      const auto quote = bytes ^ kOnes * '"', backslash = bytes ^ kOnes * '\\';
      const auto special =
          (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash)) & kHighs;
      if (special != 0) return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
  return std::min(at, text.size());
}

bool is_structure(char c) { return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':'; }

/// A count under a weak name is no secret: {"token": 5}. Six digits may be a code.
constexpr std::size_t kMinNumber = 6;

/// A string as it is written, between its quotes.
struct RawString {
  std::string_view text;
  bool has_escapes = false;
};

/// Copies a JSON value, masking strings and the values of telling keys.
///
/// It does not prove that the text is JSON: it needs strings, brackets and the order of keys and
/// values, and gives up where those are not as they must be.
class JsonWalk {
 public:
  JsonWalk(std::string_view json, TextKind kind, const CompiledPolicy& policy)
      : json_(json), kind_(kind), policy_(policy) {}

  enum class Outcome : std::uint8_t { kClean, kMasked, kNotJson };
  [[nodiscard]] Outcome run();
  /// After kMasked: the new text.
  [[nodiscard]] std::string take() { return std::move(out_); }
  [[nodiscard]] const RedactionCounts& counts() const { return counts_; }

 private:
  [[nodiscard]] bool step();
  [[nodiscard]] bool string();
  [[nodiscard]] bool key(const RawString& raw);
  void value_string(std::size_t begin, const RawString& raw);
  [[nodiscard]] bool open(char bracket);
  [[nodiscard]] bool close(char bracket);
  [[nodiscard]] bool scalar();
  [[nodiscard]] std::optional<NameRule> rule_of(std::string_view key);
  void note_pair();
  [[nodiscard]] bool mask_value(NameRule rule);
  [[nodiscard]] std::optional<std::size_t> value_end(std::size_t begin) const;
  [[nodiscard]] std::optional<RawString> string_at(std::size_t begin) const;
  static std::string_view text_of(const RawString& raw, std::string& buffer);
  void mask_whole(RedactionRuleIndex rule, std::size_t begin, std::size_t end,
                  std::string_view value);
  void replace(std::size_t begin, std::size_t end, std::string_view text);

  std::string_view json_;
  TextKind kind_;
  const CompiledPolicy& policy_;
  RedactionCounts counts_;

  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::bitset<json::kMaxDepth + 1> is_object_;
  bool expects_key_ = false;
  std::vector<std::string> path_;      // only with path rules: the key at each depth
  std::optional<NameRule> pair_rule_;  // of a member `name` or `key`, for the `value` beside it
  std::size_t pair_depth_ = 0;         // 0: there is none

  std::string out_;
  std::size_t copied_ = 0;
  std::string buffer_, masked_;
};

JsonWalk::Outcome JsonWalk::run() {
  while (at_ < json_.size()) {
    if (!step()) return Outcome::kNotJson;
  }
  if (depth_ != 0) return Outcome::kNotJson;
  if (copied_ == 0) return Outcome::kClean;
  out_.append(json_, copied_);
  return Outcome::kMasked;
}

bool JsonWalk::step() {
  const char c = json_[at_];
  switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
      ++at_;
      return true;
    case ',':
      ++at_;
      expects_key_ = depth_ > 0 && is_object_[depth_];
      return depth_ > 0;
    case '{':
    case '[':
      return open(c);
    case '}':
    case ']':
      return close(c);
    case '"':
      return string();
    default:
      return scalar();
  }
}

bool JsonWalk::open(char bracket) {
  if (expects_key_ || depth_ == json::kMaxDepth) return false;
  ++at_;
  ++depth_;
  is_object_[depth_] = bracket == '{';
  expects_key_ = bracket == '{';
  if (pair_depth_ >= depth_) pair_depth_ = 0;
  if (!policy_.paths().empty()) path_.resize(depth_ + 1);
  return true;
}

bool JsonWalk::close(char bracket) {
  if (depth_ == 0 || is_object_[depth_] != (bracket == '}')) return false;
  ++at_;
  --depth_;
  expects_key_ = false;
  return true;
}

bool JsonWalk::scalar() {
  const auto end = skip(json_, at_, [](char c) { return !is_structure(c) && c != '"'; });
  if (end == at_ || expects_key_) return false;
  at_ = end;
  return true;
}

/// From behind its opening quote. Nothing: it has no end.
std::optional<RawString> JsonWalk::string_at(std::size_t begin) const {
  bool has_escapes = false;
  // A backslash takes what follows it with it.
  for (auto at = find_special(json_, begin); at < json_.size(); at = find_special(json_, at + 2)) {
    if (json_[at] == '"') {
      return RawString{.text = json_.substr(begin, at - begin), .has_escapes = has_escapes};
    }
    has_escapes = true;
  }
  return {};
}

bool JsonWalk::string() {
  const auto begin = at_ + 1;
  const auto raw = string_at(begin);
  if (!raw) return false;
  at_ = begin + raw->text.size() + 1;
  if (expects_key_) return key(*raw);
  value_string(begin, *raw);
  return true;
}

std::string_view JsonWalk::text_of(const RawString& raw, std::string& buffer) {
  if (!raw.has_escapes) return raw.text;
  buffer.clear();
  // A wrong escape is no reason to leave out what stands around it.
  if (!append_unescaped(buffer, raw.text)) return raw.text;
  return buffer;
}

bool JsonWalk::key(const RawString& raw) {
  expects_key_ = false;
  at_ = skip(json_, at_, is_space);
  if (at_ >= json_.size() || json_[at_] != ':') return false;
  at_ = skip(json_, at_ + 1, is_space);
  if (at_ >= json_.size()) return false;
  const auto name = text_of(raw, buffer_);
  auto rule = rule_of(name);
  if (!rule && name == "value" && pair_depth_ == depth_) rule = pair_rule_;
  if (name == "name" || name == "key") note_pair();
  return !rule || !policy_.applies(rule->rule, kind_) || mask_value(*rule);
}

/// {"name": "DB_PASSWORD", "value": "…"} says what {"DB_PASSWORD": "…"} does.
void JsonWalk::note_pair() {
  const auto raw = json_[at_] == '"' ? string_at(at_ + 1) : std::nullopt;
  pair_depth_ = raw ? depth_ : 0;
  if (raw) pair_rule_ = policy_.names().find(text_of(*raw, buffer_));
}

std::optional<NameRule> JsonWalk::rule_of(std::string_view key) {
  if (!policy_.paths().empty()) {
    path_[depth_] = key;
    std::vector<std::string_view> keys;
    for (std::size_t depth = 1; depth <= depth_; ++depth) {
      if (is_object_[depth]) keys.emplace_back(path_[depth]);
    }
    for (const auto& path : policy_.paths()) {
      if (path.matches(keys)) return NameRule{.rule = path.rule()};
    }
  }
  return policy_.names().find(key);
}

std::optional<std::size_t> JsonWalk::value_end(std::size_t begin) const {
  std::size_t depth = 0;
  for (auto at = begin; at < json_.size();) {
    const char c = json_[at];
    if (c == '"') {
      const auto raw = string_at(at + 1);
      if (!raw) return {};
      at += raw->text.size() + 2;
    } else {
      depth += c == '{' || c == '[' ? 1 : 0;
      if (c == '}' || c == ']') {
        if (depth == 0) return {};
        --depth;
      }
      ++at;
    }
    if (depth > json::kMaxDepth) return {};
    if (depth == 0) return at;
  }
  return {};
}

/// The value that begins at `at_`, whole. Truth values and null say nothing, nor do empty ones.
bool JsonWalk::mask_value(NameRule rule) {
  const auto begin = at_;
  const char first = json_[begin];
  if (first == '-' || is_digit(first)) {
    const auto end = skip(json_, begin, [](char c) { return !is_structure(c) && c != '"'; });
    const bool counts = rule.strength != NameStrength::kStrong && end - begin < kMinNumber;
    if (!counts) mask_whole(rule.rule, begin, end, json_.substr(begin, end - begin));
    at_ = end;
    return true;
  }
  if (first != '"' && first != '{' && first != '[') return true;  // the walk reads it
  const auto end = value_end(begin);
  if (!end) return false;
  const auto inside = json_.substr(begin + 1, *end - begin - 2);
  const bool empty = skip(inside, 0, is_space) == inside.size();
  if (first != '"') {
    if (!empty) mask_whole(rule.rule, begin, *end, json_.substr(begin, *end - begin));
    at_ = *end;
    return true;
  }
  const auto text = text_of({.text = inside, .has_escapes = inside.contains('\\')}, buffer_);
  const bool path = rule.strength == NameStrength::kPath && text.starts_with('/');
  if (path) return true;
  if (!text.empty() && !is_mask(text)) mask_whole(rule.rule, begin, *end, text);
  at_ = *end;
  return true;
}

void JsonWalk::value_string(std::size_t begin, const RawString& raw) {
  if (policy_.mask_text(text_of(raw, buffer_), kind_, masked_, counts_)) {
    replace(begin - 1, begin + raw.text.size() + 1, masked_);
  }
}

void JsonWalk::mask_whole(RedactionRuleIndex rule, std::size_t begin, std::size_t end,
                          std::string_view value) {
  replace(begin, end, policy_.mask(rule, value));
  counts_.add(rule);
}

void JsonWalk::replace(std::size_t begin, std::size_t end, std::string_view text) {
  out_.append(json_, copied_, begin - copied_);
  json::append_string(out_, text);
  copied_ = end;
}

}  // namespace
}  // namespace weir::event::redaction

namespace weir::event {

bool Redactor::redact_json(std::string_view json, TextKind kind, std::string& out,
                           RedactionCounts& counts) const {
  using Outcome = redaction::JsonWalk::Outcome;
  redaction::JsonWalk walk(json, kind, *policy_);
  switch (walk.run()) {
    case Outcome::kClean:
      return false;
    case Outcome::kMasked:
      out = walk.take();
      counts.add(walk.counts());
      return true;
    case Outcome::kNotJson:
      break;
  }
  return redact_text(json, kind, out, counts);
}

}  // namespace weir::event
