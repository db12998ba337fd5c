#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace weir::cli {

/// Whether lines can be drawn again.
[[nodiscard]] bool is_terminal(std::FILE* stream);
/// Whether to use colour: a terminal, and NO_COLOR (no-color.org) is not set.
[[nodiscard]] bool is_coloured(std::FILE* stream);

enum class Colour { kGreen, kRed, kYellow, kGrey, kBold };
/// `text` in that colour if `coloured`.
[[nodiscard]] std::string paint(bool coloured, Colour colour, std::string_view text);

/// Columns that `text` takes, one a character.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// `text` filled with spaces to `width`; never cut.
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);

/// `text` in at most `width` columns: where it is cut stands "…".
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

/// Width of the terminal that `stream` is; 100 when it is none.
[[nodiscard]] std::size_t terminal_width(std::FILE* stream);
/// Lines of the terminal that `stream` is; 24 when it is none.
[[nodiscard]] std::size_t terminal_height(std::FILE* stream);

}  // namespace weir::cli
