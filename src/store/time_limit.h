#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace weir::store {

/// Asks a question to stop when somebody asks for it, or when its time is over.
///
/// Threads  One of its own, `weir-timer`, while there is a limit.
class TimeLimit {
 public:
  /// Zero: no limit.
  TimeLimit(const std::stop_token& from, std::chrono::milliseconds limit)
      : on_stop_(from, [this] { stop_.request_stop(); }) {
    if (limit == std::chrono::milliseconds::zero()) return;
    thread_ = std::jthread([this, limit](const std::stop_token& end) {
      ::pthread_setname_np(::pthread_self(), "weir-timer");
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, end, limit, [] { return false; });
      if (end.stop_requested()) return;
      is_late_ = true;
      stop_.request_stop();
    });
  }

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// Whether its time is over.
  [[nodiscard]] bool is_late() const { return is_late_; }

 private:
  std::stop_source stop_;
  std::atomic<bool> is_late_ = false;  // a flag only
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::jthread thread_;
};

}  // namespace weir::store
