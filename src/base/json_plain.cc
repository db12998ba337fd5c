#include "base/json_plain.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/utf8.h"

// Each function gets where something begins and returns where it ended, null when it is not there:
// a position that is passed on stays in a register.
namespace weir::json {
namespace {

/// What a letter after a backslash stands for (RFC 8259, section 7); 0: nothing, or more follows.
constexpr auto kMeanings = [] {
  std::array<char, 256> table{};
  constexpr std::string_view kLetters = "\"\\/bfnrt", kStandFor = "\"\\/\b\f\n\r\t";
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    table[static_cast<unsigned char>(kLetters[i])] = kStandFor[i];
  }
  return table;
}();

[[gnu::always_inline]] inline char* skip_space(char* at) {
  while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') ++at;
  return at;
}

/// To the first byte that a string does not simply have: a quote, a backslash, a control character
/// (zero is one), or one of UTF-8's longer sequences.
[[gnu::always_inline]] inline char* skip_simple(char* at) {
#ifdef __SSE2__
  while (true) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto equal = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    // As signed numbers, 0x80 and above are below 0x20 too.
    const auto low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const auto found = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(equal('"'), equal('\\')))));
    if (found != 0) return at + std::countr_zero(found);
    at += sizeof bytes;
  }
#else
  while (*at >= 0x20 && static_cast<unsigned char>(*at) < 0x80 && *at != '"' && *at != '\\') ++at;
  return at;
#endif
}

/// The rest of a string, from the first byte on that is not simple, and its quote. A function of
/// its own, so that what most strings need is short.
[[gnu::noinline]] char* skip_rest(char* at) {
  while (*at != '"') {
    if (*at == '\\') {
      if (kMeanings[static_cast<unsigned char>(at[1])] == 0) return nullptr;
      at += 2;
    } else {
      constexpr std::size_t kLongest = 4;
      const auto size = utf8::sequence_length({at, kLongest});
      if (size < 2) return nullptr;
      at += size;
    }
    at = skip_simple(at);
  }
  return at + 1;
}

/// Puts what its escapes stand for in their place, and returns the end.
[[gnu::noinline]] char* unescape(char* begin, const char* end) {
  char* out = begin;
  for (const char* at = begin; at != end; ++at) {
    *out++ = *at == '\\' ? kMeanings[static_cast<unsigned char>(*++at)] : *at;
  }
  return out;
}

/// From behind the opening quote.
[[gnu::always_inline]] inline char* skip_string(char* at) {
  at = skip_simple(at);
  return *at == '"' ? at + 1 : skip_rest(at);
}

/// The same, and what it says.
[[gnu::always_inline]] inline char* read_string(char* at, std::string_view& text) {
  char* const begin = at;
  at = skip_simple(at);
  if (*at == '"') {
    text = {begin, at};
    return at + 1;
  }
  at = skip_rest(at);
  if (at != nullptr) text = {begin, unescape(begin, at - 1)};
  return at;
}

