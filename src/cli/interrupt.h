#pragma once

#include <atomic>
#include <stop_token>
#include <string>
#include <thread>

namespace weir::cli {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop, and a second SIGINT or
/// SIGTERM ends the program. A SIGHUP that was ignored before (nohup) stays so.
/// Make it before other threads: they must inherit the blocked signals.
class InterruptStop {
 public:
  /// `notice` is printed to standard error at the first signal.
  explicit InterruptStop(
      std::string notice = "\nweir: stopping what runs; once more to leave at once\n");
  ~InterruptStop();
  InterruptStop(const InterruptStop&) = delete;
  InterruptStop& operator=(const InterruptStop&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// The first that came; 0: none yet.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  void wait_for_signals();

  const std::string notice_;
  std::stop_source stop_;
  std::atomic<int> signal_ = 0;
  int signals_;
  int end_;
  std::thread thread_;
};

}  // namespace weir::cli
