#include "cli/styled_line.h"

#include "base/text.h"

namespace weir::cli {

LineStyle style_of(std::FILE* stream) {
  return {.width = is_terminal(stream) ? terminal_width(stream) : 0,
          .coloured = is_coloured(stream)};
}

StyledLine& StyledLine::add(std::string_view text) {
  text_ += fitting(text);
  return *this;
}

StyledLine& StyledLine::add(Colour colour, std::string_view text) {
  const auto piece = fitting(text);
  if (!piece.empty()) text_ += paint(style_.coloured, colour, piece);
  return *this;
}

StyledLine& StyledLine::to_column(std::size_t column) {
  const auto spaces = used_ < column ? column - used_ : used_ > 0 ? 1 : 0;
  return add(std::string(spaces, ' '));
}

std::string StyledLine::text() && {
  text_.erase(text_.find_last_not_of(' ') + 1);
  return std::move(text_);
}

std::string StyledLine::fitting(std::string_view text) {
  auto piece = text::printable(text);
  const auto wants = display_width(piece);
  if (style_.width > 0 && used_ + wants > style_.width) piece = cut(piece, style_.width - used_);
  used_ += display_width(piece);
  return piece;
}

}  // namespace weir::cli
