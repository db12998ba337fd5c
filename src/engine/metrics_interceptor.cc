#include "engine/metrics_interceptor.h"

namespace weir::engine {

void MetricsInterceptor::around(Attempt& attempt, Next& next) {
  const auto start = attempt.clock.monotonic();
  {
    const std::lock_guard lock(mutex_);
    ++stage(attempt.node.id.text).started;
  }
  const auto& outcome = next.run();
  const auto duration_ms = milliseconds_since(attempt.clock, start);
  const std::lock_guard lock(mutex_);
  auto& counted = stage(attempt.node.id.text);
  ++counted.ended[std::string(status_of(attempt, outcome))];
  counted.duration_ms.add(duration_ms);
  if (outcome) return;
  const auto& type = outcome.error().type;
  const bool has_room = counted.errors.size() < kMaxErrorTypes || counted.errors.contains(type);
  ++counted.errors[has_room ? type : std::string(project::kOther)];
}

StageMetrics& MetricsInterceptor::stage(const std::string& node_id) {
  const bool has_room = stages_.size() < kMaxStages || stages_.contains(node_id);
  return stages_[has_room ? node_id : std::string(project::kOther)];
}

std::map<std::string, StageMetrics, std::less<>> MetricsInterceptor::stages() const {
  const std::lock_guard lock(mutex_);
  return stages_;
}

}  // namespace weir::engine
