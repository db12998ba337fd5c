#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/history.h"
#include "store/rollup_index.h"

/// Sums over the events of each minute and hour: docs/formats/rollups.md.
namespace weir::store {

struct RollupOptions {
  /// Where DuckDB makes files; empty: the store's `cache`.
  std::filesystem::path scratch{};
  /// How long files that count no longer stay, for those who read them now.
  std::chrono::seconds keep{600};
};

struct RollupReport {
  std::uint64_t events = 0;  ///< summed up now
  std::uint64_t files = 0;   ///< that count now, and did not before
  std::vector<BadPlace>
      damaged{};                   ///< rollups, made again now as far as the log holds their events
  std::vector<BadPlace> unread{};  ///< parts that cannot be read: nothing is made of their batches
  /// Rollups that a rebuild has left: the log does not hold all of their events any more.
  std::uint64_t kept_files = 0;
  std::uint64_t kept_events = 0;
};

/// Makes the rollups of the batches that none covers, those whose files are damaged among them, and
/// merges small ones. A batch with a part that cannot be read waits.
///
/// Threads  Whoever has the compaction's lock.
/// Failure  Whenever it ends, in whatever way, the views show each event once. Errors: kUnavailable
///          (no DuckDB), kIo, kExhausted.
[[nodiscard]] Result<RollupReport> update_rollups(const log::StoreDirectory& store,
                                                  const log::Manifest& manifest,
                                                  const RollupOptions& options = {});

/// Makes all of them again, as far as the log still holds what was summed; what it does not hold
/// stays as it is. Until the end the old ones count. Takes the compaction's lock. Errors: as
/// update_rollups, kConflict (somebody is compacting), kCorrupt (the manifest).
[[nodiscard]] Result<RollupReport> rebuild_rollups(const log::StoreDirectory& store,
                                                   const RollupOptions& options = {});

/// Removes what is known of the time before a date, YYYY-MM-DD. Threads: whoever has the
/// compaction's lock. Errors: as update_rollups.
[[nodiscard]] Result<void> remove_rollups_before(const log::StoreDirectory& store,
                                                 std::string_view date,
                                                 const RollupOptions& options = {});

/// What is wrong with the rollups, one sentence each, naming the file. Reads all of them.
[[nodiscard]] std::vector<std::string> rollup_problems(const log::StoreDirectory& store);

struct RollupTableOptions {
  std::optional<std::string> tenant{};  ///< whose alone; none: everybody's
  /// The parts that can be read, and where they are, by Part::file; none: those that are there.
  std::optional<std::map<std::string, std::filesystem::path, std::less<>>> parts{};
};

/// Makes what the views of rollups stand on (sql/views/40-rollups.sql): weir_rolled_minutes() and
/// weir_rolled_hours(), the rows of the files that count, and weir_unrolled(), the events that they
/// do not count; `weir_tail()` is there. Gives the files that DuckDB reads then. Of one tenant the
/// rows are in memory: the files are everybody's. Errors: kInvalidInput (DuckDB's).
[[nodiscard]] Result<std::vector<std::filesystem::path>> add_rollup_tables(
    Connection& connection, const log::StoreDirectory& store, const log::Manifest& manifest,
    const RollupTableOptions& options = {});
/// The same of no files: all events are summed up. `weir_events()` is there.
[[nodiscard]] Result<void> add_no_rollup_tables(Connection& connection);

}  // namespace weir::store
