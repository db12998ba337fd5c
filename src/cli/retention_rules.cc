#include "cli/retention_rules.h"

namespace weir::cli {
namespace {

std::map<std::string, store::RetentionOverride, std::less<>> overrides_of(
    const config::ByName<config::RetentionLimits>& limits) {
  std::map<std::string, store::RetentionOverride, std::less<>> overrides;
  for (const auto& [name, one] : limits) {
    overrides.emplace(name, store::RetentionOverride{.operations = one.operations,
                                                     .audit = one.audit,
                                                     .metrics = one.metrics,
                                                     .max_bytes = one.max_bytes});
  }
  return overrides;
}

}  // namespace

store::RetentionRules retention_rules(const config::Config& config) {
  const auto limits = config.retention.value_or(config::Retention());
  return {.operations = limits.operations,
          .audit = limits.audit,
          .metrics = limits.metrics,
          .max_bytes = limits.max_bytes,
          .tenants = overrides_of(limits.tenants),
          .pipelines = overrides_of(limits.pipelines)};
}

}  // namespace weir::cli
