#include "base/text.h"
#include "report/document.h"

namespace weir::report {
namespace {

/// Text that stays text: no markup, no link, no tag, no new cell of a table.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text::printable(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      if (std::string_view("\\`*_{}[]()#+!|~>").contains(c)) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_of(const Paragraph& paragraph) { return plain(paragraph.text) + "\n"; }

std::string markdown_of(const Tiles& tiles) {
  std::string out = "| | |\n|---|---|\n";
  for (const auto& tile : tiles.tiles) {
    out += "| " + plain(tile.label) + " | **" + plain(tile.value) + "**";
    if (!tile.note.empty()) out += " " + plain(tile.note);
    out += " |\n";
  }
  return out;
}

std::string markdown_of(const Table& table) {
  if (table.rows.empty()) return plain(table.empty) + "\n";
  std::string head = "|", rule = "|", out;
  for (const auto& column : table.columns) {
    head += " " + plain(column.title) + " |";
    rule += column.kind == Column::Kind::kNumber ? "---:|" : "---|";
  }
  for (const auto& row : table.rows) {
    out += "|";
    for (const auto& cell : row) out += " " + plain(cell.text) + " |";
    out += "\n";
  }
  out = head + "\n" + rule + "\n" + out;
  if (!table.note.empty()) out += "\n" + plain(table.note) + "\n";
  return out;
}

std::string markdown_of(const Plots& plots) {
  std::string out;
  for (const auto& plot : plots.plots) {
    if (!plot.line.empty()) out += "- " + plain(plot.title) + ": `" + plot.line + "`\n";
  }
  return out;
}

}  // namespace

std::string to_markdown(const Document& document) {
  auto out = "# " + plain(document.title) + "\n";
  if (!document.subtitle.empty()) out += "\n" + plain(document.subtitle) + "\n";
  if (!document.facts.empty()) out += "\n";
  for (const auto& [name, value] : document.facts) {
    out += "- " + plain(name) + ": " + plain(value) + "\n";
  }
  for (const auto& section : document.sections) {
    if (!section.title.empty()) out += "\n## " + plain(section.title) + "\n";
    for (const auto& block : section.blocks) {
      const auto text = std::visit([](const auto& one) { return markdown_of(one); }, block);
      if (!text.empty()) out += "\n" + text;
    }
  }
  return out;
}

}  // namespace weir::report
