#pragma once

#include "config/config.h"
#include "store/retention.h"

namespace weir::cli {

/// What the configuration says of how long runs are kept, or the defaults.
[[nodiscard]] store::RetentionRules retention_rules(const config::Config& config);

}  // namespace weir::cli