/// The digits from `at` on, behind those of `value`; of many it is no more the number.
char* take_digits(char* at, std::uint64_t& value) {
  for (; *at >= '0' && *at <= '9'; ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  return at;
}

/// A number as it is written, without its sign.
struct Digits {
  std::uint64_t value = 0;   ///< of all before and after the point
  std::size_t count = 0;     ///< of them
  std::size_t fraction = 0;  ///< behind the point
  bool has_exponent = false;

  [[nodiscard]] bool is_whole() const { return fraction == 0 && !has_exponent; }
};

/// Of so many digits simdjson takes all exponents, if they are of a number that is not zero.
[[gnu::noinline]] char* skip_exponent(char* at) {
  constexpr std::ptrdiff_t kMost = 3;
  ++at;
  if (*at == '+' || *at == '-') ++at;
  std::uint64_t unused = 0;
  char* const end = take_digits(at, unused);
  return end != at && end - at <= kMost ? end : nullptr;
}

char* read_digits(char* at, Digits& digits) {
  const char* begin = at;
  at = take_digits(at, digits.value);
  digits.count = static_cast<std::size_t>(at - begin);
  if (digits.count == 0 || (digits.count > 1 && *begin == '0')) return nullptr;
  if (*at == '.') {
    begin = ++at;
    at = take_digits(at, digits.value);
    digits.fraction = static_cast<std::size_t>(at - begin);
    if (digits.fraction == 0) return nullptr;
    digits.count += digits.fraction;
  }
  digits.has_exponent = *at == 'e' || *at == 'E';
  if (!digits.has_exponent) return at;
  return digits.value != 0 ? skip_exponent(at) : nullptr;
}

/// So many digits are a number of 64 bits, signed.
constexpr std::size_t kMaxDigits = 18;

/// Both exact, so that their quotient is rounded once: the double that is nearest to the text.
std::optional<double> exact_quotient(const Digits& digits) {
  constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
  constexpr auto kMaxExact = std::uint64_t{1} << 53;
  if (digits.has_exponent || digits.count > kMaxDigits || digits.value > kMaxExact ||
      digits.fraction >= std::size(kPowers)) {
    return {};
  }
  return static_cast<double>(digits.value) / kPowers[digits.fraction];
}

char* read_number(char* at, FlatMember& member) {
  const char* const begin = at;
  const bool is_negative = *at == '-';
  Digits digits;
  at = read_digits(at + (is_negative ? 1 : 0), digits);
  if (at == nullptr) return nullptr;
  member.text = {begin, at};
  if (digits.is_whole() && digits.count <= kMaxDigits) {
    const auto value = static_cast<std::int64_t>(digits.value);
    member.kind = Kind::kInteger;
    member.integer = is_negative ? -value : value;
    member.number = static_cast<double>(member.integer);
    return at;
  }
  member.kind = Kind::kNumber;
  if (const auto quotient = exact_quotient(digits)) {
    member.number = is_negative ? -*quotient : *quotient;
    return at;
  }
  // Whole numbers that may fit 64 bits, too; and of more digits simdjson 3.0 makes another number.
  constexpr std::size_t kMost = 19;
  if (digits.count > kMost || digits.is_whole()) return nullptr;
  return std::from_chars(begin, at, member.number).ec == std::errc() ? at : nullptr;
}

/// Perhaps it looks into the padding.
char* skip_word(char* at, std::string_view word) {
  return std::string_view(at, word.size()) == word ? at + word.size() : nullptr;
}

char* read_boolean(char* at, FlatMember& member) {
  const char* const begin = at;
  member.kind = Kind::kBoolean;
  member.boolean = *at == 't';
  at = skip_word(at, member.boolean ? "true" : "false");
  if (at != nullptr) member.text = {begin, at};
  return at;
}

/// From the opening bracket to behind the closing one.
template <class SkipItem>
char* skip_items(char* at, char closing, const SkipItem& skip_item) {
  at = skip_space(at + 1);
  if (*at == closing) return at + 1;
  while (true) {
    at = skip_item(at);
    if (at == nullptr) return nullptr;
    at = skip_space(at);
    if (*at == closing) return at + 1;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

/// A name and its colon.
[[gnu::always_inline]] inline char* read_key(char* at, std::string_view& key) {
  if (*at != '"') return nullptr;
  at = read_string(at + 1, key);
  if (at == nullptr) return nullptr;
  at = skip_space(at);
  return *at == ':' ? skip_space(at + 1) : nullptr;
}

/// A value in a value, which stays as it is written. `depth` is that of what it stands in.
char* skip_value(char* at, int depth) {
  switch (*at) {
    case '"':
      return skip_string(at + 1);
    case '[':
      if (depth == kMaxPlainDepth) return nullptr;
      return skip_items(at, ']', [depth](char* item) { return skip_value(item, depth + 1); });
    case '{':
      if (depth == kMaxPlainDepth) return nullptr;
      return skip_items(at, '}', [depth](char* item) -> char* {
        if (*item != '"') return nullptr;
        item = skip_string(item + 1);
        if (item == nullptr) return nullptr;
        item = skip_space(item);
        return *item == ':' ? skip_value(skip_space(item + 1), depth + 1) : nullptr;
      });
    case 't':
      return skip_word(at, "true");
    case 'f':
      return skip_word(at, "false");
    case 'n':
      return skip_word(at, "null");
    default: {
      FlatMember number;
      return read_number(at, number);
    }
  }
}

/// A list or an object.
char* read_nested(char* at, FlatMember& member) {
  const char* const begin = at;
  if (*at == '[') {
    member.kind = Kind::kArray;
    member.all_strings = true;
    at = skip_items(at, ']', [&member](char* item) {
      member.all_strings = member.all_strings && *item == '"';
      return skip_value(item, 2);
    });
  } else {
    member.kind = Kind::kObject;
    at = skip_value(at, 1);
  }
  if (at != nullptr) member.text = {begin, at};
  return at;
}

[[gnu::always_inline]] inline char* read_value(char* at, FlatMember& member) {
  if (*at == '"') {
    member.kind = Kind::kString;
    return read_string(at + 1, member.text);
  }
  switch (*at) {
    case '{':
    case '[':
      return read_nested(at, member);
    case 't':
    case 'f':
      return read_boolean(at, member);
    case 'n':
      return skip_word(at, "null");
    default:
      return read_number(at, member);
  }
}

}  // namespace

std::optional<std::size_t> read_plain(char* text, std::size_t size, std::span<FlatMember> members) {
  char* at = skip_space(text);
  if (*at != '{') return {};
  std::size_t count = 0;
  at = skip_items(at, '}', [&] [[gnu::always_inline]] (char* item) -> char* {
    if (count == members.size()) return nullptr;
    auto& member = members[count++];
    member = {};
    item = read_key(item, member.key);
    return item != nullptr ? read_value(item, member) : nullptr;
  });
  if (at == nullptr || skip_space(at) != text + size) return {};
  return count;
}

}  // namespace weir::json
