#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/timers.h"
#include "record/recorder.h"

namespace weir::engine {

/// The engine of this process as what runs pipelines for others, the adapter `local`: its process
/// run has its heartbeats, and how long it took to begin each run.
///
/// Threads  Any. A timer thread from its first run on.
class LocalAdapter {
 public:
  /// From when on it says anything.
  enum class Speaks : std::uint8_t {
    kAtOnce,
    /// Once runs have gone on for an interval: the process is there for a run or two, and its short
    /// runs tell enough of it.
    kAfterInterval,
  };
  struct Options {
    std::chrono::milliseconds interval = std::chrono::seconds(10);  ///< of heartbeats
    Speaks speaks = Speaks::kAtOnce;
  };
  /// `recorder` outlives it.
  explicit LocalAdapter(record::Recorder& recorder) : LocalAdapter(recorder, Options()) {}
  LocalAdapter(record::Recorder& recorder, Options options)
      : recorder_(recorder), options_(options) {}
  /// All runs have ended. Says a last heartbeat if there was a first.
  ~LocalAdapter();
  LocalAdapter(const LocalAdapter&) = delete;
  LocalAdapter& operator=(const LocalAdapter&) = delete;

  /// One run, from its request to its end.
  class Call {
   public:
    /// Null: nothing is said.
    Call(LocalAdapter* adapter, const Clock& clock);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    /// The run has begun.
    void completed(const RunId& run);
    /// It was not begun, or could not be recorded to its end.
    void failed(const Error& error);

   private:
    LocalAdapter* adapter_;
    const Clock& clock_;
    std::chrono::nanoseconds start_;
  };

 private:
  void begin_run();
  void end_run();
  void beat();
  void beat_later();  // under mutex_
  [[nodiscard]] bool speaks();
  void say(event::Type type, std::span<const event::FieldValue> fields);

  record::Recorder& recorder_;
  const Options options_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::int64_t runs_ = 0;
  bool is_beating_ = false;  // another heartbeat comes
  bool has_beaten_ = false;
  std::optional<Timers> timers_;  // last: what it does needs all of the above
};

}  // namespace weir::engine
