#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/ring.h"
#include "base/ticks.h"
#include "base/time.h"
#include "event/field_value.h"
#include "log/follower.h"
#include "log/sealing.h"
#include "log/store_directory.h"
#include "record/fork_guard.h"
#include "record/process_runs.h"
#include "record/recorder_options.h"
#include "record/recorder_statistics.h"
#include "record/run.h"
#include "record/run_fields.h"

namespace weir::record {

class Sealer;

/// Takes events from any thread and commits them to the log, each run's in the order of its
/// numbers.
///
///   emit ──► ring of the thread ──┐
///   emit ──► ring of the thread ──┼──► writer thread: order, redaction, JSON ──► commit thread:
///                                                                  LogWriter: write, fdatasync
///
/// While one commit is on its way to the disk, the next one is made.
///
/// Threads    All functions from any thread. A writer thread, one for commits and one that seals
///            finished segments, joined by the destructor.
/// Durability See Durability; `Run::flush` waits for the commit. The destructor commits everything.
/// Failure    When the log cannot be written, the runs that are open then are lost: they are told
///            (`Run::lost`), `flush` returns the error, and what they say later is dropped. The log
///            is tried again every retry_interval; when it works, an alert says what is missing,
///            and new runs can begin.
/// Fork       The parent's runs stay the parent's: to the child they are lost. The child can begin
///            runs of its own, with a writer of its own.
class Recorder {
 public:
  explicit Recorder(log::StoreDirectory store, RecorderOptions options = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Begins to record a run that no other process records. Errors: kConflict, kCancelled (stopped),
  /// those of the log.
  [[nodiscard]] Result<std::unique_ptr<Run>> begin(const RunFields& fields);
  /// The same for a run that this process owns already: what the log says of it was read since.
  [[nodiscard]] Result<std::unique_ptr<Run>> begin(const RunFields& fields, log::RunLock lock);

  enum class AtStop : std::uint8_t { kDrain, kDiscard };
  /// Ends recording: what is said later is dropped. kDrain commits everything said before, and
  /// waits for it up to `timeout`. Errors: kUnavailable (not everything in time).
  [[nodiscard]] Result<void> stop(AtStop what, std::chrono::milliseconds timeout);

  [[nodiscard]] RecorderStatistics statistics() const;
  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }
  [[nodiscard]] const Clock& clock() const { return *options_.clock; }
  [[nodiscard]] const event::Redactor& redactor() const { return *options_.redactor; }
  /// For what belongs to no run.
  [[nodiscard]] ProcessRuns& process_runs() { return process_runs_; }
  /// Tells which segments are this recorder's, for whoever follows the log; also when it is gone.
  [[nodiscard]] log::WriterFilter own_writers() const;

 private:
  friend class Run;
  friend class LiveRecorders;
  friend class Writer;

  void start_threads();  // under mutex_
  void report(const log::Salvage& salvage);
  [[nodiscard]] ThreadRing& ring_of_this_thread();
  [[nodiscard]] ThreadRing& make_ring_of_this_thread();
  [[nodiscard]] std::byte* reserve(ThreadRing& ring, std::size_t size);
  [[nodiscard]] Result<void> wait_committed(const Run& run, std::int64_t seq);
  void wake_writer();
  void start_anew_in_child();  // under mutex_

  std::atomic<std::uint64_t> id_;  // never used twice in a process, unlike an address
  const bool has_ticks_;           // events are stamped with ticks, not with time
  const log::StoreDirectory store_;
  const RecorderOptions options_;

  struct WriterNames {
    std::mutex mutex;
    std::vector<std::string> names;  // guarded by mutex
  };
  std::shared_ptr<WriterNames> writer_names_ = std::make_shared<WriterNames>();

  alignas(64) mutable std::mutex mutex_;
  std::condition_variable wake_;     // the writer waits here
  std::condition_variable settled_;  // those who wait for a commit
  // Guarded by mutex_:
  std::vector<std::shared_ptr<ThreadRing>> new_rings_;  // for the writer to take
  std::vector<std::shared_ptr<ThreadRing>> rings_;      // all, for the statistics
  RecorderStatistics past_;                             // of rings that are gone; commits, cut
  std::vector<Run*> open_runs_;
  std::optional<Error> failure_;
  std::uint64_t drains_wanted_ = 0;
  std::uint64_t drains_done_ = 0;
  int waiting_ = 0;
  bool woken_ = false;
  bool stopped_ = false;  // no run begins any more
  bool discarding_ = false;
  bool stopping_ = false;  // the destructor waits

  std::atomic<std::size_t> open_count_{0};  // size of open_runs_, for a signal handler

  // Between a fatal signal's handler and the writer (see process_end.h).
  std::atomic<bool> crashing_{false};
  std::atomic<bool> crash_drained_{false};

  TickConverter ticks_;  // the writer's, made before there are events
  std::thread writer_;
  std::unique_ptr<Sealer> sealer_;
  ProcessRuns process_runs_{*this};

  ForkGuard fork_guard_{mutex_, [this] { start_anew_in_child(); }};
};

}  // namespace weir::record
