#pragma once

#include <string>

#include "store/query.h"

namespace weir::bench {

/// A dashboard asks a few such questions each few seconds.
inline constexpr double kDashboardMs = 100;
/// Whether a recipe reads rollups.
[[nodiscard]] bool is_dashboard(const store::Recipe& recipe);

/// How long a query takes to its last row; very long if it fails, which is printed.
double milliseconds_of(store::Connection& connection, const std::string& sql);

/// Prints what compaction, a look at one run, and the cookbook take, over ten million events.
void measure_store();

}  // namespace weir::bench
