#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/copy.h"
#include "base/json.h"
#include "base/utf8.h"

namespace weir::json {
namespace {

/// 0: copied as it is. 1: written as \u00XX. 2: starts or continues a UTF-8 sequence. Otherwise the
/// letter after the backslash.
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 1;
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 2;
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}();

/// How many bytes at the beginning of `text` stand for themselves: eight at a time.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, sizeof bytes);
    // The high bit of each byte that is below 0x20, a quote, a backslash, or 0x80 and above; also
    // of some that follow one, which nobody looks at.
    const auto quote = bytes ^ kOnes * '"', backslash = bytes ^ kOnes * '\\';
    const auto special =
        ((bytes - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes) | bytes) & kHighs;
    if (special == 0) continue;
    if (std::endian::native != std::endian::little) break;
    return i + static_cast<std::size_t>(std::countr_zero(special)) / 8;
  }
  while (i < text.size() && kEscapes[static_cast<unsigned char>(text[i])] == 0) ++i;
  return i;
}

#ifdef __SSE2__

/// One to 15 bytes, and zero bytes after them: without a loop, since most strings are or end in
/// such a piece. What is in both of two loads is the same in both.
__m128i load_part(const char* at, std::size_t size) {
  const auto load = [at]<class Word>(Word word, std::size_t i) {
    std::memcpy(&word, at + i, sizeof word);
    return std::uint64_t{word};
  };
  if (size >= 8) {
    const auto last = load(std::uint64_t{}, size - 8) >> (8 * (15 - size)) >> 8;
    return _mm_set_epi64x(static_cast<long long>(last),
                          static_cast<long long>(load(std::uint64_t{}, 0)));
  }
  std::uint64_t word = 0;
  if (size >= 4) {
    word = load(std::uint32_t{}, 0) | load(std::uint32_t{}, size - 4) << (8 * (size - 4));
  } else {
    for (const auto i : {std::size_t{0}, size / 2, size - 1}) {
      word |= load(std::uint8_t{}, i) << (8 * i);
    }
  }
  return _mm_cvtsi64_si128(static_cast<long long>(word));
}

/// One bit for each byte that does not stand for itself.
unsigned special_bytes(__m128i bytes) {
  const auto equal = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  // As signed numbers, 0x80 and above are below 0x20 too.
  const auto low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const auto special = _mm_or_si128(low, _mm_or_si128(equal('"'), equal('\\')));
  return static_cast<unsigned>(_mm_movemask_epi8(special));
}

/// Copies what stands for itself at the beginning of `text`, and cuts it off. Looks and copies at
/// once: what was copied beyond is written over.
inline char* put_plain(char* out, std::string_view& text) {
  const auto put = [&](__m128i bytes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    return special_bytes(bytes);
  };
  unsigned special = 0;
  while (text.size() >= 16) {
    special = put(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data())));
    if (special != 0) break;
    text.remove_prefix(16);
    out += 16;
  }
  if (text.empty()) return out;
  // The zeros after the end are special: the text ends with them.
  if (special == 0) special = put(load_part(text.data(), text.size()));
  const auto plain = static_cast<std::size_t>(std::countr_zero(special));
  text.remove_prefix(plain);
  return out + plain;
}

#else

char* put_plain(char* out, std::string_view& text) {
  const auto plain = plain_length(text);
  out = copy_short(out, text.data(), plain);
  text.remove_prefix(plain);
  return out;
}

#endif

/// Writes what stands for the beginning of `text`, which is not plain, and cuts it off.
char* put_escaped(char* out, std::string_view& text) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto c = static_cast<unsigned char>(text.front());
  const char escape = kEscapes[c];
  std::size_t length = 1;
  if (escape == 2) {
    length = utf8::sequence_length(text);
    const auto bytes = length > 0 ? text.substr(0, length) : utf8::kReplacement;
    out = std::copy(bytes.begin(), bytes.end(), out);
    length = std::max<std::size_t>(length, 1);
  } else if (escape == 1) {
    for (const char part : {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]}) *out++ = part;
  } else {
    *out++ = '\\';
    *out++ = escape;
  }
  text.remove_prefix(length);
  return out;
}

