#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace weir::engine {

/// Does things later.
///
/// Threads  Any; and its own, `weir-timer`, which calls the actions one after the other under no
///          lock. They are short and throw nothing.
class Timers {
 public:
  using Id = std::uint64_t;

  /// Throws std::system_error when the system gives no thread.
  Timers();
  /// What is not due by then is not done.
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  Id start(std::chrono::milliseconds delay, std::function<void()> action);
  /// When it returns, the action is done or never will be. Not from an action.
  void cancel(Id id);

 private:
  using Clock = std::chrono::steady_clock;
  struct Timer {
    Id id;
    std::function<void()> action;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Timer> timers_;  // guarded by mutex_, as is the rest
  Id last_id_ = 0;
  Id current_ = 0;  // whose action is being called
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::engine
