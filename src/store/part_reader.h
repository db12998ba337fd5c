#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace weir::store {

/// Reads the events of parts (docs/formats/parts.md).
///
/// Threads  One at a time.
class PartReader {
 public:
  /// Errors: kUnavailable (no DuckDB).
  [[nodiscard]] static Result<PartReader> open();

  /// Gets an event as the log would have it: one line of JSON, without its newline, members in the
  /// order of the catalogue. Valid during the call.
  using LineHandler = std::function<Result<void>(std::string_view line)>;

  /// Hands over the events of some parts for which an SQL condition holds, or all if it is empty:
  /// each run's in its order. Errors: kInvalidInput (DuckDB's, which names the part), and those of
  /// `handle`.
  [[nodiscard]] Result<void> read(const std::vector<std::filesystem::path>& parts,
                                  const std::string& where, const LineHandler& handle);

  /// The newest of them first, by timestamp: `count` after so many.
  [[nodiscard]] Result<void> read_newest(const std::vector<std::filesystem::path>& parts,
                                         const std::string& where, std::uint64_t after,
                                         std::uint64_t count, const LineHandler& handle);

 private:
  [[nodiscard]] Result<void> read(const std::vector<std::filesystem::path>& parts,
                                  const std::string& where, const std::string& order,
                                  const LineHandler& handle);

  PartReader(Database database, Connection connection)
      : database_(std::move(database)), connection_(std::move(connection)) {}

  Database database_;
  Connection connection_;
};

/// What to select the events of these parts from: all columns of the catalogue, and those that a
/// later one has added.
[[nodiscard]] std::string parts_sql(const std::vector<std::filesystem::path>& parts);

}  // namespace weir::store
