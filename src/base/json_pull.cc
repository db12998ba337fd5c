#include "base/json_pull.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"

namespace weir::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The first byte from `at` on that ends a string or what is plain in it: a quote, a backslash or a
/// control character. Eight at a time: the high bit of each byte that is one of them, and perhaps
/// of some that follow it.
const char* find_special(const char* at, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  for (; end - at >= 8; at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    const auto quote = bytes ^ kOnes * '"', backslash = bytes ^ kOnes * '\\';
    const auto special = (((bytes - kOnes * 0x20) & ~bytes) | ((quote - kOnes) & ~quote) |
                          ((backslash - kOnes) & ~backslash)) &
                         kHighs;
    if (special == 0) continue;
    if constexpr (std::endian::native != std::endian::little) break;
    return at + std::countr_zero(special) / 8;
  }
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

/// One to four digits of a `\u`; nothing else.
bool parse_hex(std::string_view digits, std::uint32_t& code) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  return digits.size() == 4 && error == std::errc() && end == digits.data() + digits.size();
}

char* put_utf8(char* out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  const auto put_rest = [&](unsigned shift) { put(0x80U | (code >> shift & 0x3FU)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put_rest(0);
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put_rest(6);
    put_rest(0);
  } else {
    put(0xF0U | code >> 18U);
    put_rest(12);
    put_rest(6);
    put_rest(0);
  }
  return out;
}

/// What the letter after a backslash stands for; 0: nothing.
char escape_of(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/// Where the number that begins at `at` ends; null: there is none.
const char* end_of_number(const char* at, const char* end, bool& whole) {
  const auto digits = [&] {
    const char* const before = at;
    while (at != end && is_digit(*at)) ++at;
    return at != before;
  };
  if (at != end && *at == '-') ++at;
  const bool zero = at != end && *at == '0';
  if (zero) ++at;
  if (!zero && !digits()) return nullptr;
  whole = true;
  if (at != end && *at == '.') {
    ++at;
    whole = false;
    if (!digits()) return nullptr;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    whole = false;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return nullptr;
  }
  return at;
}

double double_of(std::string_view text) {
  double value = 0;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  if (error != std::errc::result_out_of_range) return value;
  const bool tiny = text.contains("e-") || text.contains("E-") || text.starts_with("0.") ||
                    text.starts_with("-0.");
  if (tiny) return 0;
  const auto infinity = std::numeric_limits<double>::infinity();
  return text.front() == '-' ? -infinity : infinity;
}

}  // namespace

void PullReader::fail(const char* what, const char* at) {
  if (!failed()) {
    what_ = what;
    offset_ = static_cast<std::size_t>(at - begin_);
  }
  at_ = end_;
}

Kind PullReader::peek() {
  skip_space();
  if (at_ == end_) {
    fail("the text ends where a value should be");
    return Kind::kNull;
  }
  switch (*at_) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    case 't':
    case 'f':
      return Kind::kBoolean;
    case 'n':
      return Kind::kNull;
    default:
      if (*at_ == '-' || is_digit(*at_)) return Kind::kNumber;
      fail("there is no value");
      return Kind::kNull;
  }
}

void PullReader::begin(char bracket, const char* wanted) {
  skip_space();
  if (failed()) return;
  if (at_ == end_ || *at_ != bracket) return fail(wanted);
  ++at_;
  first_ = true;
}

bool PullReader::next(char closing) {
  skip_space();
  if (at_ == end_) {
    fail("the text ends in a list or an object");
    return false;
  }
  const bool first = std::exchange(first_, false);
  if (*at_ == closing) {
    ++at_;
    return false;
  }
  if (first) return true;
  if (*at_ != ',') {
    fail("a comma should be here");
    return false;
  }
  ++at_;
  return true;
}

bool PullReader::next_item() { return next(']'); }

bool PullReader::next_member(std::string_view& key) {
  if (!next('}')) return false;
  skip_space();
  if (at_ == end_ || *at_ != '"') {
    fail("a name in quotes should be here");
    return false;
  }
  key = string();
  skip_space();
  if (!failed() && (at_ == end_ || *at_ != ':')) fail("a colon should be here");
  if (failed()) return false;
  ++at_;
  return true;
}

const char* PullReader::find_quote(const char* at, bool& escaped) const {
  while (true) {
    at = find_special(at, end_);
    if (at == end_) return nullptr;
    if (*at == '"') return at;
    if (*at != '\\' || end_ - at < 2) return nullptr;
    escaped = true;
    at += 2;
  }
}

