#include "tool/health.h"

#include <algorithm>
#include <utility>

namespace weir::tool {

std::string_view to_string(HealthReport::State state) {
  static constexpr std::string_view kWords[] = {"LOADED", "INITIALIZED", "RUNNING", "FAILED",
                                                "UNAVAILABLE"};
  return kWords[static_cast<std::size_t>(state)];
}

void Health::call_ends(Time began, Time ended, std::string_view failure) {
  const std::lock_guard lock(mutex_);
  times_ms_[static_cast<std::size_t>(success_count_ + error_count_) % kKept] =
      std::chrono::duration<double, std::milli>(ended - began).count();
  ++(failure.empty() ? success_count_ : error_count_);
  failure_ = failure;
  last_used_ = ended;
}

void Health::set_unavailable(std::string reason) {
  const std::lock_guard lock(mutex_);
  unavailable_ = std::move(reason);
}

HealthReport Health::report() const {
  using State = HealthReport::State;
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  HealthReport report{.success_count = success_count_, .error_count = error_count_};
  const auto calls = static_cast<std::size_t>(success_count_ + error_count_);
  if (calls > 0) {
    report.last_execution_time_ms = times_ms_[(calls - 1) % kKept];
    const auto kept = std::min(calls, kKept);
    double sum = 0;
    for (std::size_t i = 0; i < kept; ++i) sum += times_ms_[i];
    report.average_execution_time_ms = sum / static_cast<double>(kept);
    report.state = failure_.empty() ? State::kInitialized : State::kFailed;
    report.reason = failure_;
    report.last_used =
        std::chrono::system_clock::now() -
        std::chrono::duration_cast<std::chrono::system_clock::duration>(now - last_used_);
  }
  const auto ended = success_count_ + error_count_;
  if (begun_.load(std::memory_order_relaxed) > ended) report.state = State::kRunning;
  if (!unavailable_.empty()) {
    report.state = State::kUnavailable;
    report.reason = unavailable_;
  }
  report.uptime_seconds = std::chrono::duration<double>(now - since_).count();
  return report;
}

}  // namespace weir::tool
