#include "report/html.h"

#include <array>
#include <cstdio>

#include "base/text.h"
#include "report/style.h"
#include "report/svg.h"

namespace weir::report {
namespace {

std::string_view tone_class(Tone tone) {
  static constexpr std::string_view kClasses[] = {"", "good", "bad", "warn", "muted"};
  return kClasses[static_cast<std::size_t>(tone)];
}

std::string element(std::string_view name, std::string_view css, const std::string& content) {
  std::string out = "<" + std::string(name);
  if (!css.empty()) out += " class=\"" + std::string(css) + "\"";
  return out + ">" + content + "</" + std::string(name) + ">";
}

std::string fraction(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", std::min(std::max(value, 0.0), 1.0));
  return text.data();
}

/// A bar that paper shows too: backgrounds are left out when pages are printed.
std::string bar_of(double length, Tone tone) {
  constexpr double kLength = 100;
  std::array<char, 32> width{};
  std::snprintf(width.data(), width.size(), "%.1f", std::max(length * kLength, 0.5));
  return R"(<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" )"
         R"(xmlns="http://www.w3.org/2000/svg"><rect class="rail" width="100" height="6"/>)"
         R"(<rect class="fill )" +
         std::string(tone == Tone::kPlain ? "first" : tone_class(tone)) + R"(" width=")" +
         width.data() + R"(" height="6"/></svg>)";
}

std::string cell_of(const Cell& cell, const Column& column) {
  std::string css = column.kind == Column::Kind::kNumber  ? "number"
                    : column.kind == Column::Kind::kProse ? "wide"
                                                          : "";
  if (cell.tone != Tone::kPlain && !cell.bar) css += " " + std::string(tone_class(cell.tone));
  if (cell.heat) css += " heat";
  auto content = escape_html(cell.text);
  if (column.kind == Column::Kind::kCode && !content.empty()) {
    content = "<code>" + content + "</code>";
  }
  if (cell.bar) content += bar_of(*cell.bar, cell.tone);
  std::string open = "<td";
  if (!css.empty()) open += " class=\"" + css + "\"";
  if (cell.heat) open += " style=\"--heat:" + fraction(*cell.heat) + "\"";
  return open + ">" + content + "</td>";
}

std::string html_of(const Paragraph& paragraph) {
  return element("p", tone_class(paragraph.tone), escape_html(paragraph.text));
}

std::string html_of(const Tiles& tiles) {
  const auto columns = tiles.tiles.size() % 4 != 0 && tiles.tiles.size() % 3 == 0 ? "3" : "4";
  std::string out = R"(<dl class="tiles" style="--columns:)" + std::string(columns) + "\">";
  for (const auto& tile : tiles.tiles) {
    std::string value = escape_html(tile.value);
    if (!tile.note.empty()) value += "<small>" + escape_html(tile.note) + "</small>";
    out += "<div><dt>" + escape_html(tile.label) + "</dt>" +
           element("dd", tone_class(tile.tone), value) + "</div>";
  }
  return out + "</dl>";
}

std::string html_of(const Table& table) {
  if (table.rows.empty()) return element("p", "empty", escape_html(table.empty));
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const auto& column : table.columns) {
    const bool is_number = column.kind == Column::Kind::kNumber;
    out += is_number ? R"(<th scope="col" class="number">)" : R"(<th scope="col">)";
    out += escape_html(column.title) + "</th>";
  }
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) out += cell_of(row[i], table.columns[i]);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>";
  if (!table.note.empty()) out += element("p", "note", escape_html(table.note));
  return out;
}

std::string html_of(const Plots& plots) {
  std::string out = "<div class=\"plots\">";
  for (const auto& plot : plots.plots) {
    std::string caption = "<strong>" + escape_html(plot.title) + "</strong>";
    if (!plot.note.empty()) caption += " <span>" + escape_html(plot.note) + "</span>";
    out += "<figure><figcaption>" + caption + "</figcaption>" + svg_element(plot.title, plot.svg) +
           "</figure>\n";
  }
  return out + "</div>";
}

std::string head_of(const Document& document) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<meta name=\"generator\" content=\"Weir\"/>\n<title>";
  out += escape_html(document.title) + "</title>\n<style>" + std::string(kStyle) + "</style>\n";
  out += "</head>\n<body>\n<header><h1>" + escape_html(document.title) + "</h1>\n";
  if (!document.subtitle.empty()) {
    out += element("p", "subtitle", escape_html(document.subtitle)) + "\n";
  }
  if (!document.facts.empty()) {
    out += "<dl class=\"facts\">";
    for (const auto& [name, value] : document.facts) {
      out += "<div><dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd></div>";
    }
    out += "</dl>\n";
  }
  return out + "</header>\n<main>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text::printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_html(const Document& document) {
  auto out = head_of(document);
  for (const auto& section : document.sections) {
    out += "<section>";
    if (!section.title.empty()) out += "<h2>" + escape_html(section.title) + "</h2>";
    out += "\n";
    for (const auto& block : section.blocks) {
      out += std::visit([](const auto& one) { return html_of(one); }, block) + "\n";
    }
    out += "</section>\n";
  }
  return out +
         "</main>\n<footer><p>Made by Weir from the event log alone. Times are UTC.</p>"
         "</footer>\n</body>\n</html>\n";
}

}  // namespace weir::report
