#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/history.h"

namespace weir::store {

/// Part::file of some parts.
using PartNames = std::set<std::string, std::less<>>;

/// What queries could not read, each place once. From any thread.
class BadPlaces {
 public:
  void add(BadPlace place);
  [[nodiscard]] std::vector<BadPlace> all() const;

  /// Parts that were found to be damaged inside: views that are opened from now on are without.
  void leave_out(const PartNames& parts);
  [[nodiscard]] PartNames left_out() const;

 private:
  mutable std::mutex mutex_;
  std::set<BadPlace> places_;  // guarded by mutex_, as the next one
  PartNames left_out_;
};

/// Which events a table has.
struct EventTableOptions {
  std::optional<std::string> tenant{};  ///< whose alone; none: everybody's
  PartNames left_out{};                 ///< parts that are not to be read
  /// Whether the views of rollups sum up all events, without those of deleted runs, or read the
  /// files of rollups, all of which are checked and opened for that.
  enum class Rollups { kSummedUp, kRead };
  Rollups rollups = Rollups::kSummedUp;
};

/// Makes the log a table: `weir_events()`, one row a committed event and one column a field of the
/// catalogue, in no order. DuckDB reads parts itself; it never opens the segments, since it would
/// show lines that no commit stands behind: of those `weir_tail()` gives the rows.
///
/// `weir_events(run_id := '…')` gives one run's events only, faster; NULL is as if it was not
/// said. A query sees what was committed when it began.
class EventTable {
 public:
  /// As of a manifest of the store: a part that is made later is not read, and the segments that it
  /// replaced are, as long as they stay (CompactionOptions::keep). What a query cannot read it goes
  /// past, and adds to `bad`; but a part that is damaged inside fails it. Gives the files that
  /// DuckDB reads. Errors: kInvalidInput.
  [[nodiscard]] static Result<std::vector<std::filesystem::path>> add(
      Connection& connection, const log::StoreDirectory& store, const log::Manifest& manifest,
      std::shared_ptr<BadPlaces> bad, const EventTableOptions& options = {});
};

}  // namespace weir::store
