#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace weir::tool {

/// How a plugin is doing, since this process knows it.
struct HealthReport {
  enum class State : std::uint8_t {
    kLoaded,       ///< known, never called
    kInitialized,  ///< its last call went well
    kRunning,      ///< it is being called
    kFailed,       ///< its last call failed
    kUnavailable,  ///< it cannot be called now
  };
  State state = State::kLoaded;
  std::int64_t success_count = 0;
  std::int64_t error_count = 0;
  std::optional<double> last_execution_time_ms{};
  std::optional<double> average_execution_time_ms{};  ///< of the last ten
  double uptime_seconds = 0;
  std::optional<std::chrono::system_clock::time_point> last_used{};  ///< when a call last ended
  std::string reason{};  ///< why it is failed or unavailable
};

/// "LOADED", "INITIALIZED", "RUNNING", "FAILED", "UNAVAILABLE"
[[nodiscard]] std::string_view to_string(HealthReport::State state);

/// Counts the calls of one plugin. From any thread.
class Health {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void call_begins() { begun_.fetch_add(1, std::memory_order_relaxed); }
  /// `failure` is empty for a call that went well.
  void call_ends(Time began, Time ended, std::string_view failure);
  /// With a reason it cannot be called; without one it can be again.
  void set_unavailable(std::string reason);
  [[nodiscard]] HealthReport report() const;

 private:
  static constexpr std::size_t kKept = 10;

  std::atomic<std::int64_t> begun_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::int64_t success_count_ = 0;
  std::int64_t error_count_ = 0;
  std::array<double, kKept> times_ms_{};  // of the call n at n % kKept
  std::string failure_;                   // of the last call
  std::string unavailable_;
  Time last_used_;  // of any call
  const Time since_ = std::chrono::steady_clock::now();
};

}  // namespace weir::tool
