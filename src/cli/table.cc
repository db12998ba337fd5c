#include "cli/table.h"

#include <algorithm>

#include "base/text.h"
#include "cli/terminal.h"

namespace weir::cli {
namespace {

/// No column is wider. On a terminal a wider cell is cut, so that one long message does not push
/// the others off the screen; in a file it pushes them.
constexpr std::size_t kMaxColumn = 80;

}  // namespace

void Table::print(std::FILE* stream) const {
  const bool coloured = is_coloured(stream);
  const bool cuts = is_terminal(stream);
  const auto shown = [cuts](const std::string& cell) {
    return cuts ? cut(text::printable(cell), kMaxColumn) : text::printable(cell);
  };
  const auto width_of = [](const std::string& cell) {
    return std::min(display_width(cell), kMaxColumn);
  };
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  widths.reserve(header_.size());
  for (const auto& name : header_) widths.push_back(width_of(shown(name)));
  for (const auto& row : rows_) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.push_back(shown(row[i]));
      widths[i] = std::max(widths[i], width_of(line.back()));
    }
  }
  const auto print_line = [&](const std::vector<std::string>& line, bool heading) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) text += "  ";
      text += align_[i] == Align::kRight ? pad_left(line[i], widths[i]) : pad(line[i], widths[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    std::fprintf(stream, "%s\n", paint(coloured && heading, Colour::kBold, text).c_str());
  };
  std::vector<std::string> heading;
  heading.reserve(header_.size());
  for (const auto& name : header_) heading.push_back(shown(name));
  print_line(heading, true);
  for (const auto& line : cells) print_line(line, false);
}

}  // namespace weir::cli
