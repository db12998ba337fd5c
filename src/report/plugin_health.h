#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"
#include "store/event_table.h"

namespace weir::report {

/// How a plugin did in all runs of a store: an attempt of a node is a call, unless its output came
/// out of the cache.
struct PluginHealth {
  std::uint64_t success_count = 0;
  std::uint64_t error_count = 0;
  bool last_failed = false;
  std::string reason;  ///< of the last call, if it failed
  std::optional<double> last_execution_time_ms;
  std::optional<double> average_execution_time_ms;  ///< of the last ten
  Timestamp last_used{};
};

/// By plugin, of those that were called. What cannot be read is added to `bad`. Errors: as
/// Queries::open.
[[nodiscard]] Result<std::map<std::string, PluginHealth>> plugin_health(
    const log::StoreDirectory& store, const std::shared_ptr<store::BadPlaces>& bad);

}  // namespace weir::report
