#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/store_directory.h"

/// How far somebody has read the log. Format: docs/formats/cursor.md, version 2.
namespace weir::log {

/// A place in a writer's segments: between two commits, or at the beginning of a segment that may
/// not be there yet.
struct Position {
  std::uint32_t segment = 1;  ///< its number
  std::uint64_t offset = 0;   ///< in it, in bytes

  auto operator<=>(const Position&) const = default;
};

/// A position for each writer. One that it does not name is to be read from its beginning.
struct Cursor {
  std::map<std::string, Position, std::less<>> positions{};
  /// What segments of the manifest's batches up to this number held was read as well: their writers
  /// need not be named.
  std::uint64_t batches = 0;

  bool operator==(const Cursor&) const = default;

  [[nodiscard]] Position of(std::string_view writer) const;

  /// One line of JSON, without a newline.
  [[nodiscard]] std::string text() const;
  /// Reads what `text` has written. Errors: kCorrupt.
  [[nodiscard]] static Result<Cursor> parse(std::string_view text);
};

/// More is no cursor: a million writers.
inline constexpr std::size_t kMaxCursorBytes = std::size_t{80} << 20;
/// Of a registered cursor's name.
inline constexpr std::size_t kMaxCursorName = 64;

struct RegisteredCursor {
  Cursor cursor;
  /// Why this is the beginning of the log, in a sentence; nothing when a cursor was read.
  std::optional<std::string> restarted{};
};

/// The cursor that the store keeps under `name`, which is made of a-z, 0-9, `-` and `_`. A missing
/// or damaged one is no error: it begins again. Errors: kInvalidInput (the name), kIo.
[[nodiscard]] Result<RegisteredCursor> read_cursor(const StoreDirectory& store,
                                                   std::string_view name);

/// Keeps it, in the place of an older one of this name: after a crash there is one of the two.
/// Threads: one at a time for each name. Errors: kInvalidInput (the name), kIo, kExhausted.
[[nodiscard]] Result<void> write_cursor(const StoreDirectory& store, std::string_view name,
                                        const Cursor& cursor);

/// Forgets it. Errors: kInvalidInput (the name), kNotFound, kIo.
[[nodiscard]] Result<void> remove_cursor(const StoreDirectory& store, std::string_view name);

/// The names of all registered cursors, sorted. Errors: kIo.
[[nodiscard]] Result<std::vector<std::string>> cursor_names(const StoreDirectory& store);

/// All registered cursors. Errors: kIo.
[[nodiscard]] Result<std::vector<Cursor>> registered_cursors(const StoreDirectory& store);

}  // namespace weir::log
