#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "log/follower.h"
#include "record/event_filter.h"
#include "record/event_sink.h"

namespace weir::record {

struct LogFeedOptions {
  std::string name = "sink";  ///< of the sink, in messages
  /// Whose segments it follows; none: those of every process. Called by the feed's thread, and by
  /// `finish` and `statistics`. True of a writer before its first segment has its name.
  log::WriterFilter is_writer{};
  EventFilter filter{};  ///< what the sink wants
  /// Where it begins; the empty cursor is the beginning of the log.
  log::Cursor from{};
  /// How long the destructor waits for the sink before it leaves it behind.
  std::chrono::milliseconds patience{10'000};
  /// What its owner should know, in a sentence: damage in the log, a sink that does not come back.
  /// Called from the feed's thread or the destructor's, one at a time, must return soon, must not
  /// throw.
  std::function<void(const std::string&)> on_problem{};
  std::chrono::milliseconds look_interval{1000};  ///< as in log::FollowerOptions
  log::OpenParts open_parts{};                    ///< as in log::FollowerOptions
};

struct LogFeedStatistics {
  std::uint64_t delivered = 0;  ///< events that the sink took
  std::uint64_t errors = 0;     ///< events that it did not, and what else failed
  std::string last_error;       ///< empty: none
  std::uint64_t lag_bytes = 0;  ///< of the log, not delivered yet
};

/// Gives the events of the log to a sink, as they are committed. The sink is a reader of the log
/// with a cursor of its own: a slow one slows nothing down, and misses nothing.
///
///   recorder ──► segments ──► thread: follow, decode ──► sink
///
/// Order     Of each writer as committed. One event at a time.
/// Failure   What the sink returns or throws is counted, and the next event is given to it.
/// Threads   All functions from any thread. One of its own, `weir-feed`.
/// Fork      The parent's goes on. The child's copy delivers nothing, for good; a sink that forks
/// ends
///           its child itself.
/// Shutdown  The destructor delivers nothing more (`finish` first for that; the rest stays in the
///           log) and waits for the call that is out. A sink that does not come back in time is
///           left behind: `on_problem` is told, and the thread and the sink end by themselves when
///           it is back, or with the process.
class LogFeed {
 public:
  /// Errors: kIo, kNotFound.
  [[nodiscard]] static Result<std::unique_ptr<LogFeed>> start(log::StoreDirectory store,
                                                              std::shared_ptr<EventSink> sink,
                                                              LogFeedOptions options = {});
  ~LogFeed();
  LogFeed(const LogFeed&) = delete;
  LogFeed& operator=(const LogFeed&) = delete;

  /// Delivers what is committed until now and flushes the sink; then goes on. Errors: kUnavailable
  /// (not in time; says how much is missing), kConflict in a forked child, those of the log, those
  /// of the sink's flush.
  [[nodiscard]] Result<void> finish(std::chrono::milliseconds timeout);
  /// All of them at once, within one timeout: the result of each.
  [[nodiscard]] static std::vector<Result<void>> finish(
      std::span<const std::unique_ptr<LogFeed>> feeds, std::chrono::milliseconds timeout);

  [[nodiscard]] LogFeedStatistics statistics() const;
  /// After everything delivered so far.
  [[nodiscard]] log::Cursor cursor() const;

 private:
  class Impl;
  explicit LogFeed(std::shared_ptr<Impl> impl);

  const std::shared_ptr<Impl> impl_;  // the thread's too, which may stay longer
};

}  // namespace weir::record
