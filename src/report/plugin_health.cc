#include "report/plugin_health.h"

#include <utility>

#include "report/query.h"

namespace weir::report {

Result<std::map<std::string, PluginHealth>> plugin_health(const log::StoreDirectory& store,
                                                          std::shared_ptr<store::BadPlaces> bad) {
  WEIR_TRY(auto queries, Queries::open(store, std::move(bad)));
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

}  // namespace weir::report
