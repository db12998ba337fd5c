#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/ring.h"
#include "base/ticks.h"
#include "base/time.h"
#include "event/field_value.h"
#include "log/run_lock.h"
#include "log/store_directory.h"
#include "record/line.h"
#include "record/recorder_options.h"
#include "record/recorder_statistics.h"
#include "record/run_fields.h"

namespace weir::record {

class Run;
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

  enum class AtStop : std::uint8_t { kDrain, kDiscard };
  /// Ends recording: what is said later is dropped. kDrain commits everything said before, and
  /// waits for it up to `timeout`. Errors: kUnavailable (not everything in time).
  [[nodiscard]] Result<void> stop(AtStop what, std::chrono::milliseconds timeout);

  [[nodiscard]] RecorderStatistics statistics() const;
  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }
  [[nodiscard]] const Clock& clock() const { return *options_.clock; }
  [[nodiscard]] const event::Redactor& redactor() const { return *options_.redactor; }
  /// Whether segments of that writer's name are this recorder's.
  [[nodiscard]] bool is_writer(std::string_view name) const;

 private:
  friend class Run;
  friend class LiveRecorders;
  struct ThreadRing;
  class Writer;

  void start_threads();  // under mutex_
  [[nodiscard]] ThreadRing& ring_of_this_thread();
  [[nodiscard]] ThreadRing& make_ring_of_this_thread();
  [[nodiscard]] std::byte* reserve(ThreadRing& ring, std::size_t size);
  [[nodiscard]] Result<void> wait_committed(const Run& run, std::int64_t seq);
  void wake_writer();
  void start_anew_in_child();

  std::atomic<std::uint64_t> id_;  // never used twice in a process, unlike an address
  const bool has_ticks_;           // events are stamped with ticks, not with time
  const log::StoreDirectory store_;
  const RecorderOptions options_;

  alignas(64) mutable std::mutex mutex_;
  std::condition_variable wake_;     // the writer waits here
  std::condition_variable settled_;  // those who wait for a commit
  // Guarded by mutex_:
  std::vector<std::shared_ptr<ThreadRing>> new_rings_;  // for the writer to take
  std::vector<std::shared_ptr<ThreadRing>> rings_;      // all, for the statistics
  RecorderStatistics past_;                             // of rings that are gone; commits, cut
  std::vector<Run*> open_runs_;
  std::vector<std::string> writer_names_;
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
};

/// A run of ours being recorded: owns its lock, gives its events their numbers.
///
/// Threads  All functions from any thread; the destructor after all of them.
class Run {
 public:
  /// Commits what was emitted.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Records an event. Copies what the fields name; waits while the thread's ring is full, and with
  /// Durability::kCommit for the commit. `fields` in any order, without those of RunFields.
  void emit(event::Type type, std::span<const event::FieldValue> fields) {
    emit(type, event::info(type).level, fields);
  }
  void emit(event::Type type, std::initializer_list<event::FieldValue> fields) {
    emit(type, std::span(fields.begin(), fields.size()));
  }
  /// With a level of its own, for log lines.
  void emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields);

  /// The same, but never waits: false when the ring was full and the event was dropped. For what a
  /// run can do without: a dropped event has no number, so it leaves no hole.
  bool try_emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields);

  /// Waits until everything emitted so far by this thread is on disk. Errors: those of the log.
  [[nodiscard]] Result<void> flush();

  /// Stop is requested when an event of this run could not be recorded: from then on none is.
  /// Callbacks run on the recorder's writer thread: they must not wait for it.
  [[nodiscard]] std::stop_token lost() const { return lost_.get_token(); }

  [[nodiscard]] const RunId& id() const { return id_; }
  [[nodiscard]] const Clock& clock() const { return recorder_->clock(); }

 private:
  friend class Recorder;
  friend class Recorder::Writer;
  friend class LiveRecorders;
  Run(Recorder& recorder, const RunFields& fields, log::RunLock lock);

  void add_constant(event::Field field, std::string_view text);
  [[nodiscard]] bool put(Recorder::ThreadRing& ring, event::Type type, event::Level level,
                         std::span<const event::FieldValue> fields);
  void put_exactly(Recorder::ThreadRing& ring, std::byte* room, event::Type type,
                   event::Level level, std::span<const event::FieldValue> fields,
                   std::size_t fields_size);
  void publish(Recorder::ThreadRing& ring, std::byte* room, std::size_t fields_size,
               event::Type type, event::Level level, bool spilled);

  Recorder* recorder_;
  const RunId id_;
  const Durability durability_;
  log::RunLock lock_;
  std::string head_;                      // of a line, from after the level to the number
  std::vector<RenderedField> constants_;  // the other fields of every line
  std::stop_source lost_;
  std::atomic<bool> ended_{false};  // nothing is taken any more: a flag only

  // Written by every emit, so on a line of its own.
  alignas(64) std::atomic<std::int64_t> emitted_{0};  // the last number given

  // Guarded by the recorder's mutex_.
  alignas(64) std::int64_t committed_ = 0;  // the last number on disk
  std::int64_t settled_ = 0;  // the last number that the writer is done with, on disk or dropped
  std::optional<Error> failure_;  // why it is lost

  // The writer thread's.
  std::int64_t written_ = 0;                  // the last number in the pending commit or before
  Timestamp last_time_{};                     // of the last line
  std::map<std::int64_t, std::string> held_;  // records that came before their predecessors
  bool is_lost_ = false;                      // changed under the mutex_
};

}  // namespace weir::record
