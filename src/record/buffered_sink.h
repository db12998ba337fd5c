#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "record/event_sink.h"

namespace weir::record {

/// The defaults are stageflow's.
struct BufferedSinkOptions {
  std::string name = "buffered";  ///< in errors
  std::size_t max_events = 1000;
  std::size_t max_bytes = std::size_t{64} << 20;  ///< of the events' lines together
  /// The sink below is flushed after so many events, or so long after the first that it got since.
  std::size_t batch_events = 100;
  std::chrono::milliseconds flush_interval{10'000};
  /// The part of max_events at which on_high_water is called.
  double high_water = 0.8;
  /// How long the destructor waits for the sink below before it says so.
  std::chrono::milliseconds patience{5000};

  // Called from any thread, one at a time each. What they throw is ignored.
  std::function<void(const Published&)> on_drop{};          ///< by try_emit, before it returns
  std::function<void(std::size_t queued)> on_high_water{};  ///< again only after it fell to half
  std::function<void(const Error&)> on_error{};             ///< what the sink below did not take
  const Clock* clock = &system_clock();
};

struct BufferedSinkStatistics {
  std::uint64_t emitted = 0;           ///< put into the queue
  std::uint64_t dropped = 0;           ///< not put into it, or thrown away by stop
  std::uint64_t queue_full_count = 0;  ///< how often an event found it full
  double drop_rate_percent = 0;        ///< of all that came, 0 to 100, two decimals
  std::optional<Timestamp> last_emit_time{};
  std::optional<Timestamp> last_drop_time{};
  std::size_t queued = 0;
  std::uint64_t errors = 0;  ///< calls of the sink below that failed
  std::optional<Error> last_error{};
};

/// A bounded queue before a sink, and a thread that empties it (stageflow's
/// BackpressureAwareEventSink and its buffered exporter).
///
///   emit ─────► waits for room ──┐
///   try_emit ─► drops the newest ┴─► queue ──► weir-sink ──► the sink below
///
/// Failure   What the sink below returns or throws is counted and told to on_error; the event is
///           not tried again. While it hangs, the queue fills and `emit` waits: `stop` ends that.
/// Threads   All functions from any thread, but not from the sink below or a callback. The sink
///           below is called by `weir-sink` only, which `start` begins.
/// Fork      What is queued is the parent's to hand over. The child's copy is empty and stopped,
///           for good: the sink below may have been in the middle of a call.
/// Shutdown  The destructor drops what is queued (`stop` first to keep it) and waits for the sink
///           below. A thread cannot be taken from it, so the destructor waits for one that never
///           returns for ever: on_error names it once the patience is over, and whoever cannot wait
///           ends the process there.
class BufferedSink final : public EventSink {
 public:
  enum class Stop : std::uint8_t { kDrain, kDrop };

  explicit BufferedSink(std::shared_ptr<EventSink> below, BufferedSinkOptions options = {});
  ~BufferedSink() override;
  BufferedSink(const BufferedSink&) = delete;
  BufferedSink& operator=(const BufferedSink&) = delete;

  /// Also again after `stop`. What was queued before goes on. Errors: kConflict when it runs, when
  /// the sink below has not returned since `stop`, or in a forked child; kUnavailable when the
  /// system gives no thread.
  [[nodiscard]] Result<void> start();
  /// Takes no more events, hands over what is queued or drops it, and flushes the sink below.
  /// Errors: what the last flush returned; kUnavailable naming the sink when it is not back in
  /// time: what is queued then is dropped. Nothing to do when it does not run.
  [[nodiscard]] Result<void> stop(Stop how = Stop::kDrain,
                                  std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// Waits while the queue is full. Errors: kCancelled once it is stopped; kExhausted when it is
  /// full and was not started.
  [[nodiscard]] Result<void> emit(const Published& event) override;
  [[nodiscard]] bool try_emit(const Published& event) override;
  /// Waits until the sink below has what was queued before, and has flushed. Errors: what that
  /// flush returned; kCancelled when it does not run, or is stopped meanwhile.
  [[nodiscard]] Result<void> flush() override;

  [[nodiscard]] BufferedSinkStatistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::record
