#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// A report before it has a form: what is said, in which order. html.h, markdown.h and text.h give
/// it one.
namespace weir::report {

enum class Tone : std::uint8_t { kPlain, kGood, kBad, kWarn, kMuted };

struct Cell {
  std::string text{};
  Tone tone = Tone::kPlain;
  std::optional<double> bar{};   ///< 0 to 1: a bar of that length behind it, where there are bars
  std::optional<double> heat{};  ///< 0 to 1: the cell's colour, where there are colours
};

struct Column {
  enum class Kind : std::uint8_t { kText, kNumber, kCode, kProse };  ///< prose: of several lines
  std::string title;
  Kind kind = Kind::kText;
};

struct Table {
  std::vector<Column> columns{};
  std::vector<std::vector<Cell>> rows{};
  std::string empty = "Nothing.";  ///< said in the place of a table without rows
  std::string note{};              ///< below it
};

struct Paragraph {
  std::string text;
  Tone tone = Tone::kPlain;
};

/// A figure that is read from afar.
struct Tile {
  std::string label{};
  std::string value{};
  std::string note{};
  Tone tone = Tone::kPlain;
};
struct Tiles {
  std::vector<Tile> tiles;
};

/// A picture, for forms that have pictures.
struct Plot {
  std::string title{};
  std::string note{};  ///< what its axes do not say
  std::string svg{};   ///< see svg.h
  std::string line{};  ///< the same as characters for the others; empty: nothing
};
/// Beside each other where there is room.
struct Plots {
  std::vector<Plot> plots;
};

using Block = std::variant<Paragraph, Tiles, Table, Plots>;

struct Section {
  std::string title;
  std::vector<Block> blocks;
};

struct Document {
  std::string title{};
  std::string subtitle{};
  std::vector<std::pair<std::string, std::string>> facts{};  ///< name and value: window, filters, …
  std::vector<Section> sections{};
};

/// For a terminal or a mail: no line that is not in the document breaks; harmless characters only.
[[nodiscard]] std::string to_text(const Document& document);
/// GitHub's Markdown; what it would read as markup is escaped.
[[nodiscard]] std::string to_markdown(const Document& document);

}  // namespace weir::report