std::string_view PullReader::string() {
  skip_space();
  if (failed()) return {};
  if (at_ == end_ || *at_ != '"') {
    fail("a string should be here");
    return {};
  }
  bool escaped = false;
  const char* const quote = find_quote(at_ + 1, escaped);
  if (quote == nullptr) {
    fail("a string has no end, or a control character in it");
    return {};
  }
  const std::string_view raw(at_ + 1, quote);
  const auto text = escaped ? unescaped(raw) : raw;
  if (!failed()) at_ = quote + 1;
  return text;
}

std::string_view PullReader::unescaped(std::string_view raw) {
  auto* const text = static_cast<char*>(unescaped_.allocate(raw.size(), 1));
  auto* out = text;
  while (!raw.empty()) {
    const auto plain = raw.substr(0, raw.find('\\'));
    out += plain.copy(out, plain.size());
    raw.remove_prefix(plain.size());
    if (!raw.empty()) out = unescape(raw, out);
    if (failed()) return {};
  }
  return {text, out};
}

/// Of an escape that `raw` begins with: six bytes make three at the most, two make one.
char* PullReader::unescape(std::string_view& raw, char* out) {
  if (raw[1] != 'u') {
    const char c = escape_of(raw[1]);
    if (c == 0) fail("a backslash before what needs none", raw.data());
    raw.remove_prefix(2);
    *out++ = c;
    return out;
  }
  std::uint32_t code = 0, low = 0;
  if (!parse_hex(raw.substr(2, 4), code)) {
    fail("\\u without four hexadecimal digits", raw.data());
    return out;
  }
  raw.remove_prefix(6);
  const auto is_low = [](std::uint32_t half) { return half >= 0xDC00 && half < 0xE000; };
  const bool is_high = code >= 0xD800 && code < 0xDC00;
  if (is_high && raw.starts_with("\\u") && parse_hex(raw.substr(2, 4), low) && is_low(low)) {
    raw.remove_prefix(6);
    code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
  } else if (is_high || is_low(code)) {
    code = 0xFFFD;
  }
  return put_utf8(out, code);
}

PullReader::Number PullReader::number() {
  skip_space();
  Number read;
  if (failed()) return read;
  bool whole = false;
  const char* const end = end_of_number(at_, end_, whole);
  if (end == nullptr) {
    fail("a number should be here");
    return read;
  }
  read.text = {at_, end};
  at_ = end;
  if (whole && std::from_chars(read.text.data(), end, read.integer).ec == std::errc()) {
    read.number = static_cast<double>(read.integer);
    // As JavaScript has it, there is a zero that is negative.
    if (read.text == "-0") read.number = -0.0;
    return read;
  }
  read.kind = Kind::kNumber;
  read.number = double_of(read.text);
  return read;
}

void PullReader::word(std::string_view word) {
  skip_space();
  if (failed()) return;
  if (!std::string_view(at_, end_).starts_with(word)) return fail("there is no value");
  at_ += word.size();
}

bool PullReader::boolean() {
  skip_space();
  const bool value = at_ != end_ && *at_ == 't';
  word(value ? "true" : "false");
  return value;
}

void PullReader::skip(int depth) {
  switch (peek()) {
    case Kind::kNull:
      return null();
    case Kind::kBoolean:
      return static_cast<void>(boolean());
    case Kind::kInteger:
    case Kind::kNumber:
      return static_cast<void>(number());
    case Kind::kString:
      return static_cast<void>(string());
    case Kind::kArray:
    case Kind::kObject:
      return skip_nested(depth + 1);
  }
}

void PullReader::skip_nested(int depth) {
  if (depth > kMaxDepth) return fail("nested more than 200 levels deep");
  if (*at_ == '[') {
    begin_array();
    while (next_item()) skip(depth);
  } else {
    begin_object();
    for (std::string_view key; next_member(key);) skip(depth);
  }
}

void PullReader::end() {
  skip_space();
  if (at_ != end_) fail("more text after the value");
}

std::string_view PullReader::defer() {
  const auto kind = peek();
  const char* const begin = at_;
  if (kind != Kind::kArray && kind != Kind::kObject) {
    skip();
    return failed() ? std::string_view() : std::string_view(begin, at_);
  }
  std::size_t open = 0;
  do {
    while (at_ != end_ && *at_ != '"' && (*at_ | 0x20) != '{' && (*at_ | 0x20) != '}') ++at_;
    bool escaped = false;
    const char* const at =
        at_ != end_ && *at_ == '"' ? find_quote(at_ + 1, escaped) : (at_ == end_ ? nullptr : at_);
    if (at == nullptr) {
      fail("the text ends in a list, an object or a string");
      return {};
    }
    if ((*at | 0x20) == '{') ++open;
    if ((*at | 0x20) == '}') --open;
    at_ = at + 1;
  } while (open > 0);
  return {begin, at_};
}

}  // namespace weir::json
