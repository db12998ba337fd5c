#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::days;

constexpr days kShortestAge(1);
constexpr days kLongestAge(36'500);
constexpr auto kSmallestStore = std::uint64_t{1} << 20;
constexpr auto kLargestStore = std::uint64_t{1} << 50;

/// Of everything, and of a tenant or a pipeline.
template <class Limits, class Age>
std::vector<Key<Limits>> limit_keys(const Age& age, const KeyOptions& options) {
  return {
      key<Limits>("operations", &Limits::operations, age,
                  "how long runs are kept after their last event has arrived", options),
      key<Limits>("audit", &Limits::audit, age,
                  "the same of audits: what `weir` itself records of who did what", options),
      key<Limits>("metrics", &Limits::metrics, age, "the same of runs of nothing but metrics",
                  options),
      key<Limits>("max_bytes", &Limits::max_bytes, optional(size(kSmallestStore, kLargestStore)),
                  "while their Parquet files have more, the oldest runs go, but no audits",
                  {.fallback = "any size"})};
}

Shape<ByName<RetentionLimits>> limits_of(const std::string& what, const std::string& name) {
  const auto age = optional(duration(kShortestAge, kLongestAge));
  return map(what,
             object<RetentionLimits>("limits",
                                     limit_keys<RetentionLimits>(age, {.fallback = "as for all"})),
             {.what = name, .pattern = "^.+$", .accepts = [](std::string_view given) {
                return !given.empty();
              }});
}

}  // namespace

Shape<Retention> retention_shape() {
  auto keys = limit_keys<Retention>(duration(kShortestAge, kLongestAge), {});
  keys.push_back(key<Retention>("tenants", &Retention::tenants,
                                limits_of("limits of tenants", "a tenant's id"),
                                "other limits for the runs of a tenant"));
  keys.push_back(key<Retention>(
      "pipelines", &Retention::pipelines, limits_of("limits of pipelines", "a pipeline's id"),
      "other limits for the runs of a pipeline; they win over a tenant's"));
  return object<Retention>("how long runs are kept", keys);
}

}  // namespace weir::config
