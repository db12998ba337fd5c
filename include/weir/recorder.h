#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "weir/event_types.h"
#include "weir/redaction.h"
#include "weir/run.h"
#include "weir/sink.h"
#include "weir/status.h"

namespace weir {

namespace embed {
struct RecorderState;
}  // namespace embed

struct RecorderOptions {
  /// How long an event may wait for its commit. 1 ms to 1 minute.
  std::chrono::milliseconds commit_interval{5};
  /// Of each emitting thread, 4 KiB to 1 GiB: what is emitted waits there for the writer. A full
  /// one makes `emit` wait, and `try_emit` drop.
  std::size_t ring_bytes = std::size_t{1} << 20;
  Redaction redaction{};  ///< what is masked
  /// Called by `try_emit`, on its thread, for each event that it drops. What it throws is ignored.
  std::function<void(EventType)> on_drop{};
  /// How long the recorder's end waits for its sinks, all together, before it leaves those behind
  /// that hang. 1 ms to 1 hour.
  std::chrono::milliseconds sink_patience{10'000};
  /// Told in a sentence of a sink that does not take an event, or is left behind. Called on a
  /// thread of the recorder or by its end, one call at a time for each sink. What it throws is
  /// ignored.
  std::function<void(std::string_view)> on_sink_problem{};
};

/// What a recorder has done so far. Read while it works, so no two figures are of one moment.
struct Statistics {
  std::uint64_t emitted = 0;  ///< events taken
  std::uint64_t dropped = 0;  ///< by `try_emit`, or of runs that are lost
  std::uint64_t refused = 0;  ///< malformed or too late: see Run
  std::uint64_t full = 0;     ///< how often a thread's buffer was full
  std::uint64_t cut = 0;      ///< events whose line was too long (4 MiB)
  std::uint64_t commits = 0;
  std::uint64_t write_errors = 0;  ///< commits that the disk did not take
  double drop_rate = 0;            ///< the part of all events that was dropped, 0 to 1
  /// Of those that are on their way to the disk; nothing: never.
  std::optional<std::chrono::system_clock::time_point> last_emit;
  std::optional<std::chrono::system_clock::time_point> last_drop;
};

/// Records runs into a store, a folder that the program `weir` reads at the same time. Any number
/// of processes, and of recorders in one, may record into one store.
///
/// Threads  All functions from any thread. It has a writer thread of its own and one that seals
///          what is finished; both end with the last of the recorder and its runs, after everything
///          is committed.
/// Fork     The parent's runs stay the parent's. The child can begin runs of its own.
class Recorder {
 public:
  /// Makes what is missing of the store. Errors: kInvalidInput, naming a rule of redaction, kIo,
  /// kUnavailable (a newer format; the system gives no thread).
  [[nodiscard]] static StatusOr<Recorder> open(const std::filesystem::path& store,
                                               const RecorderOptions& options = {}) noexcept;

  /// Errors: kInvalidInput for what is not an id or type; kConflict when somebody records this run;
  /// kCancelled after `stop`; those of the log.
  [[nodiscard]] StatusOr<Run> begin(RunOptions options) noexcept;

  enum class AtStop : std::uint8_t { kDrain, kDiscard };
  /// Ends recording: what is said later is refused. kDrain commits everything said before, and
  /// waits for it up to `timeout`. Errors: kUnavailable (not everything in time).
  [[nodiscard]] Status stop(AtStop what, std::chrono::milliseconds timeout) noexcept;

  /// From which level on log lines are recorded at a logger's name and below; nothing: as above it.
  /// Without any, INFO. Errors: kInvalidInput, kExhausted.
  [[nodiscard]] Status set_level(std::string_view logger, std::optional<Level> level) noexcept;
  /// Which part of the lines below ERROR is recorded, 0 to 1; within a trace all or none. Errors:
  /// kInvalidInput, kExhausted.
  [[nodiscard]] Status set_sampling(std::string_view logger, std::optional<double> rate) noexcept;

  /// Every event of this recorder, from its first one on, goes to `sink` too when it is committed.
  /// A slow sink slows nothing down, no other sink either: each reads the log. The recorder's end
  /// waits for it up to RecorderOptions::sink_patience.
  /// Errors: kIo, kInvalidInput without a sink.
  [[nodiscard]] Status add_sink(std::shared_ptr<Sink> sink) noexcept;

  [[nodiscard]] Statistics statistics() const noexcept;

 private:
  explicit Recorder(std::shared_ptr<embed::RecorderState> state) noexcept;
  std::shared_ptr<embed::RecorderState> state_;
};

}  // namespace weir
