#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "event/decoder.h"
#include "log/follower.h"
#include "record/event_sink.h"
#include "record/fork_guard.h"

namespace weir::record {

struct LogFeedOptions {
  std::string name = "sink";  ///< of the sink, in messages
  /// Whose segments it follows; none: those of every process. Called by the feed's thread, and by
  /// `finish` and `statistics`. True of a writer before its first segment has its name.
  log::WriterFilter is_writer{};
  /// Where it begins; the empty cursor is the beginning of the log.
  log::Cursor from{};
  /// How long the destructor waits for the sink before it says so.
  std::chrono::milliseconds patience{5000};
  /// What its owner should know, in a sentence: damage in the log, a sink that does not come back.
  /// Called from the feed's thread or the destructor's, must return soon, must not throw.
  std::function<void(const std::string&)> on_problem{};
  std::chrono::milliseconds look_interval{1000};  ///< as in log::FollowerOptions
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
///           log) and waits for the call that is out. A sink that never returns keeps it for ever:
///           `on_problem` is told for whom it waits, and who cannot wait ends the process there.
class LogFeed {
 public:
  /// `sink` must outlive it. Errors: kIo, kNotFound.
  [[nodiscard]] static Result<std::unique_ptr<LogFeed>> start(log::StoreDirectory store,
                                                              EventSink& sink,
                                                              LogFeedOptions options = {});
  ~LogFeed();
  LogFeed(const LogFeed&) = delete;
  LogFeed& operator=(const LogFeed&) = delete;

  /// Delivers what is committed until now and flushes the sink; then goes on. Errors: kUnavailable
  /// (not in time; says how much is missing), kConflict in a forked child, those of the log, those
  /// of the sink's flush.
  [[nodiscard]] Result<void> finish(std::chrono::milliseconds timeout);

  [[nodiscard]] LogFeedStatistics statistics() const;
  /// After everything delivered so far.
  [[nodiscard]] log::Cursor cursor() const;

 private:
  LogFeed(log::StoreDirectory store, EventSink& sink, LogFeedOptions options);

  /// What somebody waits for.
  struct Finish {
    const log::Cursor goal;
    bool begun = false;                    // the thread's
    std::optional<Result<void>> result{};  // guarded by mutex_: it is done
  };

  void stop_in_child();  // under mutex_
  void run();
  void caught_up();
  [[nodiscard]] std::shared_ptr<Finish> wanted_finish();
  void end_finish(Finish& finish, Result<void> result);
  [[nodiscard]] bool has_passed(const log::Cursor& goal) const;
  void deliver(const log::FollowedCommit& commit);
  [[nodiscard]] Result<void> deliver_line(std::string_view line);
  void failed(std::string message);
  void tell(const std::string& problem) const;

  const log::StoreDirectory store_;
  EventSink& sink_;
  const LogFeedOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  LogFeedStatistics statistics_;
  log::Cursor cursor_;
  std::shared_ptr<Finish> finish_;
  bool ended_ = false;

  std::atomic<bool> stopping_{false};  // a flag only

  /// The thread's.
  struct Reading {
    log::Follower follower;  // `wake` from any
    event::Decoder decoder{};
    std::string topic{};
  };
  std::unique_ptr<Reading> reading_;  // null in a forked child

  std::mutex one_finish_;  // those who finish take turns
  std::thread thread_;

  ForkGuard fork_guard_{mutex_, [this] { stop_in_child(); }};
};

}  // namespace weir::record
