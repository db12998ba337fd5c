#pragma once

#include "base/result.h"
#include "log/event_log.h"
#include "store/database.h"

namespace weir::store {

/// Makes the log a table: registers `weir_events()` with a connection's database, one row a
/// committed event and one column a field of the catalogue, in no order. DuckDB never opens the
/// segments: it would show lines that no commit stands behind.
///
/// `weir_events(run_id := '…')` gives one run's events only, faster. A query sees what was
/// committed when it began.
class EventTable {
 public:
  /// Errors: kInvalidInput.
  [[nodiscard]] static Result<void> add(Connection& connection, const log::StoreDirectory& store);
};

}  // namespace weir::store