/// From the first byte on that does not stand for itself. A function of its own, so that what most
/// strings need is short.
[[gnu::noinline]] char* put_rest(char* out, std::string_view text) {
  while (!text.empty()) {
    out = put_escaped(out, text);
    out = put_plain(out, text);
  }
  return out;
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append_newline(std::string& out, int indent) {
  if (indent >= 0) out.append("\n").append(static_cast<std::size_t>(indent) * 2, ' ');
}

/// `indent` is the level of the line that `value` stands on, -1 for one line.
void append_value(std::string& out, const Value& value, int indent);

void append_items(std::string& out, const Array& items, int indent) {
  if (items.empty()) return static_cast<void>(out += "[]");
  const int inner = indent < 0 ? -1 : indent + 1;
  char separator = '[';
  for (const auto& item : items) {
    out += separator;
    append_newline(out, inner);
    append_value(out, item, inner);
    separator = ',';
  }
  append_newline(out, indent);
  out += ']';
}

void append_members(std::string& out, const Object& object, int indent) {
  if (object.empty()) return static_cast<void>(out += "{}");
  const int inner = indent < 0 ? -1 : indent + 1;
  char separator = '{';
  for (const auto& member : object) {
    out += separator;
    append_newline(out, inner);
    append_string(out, member.key);
    out += indent < 0 ? ":" : ": ";
    append_value(out, member.value, inner);
    separator = ',';
  }
  append_newline(out, indent);
  out += '}';
}

void append_value(std::string& out, const Value& value, int indent) {
  struct Visitor {
    std::string& out;
    int indent;
    void operator()(std::nullptr_t) const { out += "null"; }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t i) const { append_integer(out, i); }
    void operator()(std::uint64_t i) const { append_integer(out, i); }
    void operator()(double d) const { append_double(out, d); }
    void operator()(const std::string& s) const { append_string(out, s); }
    void operator()(const Array& a) const { append_items(out, a, indent); }
    void operator()(const Object& o) const { append_members(out, o, indent); }
  };
  std::visit(Visitor{out, indent}, value.variant());
}

}  // namespace

char* put_string(char* out, std::string_view text) {
  *out++ = '"';
  out = put_plain(out, text);
  if (!text.empty()) out = put_rest(out, text);
  *out++ = '"';
  return out;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const auto plain = plain_length(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    char escaped[8];
    out.append(escaped, put_escaped(escaped, text));
  }
  out += '"';
}

namespace {

/// Null, and nothing is written: `value` is not a whole number of millionths, or not one whose
/// shortest form has all its digits before and after the point. Most are: durations in milliseconds
/// that were measured in nanoseconds, and to find the shortest form of any number takes ten times
/// as long. A number of at most 15 digits that reads as the value is its shortest form: no two of
/// them read as the same.
char* put_millionths(char* out, double value) {
  const bool is_common = value >= 0.001 && value < 1e5;  // not NaN either
  if (!is_common) return nullptr;
  const auto rounded = std::rint(value * 1e6);
  if (rounded / 1e6 != value) return nullptr;
  const auto millionths = static_cast<std::uint64_t>(rounded);
  out = std::to_chars(out, out + kMaxNumber, millionths / 1'000'000).ptr;
  auto fraction = static_cast<unsigned>(millionths % 1'000'000);
  *out++ = '.';
  char digits[6];
  for (std::size_t i = 6; i-- > 0; fraction /= 10)
    digits[i] = static_cast<char>('0' + fraction % 10);
  auto* end = std::copy_n(digits, 6, out);
  while (end[-1] == '0' && end - 1 > out) --end;
  return end;
}

}  // namespace

char* put_double(char* out, double value) {
  if (auto* const end = put_millionths(out, value)) return end;
  if (!std::isfinite(value)) return std::copy_n("null", 4, out);
  auto* const end = std::to_chars(out, out + kMaxNumber - 2, value).ptr;
  const std::string_view text(out, end);
  return text.find_first_of(".e") == std::string_view::npos ? std::copy_n(".0", 2, end) : end;
}

void append_double(std::string& out, double value) {
  char buffer[kMaxNumber];
  out.append(buffer, put_double(buffer, value));
}

void append(std::string& out, const Value& value) { append_value(out, value, -1); }

std::string to_text(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string to_text(const Object& object) {
  std::string out;
  append_members(out, object, -1);
  return out;
}

std::string to_pretty_text(const Value& value) {
  std::string out;
  append_value(out, value, 0);
  return out;
}

}  // namespace weir::json
