#pragma once

#include <stop_token>
#include <thread>

namespace weir::cli {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop, and a second SIGINT or
/// SIGTERM ends the program. A SIGHUP that was ignored before (nohup) stays so.
/// Make it before other threads: they must inherit the blocked signals.
class InterruptStop {
 public:
  InterruptStop();
  ~InterruptStop();
  InterruptStop(const InterruptStop&) = delete;
  InterruptStop& operator=(const InterruptStop&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void wait_for_signals();

  std::stop_source stop_;
  int signals_;
  int end_;
  std::thread thread_;
};

}  // namespace weir::cli
