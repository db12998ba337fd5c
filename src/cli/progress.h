#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "engine/engine.h"

namespace weir::cli {

/// Shows a run on standard error: a line for each node that ended and, on a terminal, one for each
/// that runs.
///
/// Threads  `update` from any thread. A thread of its own draws, on a terminal only.
class Progress {
 public:
  explicit Progress(const pipeline::Definition& definition);
  /// Takes the lines of running nodes away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const engine::NodeUpdate& update);

 private:
  using Clock = std::chrono::steady_clock;
  void draw_until_finished();
  void erase_running();  // under mutex_
  void draw_running();   // under mutex_
  void print_pause(bool is_paused) const;
  void print_question(const engine::NodeUpdate& update) const;
  void print_ended(const engine::NodeUpdate& update) const;

  const bool terminal_;
  const bool coloured_;
  const std::size_t node_count_;
  int name_width_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Clock::time_point> running_;  // by node id
  std::size_t ended_ = 0;
  int drawn_lines_ = 0;
  bool finished_ = false;
  std::thread drawer_;
};

}  // namespace weir::cli
