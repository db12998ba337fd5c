#pragma once

#include <mutex>
#include <utility>

#include "project/run_metrics.h"
#include "weir/metrics.h"

namespace weir::report {

/// What stands behind a MetricsManager.
struct MetricsState {
  mutable std::mutex mutex;
  project::RunMetrics metrics{};  ///< guarded by mutex

  [[nodiscard]] project::RunMetrics copy() const {
    const std::lock_guard lock(mutex);
    return metrics;
  }
};

}  // namespace weir::report
