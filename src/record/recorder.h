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
#include <string>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/ring.h"
#include "base/time.h"
#include "event/field_value.h"
#include "log/run_lock.h"
#include "log/store_directory.h"
#include "record/encoding.h"

namespace weir::record {

struct RecorderOptions {
  /// How long an event may wait for its commit.
  std::chrono::milliseconds commit_interval{5};
  /// A commit begins when this much is waiting.
  std::size_t commit_bytes = std::size_t{1} << 20;
  /// Of each emitting thread. A full ring makes `emit` wait.
  std::size_t ring_bytes = std::size_t{1} << 20;
  const Clock* clock = &system_clock();
};

class Run;

/// What every event of a run says.
struct RunFields {
  RunId run_id;
  std::string pipeline_type;  ///< dag, linear or external
  std::string pipeline_id;
  std::string pipeline_version;
  TraceId trace_id;
};

/// Takes events from any thread and commits them to the log, each run's in the order of its
/// numbers.
///
///   emit ──► ring of the thread ──┐
///   emit ──► ring of the thread ──┼──► writer thread: order, JSON ──► LogWriter: write, fdatasync
///
/// Threads    All functions from any thread. One writer thread, joined by the destructor.
/// Durability An event is committed within commit_interval or so; `Run::flush` waits for it. The
///            destructor commits everything emitted.
/// Failure    When the log cannot be written, recording ends: `flush` returns the error, events are
///            dropped. It is not tried again (see log::SegmentWriter).
class Recorder {
 public:
  explicit Recorder(log::StoreDirectory store, RecorderOptions options = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Begins to record a run that no other process records. Errors: kConflict, kIo.
  [[nodiscard]] Result<std::unique_ptr<Run>> begin(const RunFields& fields);

  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }
  [[nodiscard]] const Clock& clock() const { return *options_.clock; }

 private:
  friend class Run;
  struct ThreadRing;
  class Writer;

  [[nodiscard]] ThreadRing& ring_of_this_thread();
  [[nodiscard]] std::byte* reserve(ThreadRing& ring, std::size_t size);
  [[nodiscard]] Result<void> wait_committed(const Run& run, std::int64_t seq);
  void wake_writer();

  const std::uint64_t id_;  // never used twice in a process, unlike an address
  const log::StoreDirectory store_;
  const RecorderOptions options_;

  std::mutex mutex_;
  std::condition_variable wake_;                        // the writer waits here
  std::condition_variable settled_;                     // those who wait for a commit
  std::vector<std::shared_ptr<ThreadRing>> new_rings_;  // guarded by mutex_
  std::optional<Error> failure_;                        // guarded by mutex_
  int open_runs_ = 0;                                   // guarded by mutex_
  int waiting_ = 0;                                     // guarded by mutex_
  bool woken_ = false;                                  // guarded by mutex_
  bool stopping_ = false;                               // guarded by mutex_

  std::thread writer_;
};

/// A run of ours being recorded: owns its lock, gives its events their numbers.
///
/// Threads  `emit` from any thread; the destructor after all of them.
class Run {
 public:
  /// Commits what was emitted.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Records an event. Copies what the fields name; waits only while the thread's ring is full.
  /// `fields` in any order, without those of RunFields.
  void emit(event::Type type, std::span<const event::FieldValue> fields);
  void emit(event::Type type, std::initializer_list<event::FieldValue> fields) {
    emit(type, std::span(fields.begin(), fields.size()));
  }
  /// With a level of its own, for log lines.
  void emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields);

  /// Waits until everything emitted so far by this thread is on disk. Errors: those of the log.
  [[nodiscard]] Result<void> flush();

  [[nodiscard]] const RunId& id() const { return id_; }
  [[nodiscard]] const Clock& clock() const { return recorder_->clock(); }

 private:
  friend class Recorder;
  friend class Recorder::Writer;
  Run(Recorder& recorder, const RunFields& fields, log::RunLock lock);

  Recorder* recorder_;
  const RunId id_;
  log::RunLock lock_;
  std::string head_;                      // of a line, from after the level to the number
  std::vector<RenderedField> constants_;  // the other fields of every line
  std::atomic<std::int64_t> emitted_{0};  // the last number given

  // Guarded by the recorder's mutex_.
  std::int64_t committed_ = 0;  // the last number on disk
  std::int64_t settled_ = 0;    // the last number that the writer is done with, on disk or dropped

  // The writer thread's.
  std::int64_t written_ = 0;                  // the last number in the pending commit or before
  std::map<std::int64_t, std::string> held_;  // records that came before their predecessors
};

}  // namespace weir::record
