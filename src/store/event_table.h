#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/history.h"

namespace weir::store {

/// What queries could not read, each place once. From any thread.
class BadPlaces {
 public:
  void add(BadPlace place);
  [[nodiscard]] std::vector<BadPlace> all() const;

 private:
  mutable std::mutex mutex_;
  std::set<BadPlace> places_;  // guarded by mutex_
};

/// Makes the log a table: `weir_events()`, one row a committed event and one column a field of the
/// catalogue, in no order. DuckDB reads parts itself; it never opens the segments, since it would
/// show lines that no commit stands behind: of those `weir_tail()` gives the rows.
///
/// `weir_events(run_id := '…')` gives one run's events only, faster; NULL is as if it was not
/// said. A query sees what was committed when it began.
class EventTable {
 public:
  /// As of now: a part that is made later is not read, and the segments that it replaced are, as
  /// long as they stay (CompactionOptions::keep). What a query cannot read it goes past, and adds
  /// to `bad`. Errors: kInvalidInput, kCorrupt (the manifest), kIo.
  [[nodiscard]] static Result<void> add(Connection& connection, const log::StoreDirectory& store,
                                        std::shared_ptr<BadPlaces> bad);
};

}  // namespace weir::store
