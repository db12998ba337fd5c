#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/id.h"
#include "log/store_directory.h"
#include "store/query.h"

namespace weir::bench {

/// Ten million, or what WEIR_BENCH_EVENTS says.
[[nodiscard]] std::uint64_t wanted_events();

/// Records so many events, and returns the runs they are of.
std::vector<RunId> fill(const log::StoreDirectory& store, std::uint64_t count);

/// A dashboard asks a few such questions each few seconds.
inline constexpr double kDashboardMs = 100;
/// Whether a recipe reads rollups.
[[nodiscard]] bool is_dashboard(const store::Recipe& recipe);

/// How long a query takes to its last row; very long if it fails, which is printed.
double milliseconds_of(store::Connection& connection, const std::string& sql);

/// Prints what compaction, a look at one run, and the cookbook take, over ten million events.
void measure_store();

}  // namespace weir::bench
