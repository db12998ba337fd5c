#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/catalogue.h"
#include "record/recorder.h"

namespace weir::record {

class Logger;
struct TraceContext;

/// A name in the hierarchy of loggers: what is set there, and what holds there.
struct LoggerState {
  /// Whether sampling keeps an event of this level, which it counts.
  [[nodiscard]] bool keeps(event::Level of_event, const TraceContext* context);

  std::string name;
  LoggerState* parent = nullptr;
  std::optional<event::Level> own_level{};  ///< guarded by the Loggers' mutex, as is own_sampling
  std::optional<double> own_sampling{};

  // Relaxed everywhere: each is read for itself, and a change may arrive a little later.
  std::atomic<event::Level> level{event::Level::kInfo};
  std::atomic<double> sampling{1.0};
  std::atomic<std::uint64_t> offered{0};  ///< events without a trace that sampling decided on
  std::atomic<std::uint64_t> sampled_out{0};
};

/// The named loggers of a program, their levels and sampling rates. Names go by dots; the root is
/// `weir`, every other name is below it, and `weir.a` is `a`:
///
///   weir ─┬─ pipeline_dag            what is not set at a name is as at the name above it;
///         ├─ stage_interceptor       at the root, INFO and everything
///         └─ agent ─── agent.drafter
///
/// Threads  All functions from any thread. Outlives its loggers.
class Loggers {
 public:
  /// With all names above it; whoever logs under names made of data meets it.
  static constexpr std::size_t kMaxLoggers = 4096;
  static constexpr std::size_t kMaxNameBytes = 128;

  Loggers();
  ~Loggers();
  Loggers(const Loggers&) = delete;
  Loggers& operator=(const Loggers&) = delete;

  /// From which level on events are recorded; nothing: as above. Errors: kInvalidInput for what is
  /// not a name (letters, digits, `_`, `-` between dots, at most kMaxNameBytes), kExhausted.
  [[nodiscard]] Result<void> set_level(std::string_view name, std::optional<event::Level> level);
  /// Which part of the events below ERROR is recorded, 0 to 1; nothing: as above. Within a trace
  /// all or none of a rate, in every process alike; without a trace evenly by count. Errors: as
  /// set_level; kInvalidInput for any other rate.
  [[nodiscard]] Result<void> set_sampling(std::string_view name, std::optional<double> rate);

  /// What holds for `name`, whether there is such a logger or not.
  [[nodiscard]] event::Level level(std::string_view name) const;
  [[nodiscard]] double sampling(std::string_view name) const;
  /// Whether what `name` says is recorded, by level and sampling: for a line that is no Logger's.
  /// `context` may be null: it is said in no trace.
  [[nodiscard]] bool records(std::string_view name, event::Level level,
                             const TraceContext* context) const;
  /// How many events sampling has left out, in all loggers.
  [[nodiscard]] std::uint64_t sampled_out() const;

  /// Writes to `run`, which outlives it. One whose name is malformed or for which there is no room
  /// any more has its name, cut to kMaxNameBytes, and the settings of the nearest name above it.
  [[nodiscard]] Logger logger(std::string_view name, Run& run);

 private:
  [[nodiscard]] Result<LoggerState*> find_or_make(std::string_view name);
  [[nodiscard]] LoggerState& nearest(std::string_view name) const;
  void settle();

  mutable std::mutex mutex_;
  // By name, the root's being empty, so that each stands after those above it. None is ever
  // removed: loggers point here.
  std::map<std::string, std::unique_ptr<LoggerState>, std::less<>> states_;  // guarded by mutex_
};

/// A level by its name in any case: also `warn` and `critical`, as the sources of pipelines say.
[[nodiscard]] std::optional<event::Level> parse_level(std::string_view name);

}  // namespace weir::record
