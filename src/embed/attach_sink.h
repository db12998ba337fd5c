#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/event_sink.h"
#include "record/fork_guard.h"
#include "record/log_feed.h"
#include "record/recorder.h"
#include "weir/recorder.h"

namespace weir::embed {

/// Those who read what a recorder commits, each for a sink. The destructor gives the sinks what is
/// committed by then, flushes them, for `patience` all together, and ends; it must run after the
/// recorder's.
///
/// Threads  All functions from any thread.
class Feeds {
 public:
  Feeds(std::chrono::milliseconds patience, std::function<void(std::string_view)> on_problem);
  ~Feeds();
  Feeds(const Feeds&) = delete;
  Feeds& operator=(const Feeds&) = delete;

  /// Gives `sink` what `recorder` commits, from its first event on. Errors: kIo, kNotFound.
  [[nodiscard]] Result<void> add(const record::Recorder& recorder,
                                 std::shared_ptr<record::EventSink> sink);

 private:
  const std::chrono::milliseconds patience_;
  const std::function<void(std::string_view)> on_problem_;
  std::atomic<int> added_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<record::LogFeed>> feeds_;  // guarded by mutex_
  record::ForkGuard fork_guard_{mutex_};
};

/// A user's sink as one of ours: what it throws becomes an error.
[[nodiscard]] std::unique_ptr<record::EventSink> adapt_sink(std::unique_ptr<Sink> sink);

}  // namespace weir::embed
