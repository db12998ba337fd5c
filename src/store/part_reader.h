#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/scratch_folder.h"

namespace weir::store {

/// Which events of parts somebody wants, as SQL conditions on the table `part`; empty: all.
struct PartCondition {
  std::string living{};  ///< see living_sql: of rows as the files have them
  std::string where{};   ///< of rows with all columns of the catalogue
};

/// Reads the events of parts (docs/formats/parts.md).
///
/// Threads  One at a time.
class PartReader {
 public:
  /// What it cannot sort in memory is below the store's cache. Errors: kUnavailable (no DuckDB).
  [[nodiscard]] static Result<PartReader> open(const log::StoreDirectory& store);
  PartReader(PartReader&&) noexcept;
  PartReader& operator=(PartReader&&) noexcept;
  ~PartReader();

  /// Gets an event as the log would have it: one line of JSON, without its newline, members in the
  /// order of the catalogue. Valid during the call.
  using LineHandler = std::function<Result<void>(std::string_view line)>;

  /// Hands over the events of some parts for which the condition holds: each run's in its order.
  /// Errors: kInvalidInput (DuckDB's, which names the part), and those of `handle`.
  [[nodiscard]] Result<void> read(const std::vector<std::filesystem::path>& parts,
                                  const PartCondition& condition, const LineHandler& handle);

  /// The same a few events at a time: `next` hands some over, and is false when there were no more
  /// of those that `begin` has named. Errors: as `read`; after one, `begin` comes next.
  [[nodiscard]] Result<void> begin(const std::vector<std::filesystem::path>& parts,
                                   const PartCondition& condition);
  [[nodiscard]] Result<bool> next(const LineHandler& handle);

  /// The newest of them first, by timestamp: `count` after so many.
  [[nodiscard]] Result<void> read_newest(const std::vector<std::filesystem::path>& parts,
                                         const PartCondition& condition, std::uint64_t after,
                                         std::uint64_t count, const LineHandler& handle);

 private:
  struct Reading;

  PartReader(std::optional<ScratchFolder> scratch, Database database, Connection connection);

  [[nodiscard]] Result<void> begin(const std::vector<std::filesystem::path>& parts,
                                   const PartCondition& condition, const std::string& order);
  [[nodiscard]] Result<void> finish(const LineHandler& handle);

  std::optional<ScratchFolder> scratch_;  // goes after the database
  Database database_;
  Connection connection_;
  std::unique_ptr<Reading> reading_;  // nothing: at the end
};

/// What to select the events of these parts from, for which `living` holds: all columns of the
/// catalogue, and those that a later one has added.
[[nodiscard]] std::string parts_sql(const std::vector<std::filesystem::path>& parts,
                                    const std::string& living = {});
/// The same of an SQL list of files, which depends on no column and is not empty.
[[nodiscard]] std::string listed_parts_sql(const std::string& files, const std::string& living);
/// The same, with the columns `filename` and `file_row_number`: where each is.
[[nodiscard]] std::string placed_parts_sql(const std::vector<std::filesystem::path>& parts);
/// The columns that one of these parts has and no others; `filename` and `file_row_number` have to
/// be named to be seen.
[[nodiscard]] std::string raw_parts_sql(const std::vector<std::filesystem::path>& parts);

}  // namespace weir::store
