#include "report/plugin_health.h"

#include <utility>

#include "report/query.h"
#include "store/query.h"

namespace weir::report {

namespace {

Result<std::map<std::string, PluginHealth>> read_health(
    const log::StoreDirectory& store, const std::shared_ptr<store::BadPlaces>& bad) {
  WEIR_TRY(auto queries, Queries::open(store, bad));
  WEIR_TRY(const auto rows, queries.ask("plugin-health"));
  std::map<std::string, PluginHealth> health;
  for (const auto& row : rows) {
    health.emplace(row.text("plugin_id"),
                   PluginHealth{.success_count = row.count("successes"),
                                .error_count = row.count("failures"),
                                .last_failed = row.is_true("has_failed"),
                                .reason = row.text("reason"),
                                .last_execution_time_ms = row.number("last_ms"),
                                .average_execution_time_ms = row.number("average_ms"),
                                .last_used = row.moment("last_used")});
  }
  return health;
}

}  // namespace

Result<std::map<std::string, PluginHealth>> plugin_health(
    const log::StoreDirectory& store, const std::shared_ptr<store::BadPlaces>& bad) {
  return store::past_damage(store, *bad, [&] { return read_health(store, bad); });
}

}  // namespace weir::report
