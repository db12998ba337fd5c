#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/rollup_index.h"

namespace weir::store {

/// Makes files of rollups (docs/formats/rollups.md). They are durable, and nobody knows of them
/// before the index names them.
///
/// Memory   DuckDB's, limited to 640 MiB, and the distributions of 400,000 rows.
/// Threads  One at a time.
/// Errors   kInvalidInput (DuckDB's: a file cannot be read), kIo, kExhausted.
class RollupWriter {
 public:
  /// DuckDB writes into the folder `scratch`, of the local file system. Errors: kUnavailable (no
  /// DuckDB), kIo.
  [[nodiscard]] static Result<RollupWriter> open(const log::StoreDirectory& store,
                                                 std::filesystem::path scratch);

  /// Sums the events of some parts up.
  [[nodiscard]] Result<Rollup> sum_up(const BatchRange& batches,
                                      const std::vector<std::filesystem::path>& parts);
  /// Makes one of neighbours.
  [[nodiscard]] Result<Rollup> merge(std::span<const Rollup> neighbours);
  /// The same without the rows of the time before a date, YYYY-MM-DD; as it is if there are none.
  [[nodiscard]] Result<Rollup> without_rows_before(const Rollup& rollup, std::string_view date);

 private:
  RollupWriter(log::StoreDirectory store, std::filesystem::path scratch, Database database,
               Connection connection);

  [[nodiscard]] Result<void> sum_up(const std::string& events);
  [[nodiscard]] Result<std::filesystem::path> local(const std::filesystem::path& path);
  [[nodiscard]] Result<std::string> rows_of(std::span<const Rollup> rollups, RollupLevel level);
  [[nodiscard]] Result<void> write(Rollup& rollup, RollupLevel level, const std::string& rows);

  log::StoreDirectory store_;
  std::filesystem::path scratch_;
  Database database_;
  Connection connection_;
};

}  // namespace weir::store
