#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "engine/interceptor.h"
#include "project/run_metrics.h"

namespace weir::engine {

/// How the attempts of a node did, over all that a MetricsInterceptor has seen.
struct StageMetrics {
  std::uint64_t started = 0;
  std::map<std::string, std::uint64_t, std::less<>> ended;   ///< by status_of
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< of what failed, by type
  project::Statistics duration_ms;
};

/// Counts and times the calls of tools, to be read when their run is over, or before. The same
/// figures come out of the log (project::RunMetrics, `weir sql`); these need none.
///
/// Threads  Any.
class MetricsInterceptor final : public Interceptor {
 public:
  /// Nodes, and error types of one; all further ones are one, project::kOther.
  static constexpr std::size_t kMaxStages = project::kMaxMetricSeries;
  static constexpr std::size_t kMaxErrorTypes = project::kMaxErrorTypes;

  [[nodiscard]] std::string_view name() const override { return "metrics"; }
  [[nodiscard]] int priority() const override { return priority::kMetrics; }
  void around(Attempt& attempt, Next& next) override;

  /// By the id of the node; the items of a `for_each` node are counted with it.
  [[nodiscard]] std::map<std::string, StageMetrics, std::less<>> stages() const;

 private:
  [[nodiscard]] StageMetrics& stage(const std::string& node_id);  // under mutex_

  mutable std::mutex mutex_;
  std::map<std::string, StageMetrics, std::less<>> stages_;  // guarded by mutex_
};

}  // namespace weir::engine
