#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::fuzz {

/// RFC 3629, section 4, row by row: the slow and obvious way.
struct Utf8Row {
  std::uint8_t size;
  std::uint8_t low[4], high[4];
};
inline constexpr Utf8Row kUtf8Rows[] = {
    {1, {0x00}, {0x7F}},
    {2, {0xC2, 0x80}, {0xDF, 0xBF}},
    {3, {0xE0, 0xA0, 0x80}, {0xE0, 0xBF, 0xBF}},
    {3, {0xE1, 0x80, 0x80}, {0xEC, 0xBF, 0xBF}},
    {3, {0xED, 0x80, 0x80}, {0xED, 0x9F, 0xBF}},
    {3, {0xEE, 0x80, 0x80}, {0xEF, 0xBF, 0xBF}},
    {4, {0xF0, 0x90, 0x80, 0x80}, {0xF0, 0xBF, 0xBF, 0xBF}},
    {4, {0xF1, 0x80, 0x80, 0x80}, {0xF3, 0xBF, 0xBF, 0xBF}},
    {4, {0xF4, 0x80, 0x80, 0x80}, {0xF4, 0x8F, 0xBF, 0xBF}},
};

/// The length of the valid sequence that `text` begins with, or 0.
[[nodiscard]] inline std::size_t utf8_sequence(std::string_view text) {
  for (const auto& row : kUtf8Rows) {
    std::size_t matched = 0;
    while (matched < row.size && matched < text.size() &&
           static_cast<std::uint8_t>(text[matched]) >= row.low[matched] &&
           static_cast<std::uint8_t>(text[matched]) <= row.high[matched]) {
      ++matched;
    }
    if (matched == row.size) return matched;
  }
  return 0;
}

/// `text` with U+FFFD for every byte that is not part of a valid sequence.
[[nodiscard]] inline std::string utf8_repaired(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto size = utf8_sequence(text.substr(i));
    out += size > 0 ? text.substr(i, size) : std::string_view("\xEF\xBF\xBD");
    i += size > 0 ? size : 1;
  }
  return out;
}

}  // namespace weir::fuzz
