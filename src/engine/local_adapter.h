#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/timers.h"
#include "record/recorder.h"

namespace weir::engine {

/// As `adapter` in events.
inline constexpr std::string_view kLocalAdapter = "local";

/// The engine of this process as what runs pipelines for others, the adapter `local`: its process
/// runs have its heartbeats, how many workers it has, and how long it took to begin each run.
///
/// Threads  Any. A timer thread from its first run on.
class LocalAdapter {
 public:
  /// From when on it says anything.
  enum class Speaks : std::uint8_t {
    kAtOnce,
    /// Once runs have gone on for an interval, and then of those that began before, too: the
    /// process is there for a run or two. Of a run that ends before that: how long it took to
    /// begin, just before it ends, so that one commit has both.
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
    /// Null: nothing is said. `workers` are those of the run.
    Call(LocalAdapter* adapter, const Clock& clock, int workers);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    /// The run has begun.
    void completed(const RunId& run, const std::string& tenant_id);
    /// It was not begun, or could not be recorded to its end.
    void failed(const Error& error);
    /// It is about to record its end.
    void ending(const RunId& run);

    /// While it lives, heartbeats ask how many of the run's workers are at a node.
    class Busy {
     public:
      using Ask = std::function<std::int64_t()>;
      /// `call` outlives it. `ask` is called from the adapter's thread, under its lock.
      Busy(Call& call, Ask ask);
      ~Busy();
      Busy(const Busy&) = delete;
      Busy& operator=(const Busy&) = delete;

     private:
      LocalAdapter* const adapter_;
      std::list<Ask>::iterator place_;
    };

   private:
    LocalAdapter* adapter_;
    const Clock& clock_;
    const int workers_;
    std::chrono::nanoseconds start_;
  };

 private:
  /// Of those that began before the first heartbeat; more are a process that it comes too late for.
  static constexpr std::size_t kMaxUnsaid = 100;
  struct Begun {
    RunId run;
    std::string tenant_id;
    double duration_ms;
  };
  void begin_run(int workers);
  void end_run(int workers);
  void begun(Begun begun);
  void beat();
  void beat_later();  // under mutex_
  void say_begun(const Begun& begun);
  void say(event::Type type, std::span<const event::FieldValue> fields,
           std::string_view tenant_id = {});

  record::Recorder& recorder_;
  const Options options_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::int64_t runs_ = 0;
  std::int64_t workers_ = 0;  // of all runs
  std::list<Call::Busy::Ask> busy_;
  std::int64_t said_workers_ = 0;  // in the last event
  std::vector<Begun> unsaid_;      // until the first heartbeat
  bool is_beating_ = false;        // another heartbeat comes
  bool has_beaten_ = false;
  std::optional<Timers> timers_;  // last: what it does needs all of the above
};

}  // namespace weir::engine
