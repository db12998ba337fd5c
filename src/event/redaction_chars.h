#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

/// Characters as the matchers see them: ASCII, whatever the locale. Internal to redaction.
namespace weir::event::redaction {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
constexpr bool is_word(char c) { return is_alnum(c) || c == '_' || c == '-'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
constexpr bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

/// The first place from `from` on whose character `is` refuses; the end of the text at the latest.
template <class Is>
constexpr std::size_t skip(std::string_view text, std::size_t from, Is is) {
  while (from < text.size() && is(text[from])) ++from;
  return from;
}

/// Neither a letter nor a digit stands before `at`.
constexpr bool begins_free(std::string_view text, std::size_t at) {
  return at == 0 || !is_alnum(text[at - 1]);
}
constexpr bool ends_free(std::string_view text, std::size_t end) {
  return end >= text.size() || !is_alnum(text[end]);
}

/// `small` is in small letters.
constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view small) {
  return text.size() >= small.size() && std::equal(small.begin(), small.end(), text.begin(),
                                                   [](char a, char b) { return a == to_lower(b); });
}

}  // namespace weir::event::redaction
