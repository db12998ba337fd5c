#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace weir::cli {

/// How lines for people are to look.
struct LineStyle {
  std::size_t width = 0;  ///< none is wider; 0: as wide as it comes
  bool coloured = false;
};
/// As the stream takes it: on a terminal, as wide as that is.
[[nodiscard]] LineStyle style_of(std::FILE* stream);

/// A line made of pieces, some of them coloured. Control characters are shown, not sent. What goes
/// beyond the width is cut, and the last column says so.
class StyledLine {
 public:
  explicit StyledLine(LineStyle style) : style_(style) {}

  StyledLine& add(std::string_view text);
  StyledLine& add(Colour colour, std::string_view text);
  /// Spaces up to a column, from 0; one at least, unless the line is at its beginning.
  StyledLine& to_column(std::size_t column);
  [[nodiscard]] std::size_t used() const { return used_; }

  /// Without spaces at its end.
  [[nodiscard]] std::string text() &&;

 private:
  [[nodiscard]] std::string fitting(std::string_view text);

  LineStyle style_;
  std::string text_;
  std::size_t used_ = 0;
};

}  // namespace weir::cli
