#include "base/text.h"

#include <algorithm>

#include "report/document.h"

namespace weir::report {
namespace {

constexpr std::size_t kIndent = 2;

/// As a terminal shows it, one column a character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string line_of(std::string_view text) {
  return std::string(kIndent, ' ') + std::string(text) + "\n";
}

std::string text_of(const Paragraph& paragraph) { return line_of(text::printable(paragraph.text)); }

std::string text_of(const Tiles& tiles) {
  std::size_t width = 0;
  for (const auto& tile : tiles.tiles) width = std::max(width, width_of(tile.label));
  std::string out;
  for (const auto& tile : tiles.tiles) {
    auto line = text::printable(tile.label);
    line.append(width + 2 - std::min(width_of(tile.label), width), ' ');
    line += text::printable(tile.value);
    if (!tile.note.empty()) line += "  (" + text::printable(tile.note) + ")";
    out += line_of(line);
  }
  return out;
}

std::string text_of(const Table& table) {
  if (table.rows.empty()) return line_of(text::printable(table.empty));
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : table.columns) lines[0].push_back(text::printable(column.title));
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (const auto& cell : row) line.push_back(text::printable(cell.text));
  }
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string gap(widths[i] - width_of(line[i]), ' ');
      if (i > 0) text += "  ";
      const bool is_number = table.columns[i].kind == Column::Kind::kNumber;
      text += is_number ? gap + line[i] : line[i] + gap;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += line_of(text);
  }
  if (!table.note.empty()) out += line_of(text::printable(table.note));
  return out;
}

std::string text_of(const Plots& plots) {
  std::size_t width = 0;
  for (const auto& plot : plots.plots) {
    if (!plot.line.empty()) width = std::max(width, width_of(plot.title));
  }
  std::string out;
  for (const auto& plot : plots.plots) {
    if (plot.line.empty()) continue;
    out += line_of(plot.title + std::string(width + 2 - width_of(plot.title), ' ') + plot.line);
  }
  return out;
}

}  // namespace

std::string to_text(const Document& document) {
  auto out = text::printable(document.title) + "\n";
  if (!document.subtitle.empty()) out += text::printable(document.subtitle) + "\n";
  for (const auto& [name, value] : document.facts) {
    out += text::printable(name) + ": " + text::printable(value) + "\n";
  }
  for (const auto& section : document.sections) {
    out += "\n";
    if (!section.title.empty()) out += text::printable(section.title) + "\n";
    bool is_first = true;
    for (const auto& block : section.blocks) {
      const auto text = std::visit([](const auto& one) { return text_of(one); }, block);
      if (!text.empty() && !is_first) out += "\n";
      is_first = is_first && text.empty();
      out += text;
    }
  }
  return out;
}

}  // namespace weir::report
