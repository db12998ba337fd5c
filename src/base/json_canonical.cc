#include "base/json_canonical.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/utf8.h"

namespace weir::json {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::kInvalidInput, "no canonical form: " + std::move(message));
}

/// UTF-8 sorts by code points. UTF-16 does too, but for those above U+FFFF (which begin with F0 to
/// F4), whose surrogates come before U+E000 to U+FFFF (EE and EF).
unsigned char rank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0xEE || byte == 0xEF ? static_cast<unsigned char>(byte + 7) : byte;
}

bool comes_before(const std::string& a, const std::string& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return rank(x) < rank(y); });
}

/// ECMA-262, Number::toString(10): the shortest digits that read back as `value`, and where the
/// point stands among them.
Result<void> append_number(std::string& out, double value) {
  if (!std::isfinite(value)) return refuse("a number that is not finite");
  if (value == 0) {
    out += '0';
    return {};
  }
  char buffer[kMaxNumber];
  const std::string_view text(buffer, std::to_chars(buffer, buffer + sizeof buffer, std::abs(value),
                                                    std::chars_format::scientific)
                                          .ptr);
  const auto e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int point = 0;  // how many of the digits stand before it
  const auto exponent = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), point);
  ++point;

  const auto count = static_cast<int>(digits.size());
  if (value < 0) out += '-';
  if (point > 21 || point <= -6) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    out.append(point > 0 ? "e+" : "e-").append(std::to_string(std::abs(point - 1)));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    out.append(digits, 0, static_cast<std::size_t>(point)).append(".");
    out.append(digits, static_cast<std::size_t>(point));
  }
  return {};
}

template <class Integer>
Result<void> append_exact_integer(std::string& out, Integer value) {
  // Within the range of the type, so that it can be compared: 2^63 and 2^64 are doubles.
  const auto number = static_cast<double>(value);
  const auto limit = std::ldexp(1.0, std::is_signed_v<Integer> ? 63 : 64);
  if (number >= limit || static_cast<Integer>(number) != value)
    return refuse(std::to_string(value) + " is no double");
  return append_number(out, number);
}

Result<void> append_text(std::string& out, const std::string& text) {
  if (utf8::first_invalid(text)) return refuse("a string that is not UTF-8");
  append_string(out, text);
  return {};
}

Result<void> append_canonical(std::string& out, const Value& value);

Result<void> append_items(std::string& out, const Array& items) {
  out += '[';
  for (const auto& item : items) {
    if (&item != &items.front()) out += ',';
    WEIR_TRY(append_canonical(out, item));
  }
  out += ']';
  return {};
}

Result<void> append_members(std::string& out, const Object& object) {
  std::vector<const Member*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::ranges::sort(members, comes_before, &Member::key);
  const auto twice = std::ranges::adjacent_find(members, {}, &Member::key);
  if (twice != members.end()) return refuse("the key '" + (*twice)->key + "' is given twice");
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    WEIR_TRY(append_text(out, member->key));
    out += ':';
    WEIR_TRY(append_canonical(out, member->value));
  }
  out += '}';
  return {};
}

Result<void> append_canonical(std::string& out, const Value& value) {
  struct Visitor {
    std::string& out;
    Result<void> operator()(std::nullptr_t) const { return append_word("null"); }
    Result<void> operator()(bool b) const { return append_word(b ? "true" : "false"); }
    Result<void> operator()(std::int64_t i) const { return append_exact_integer(out, i); }
    Result<void> operator()(std::uint64_t i) const { return append_exact_integer(out, i); }
    Result<void> operator()(double d) const { return append_number(out, d); }
    Result<void> operator()(const std::string& s) const { return append_text(out, s); }
    Result<void> operator()(const Array& a) const { return append_items(out, a); }
    Result<void> operator()(const Object& o) const { return append_members(out, o); }
    [[nodiscard]] Result<void> append_word(std::string_view word) const {
      out += word;
      return {};
    }
  };
  return std::visit(Visitor{out}, value.variant());
}

}  // namespace

Result<std::string> canonical_text(const Value& value) {
  std::string out;
  WEIR_TRY(append_canonical(out, value));
  return out;
}

}  // namespace weir::json
