#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir::fuzz {

/// Where each (line, column) of a text is in bytes, columns in characters.
class Positions {
 public:
  explicit Positions(std::string_view text) : lines_(1) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
      lines_.back().push_back(i);
      if (text[i] == '\n') lines_.emplace_back();
    }
    lines_.back().push_back(text.size());
  }

  /// Nothing for a place that is not in the text. The end of the text is in it.
  [[nodiscard]] std::optional<std::size_t> offset(json::Position position) const {
    if (position.line == 0 || position.line > lines_.size()) return {};
    const auto& line = lines_[position.line - 1];
    if (position.column == 0 || position.column > line.size()) return {};
    return line[position.column - 1];
  }

 private:
  std::vector<std::vector<std::size_t>> lines_;
};

/// The position of a message that begins with "LINE:COLUMN: ".
[[nodiscard]] inline std::optional<json::Position> position_of(std::string_view message) {
  json::Position position;
  const char* const end = message.data() + message.size();
  const auto line = std::from_chars(message.data(), end, position.line);
  if (line.ec != std::errc() || line.ptr == end || *line.ptr != ':') return {};
  const auto column = std::from_chars(line.ptr + 1, end, position.column);
  if (column.ec != std::errc()) return {};
  if (!std::string_view(column.ptr, end).starts_with(": ")) return {};
  return position;
}

}  // namespace weir::fuzz
