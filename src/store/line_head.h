#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/id.h"
#include "event/catalogue.h"

namespace weir::store {

/// Which fields something has.
using FieldSet = std::bitset<event::kFieldCount>;

/// YYYY-MM-DD.
inline constexpr std::size_t kDateSize = std::string_view("0000-00-00").size();

/// What compaction must know of an event before it is decoded.
struct LineHead {
  std::string_view date;  ///< YYYY-MM-DD, UTC; a view into the line, as the next one
  std::optional<std::string_view> tenant;
  RunId run;
  std::int64_t run_seq = 0;
  FieldSet fields;        ///< those that the line names
  bool is_whole = false;  ///< the whole line is written as the recorder writes
};

/// Which field came after which, of the lines that were read: most lines are like the one before.
struct LineShape {
  std::array<std::uint8_t, event::kFieldCount + 1> next{};  ///< by the field before, plus one
};

/// Reads the head of a line as the recorder writes it and passes over the rest: a tenth of what it
/// costs to decode it. Nothing without a head of that spelling, and for foreign events, which have
/// more to sort by. What is not whole must be decoded; whether a whole one is an event at all it
/// does not say. `shape` makes it faster, whatever it says.
[[nodiscard]] std::optional<LineHead> read_line_head(std::string_view line, LineShape& shape);
[[nodiscard]] std::optional<LineHead> read_line_head(std::string_view line);

}  // namespace weir::store
