#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/sink.h"
#include "weir/status.h"

/// Hooks: functions of a program that are called for events of topics they want. Those that are
/// made already are in weir/hooks.h.
namespace weir {

namespace embed {
struct StopData;
}  // namespace embed

/// Earlier ones are called first; within one, hooks are called in the order of their registration.
enum class HookPriority : std::uint8_t { kCritical, kHigh, kMedium, kLow };

enum class HookMode : std::uint8_t {
  kSynchronous,   ///< the publisher waits for it
  kAsynchronous,  ///< the event is queued for it
};

/// Asks a hook to stop: its time is over, or the bus ends.
class StopToken {
 public:
  explicit StopToken(const embed::StopData* data = nullptr) noexcept : data_(data) {}
  [[nodiscard]] bool stop_requested() const noexcept;
  [[nodiscard]] const embed::StopData* data() const noexcept { return data_; }

 private:
  const embed::StopData* data_;
};

/// What it returns as a failure or throws is counted and reported, and harms nobody else.
using HookFunction = std::function<Status(const Event&, const StopToken&)>;

struct Hook {
  std::string name{};                 ///< one of a kind
  std::vector<std::string> topics{};  ///< patterns: `*` is one word, `#` the rest
  HookFunction call{};
  HookMode mode = HookMode::kSynchronous;
  HookPriority priority = HookPriority::kMedium;
  /// At most 24 hours. Nothing: 1 s of a synchronous one, 30 s of an asynchronous one.
  std::optional<std::chrono::milliseconds> timeout{};
};

struct HookStatistics {
  std::string name{};
  HookMode mode = HookMode::kSynchronous;
  HookPriority priority = HookPriority::kMedium;
  bool enabled = true;
  bool overdue = false;        ///< a call has not returned, and its time is over
  std::uint64_t calls = 0;     ///< begun
  std::uint64_t errors = 0;    ///< returned or thrown, in time
  std::uint64_t timeouts = 0;  ///< a call that is out for three times its timeout counts three
  std::uint64_t dropped = 0;   ///< events that it should have had
  std::chrono::nanoseconds total_time{};  ///< of the calls that returned
};

/// Something that the owner of the bus should know.
struct HookProblem {
  enum class Kind : std::uint8_t {
    kError,        ///< the hook returned an error
    kException,    ///< the hook threw; the message begins with the type
    kTimeout,      ///< it did not come back in time
    kDisabled,     ///< it timed out too often in a row
    kNested,       ///< a hook published an event, which is not allowed
    kNoThread,     ///< the system gave no thread; what needed it was dropped
    kStillRunning  ///< the bus ends and waits for this hook
  };
  Kind kind;
  std::string hook;     ///< name; empty for kNoThread
  std::string message;  ///< for people, with the hook's name
};

struct EventBusOptions {
  int threads = 4;                  ///< for asynchronous hooks
  std::size_t queue_events = 1024;  ///< of each asynchronous hook; what is over is dropped
  std::size_t queue_bytes = std::size_t{64} << 20;  ///< of all queues together
  int max_timeouts_in_a_row = 3;                    ///< then a hook is disabled
  /// How long the destructor waits before it says for whom.
  std::chrono::milliseconds patience{5000};
  /// Called from any thread, also from several at once; must return soon and not publish. What it
  /// throws is ignored.
  std::function<void(const HookProblem&)> on_problem{};
};

/// Tells hooks about events, so that no hook can harm the publisher or another hook.
///
///   weir::EventBus bus;
///   bus.add({"page", {"pipeline.failed"}, page_somebody}).ignore();
///   recorder->add_sink(bus.sink()).ignore();     // of every event that is committed
///
/// Order     Synchronous hooks are called in order of priority, all before the asynchronous ones
///           get the event. A hook is never called twice at once and gets its events in the order
///           of publication, so it needs no lock for what only it uses.
/// Timeout   When its time is over, a hook is asked to stop and the bus goes on without it. Until
///           it is back it is not called; a synchronous one misses events, an asynchronous one
///           queues them.
/// Full      Nothing waits for room: the newest event is dropped and counted.
/// Threads   All functions from any thread, but a hook must not publish, add, drain or clear. Hooks
///           run on threads of the bus, which begin with the first event that somebody wants.
/// Fork      The child's copy is a new bus: hooks, and what is queued for them, are the parent's.
/// Shutdown  The bus ends with its last owner: this object, or a sink of it that somebody keeps.
///           What is queued is dropped then (`drain` first to keep it; a recorder's end does), and
///           running hooks are asked to stop and waited for, for ever if one never returns.
class EventBus {
 public:
  explicit EventBus(EventBusOptions options = {});
  ~EventBus();
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;

  /// Errors: kConflict when the name is taken; kInvalidInput without a name, topics or function,
  /// for what is no topic and a timeout that makes no sense; kExhausted over 256.
  [[nodiscard]] Status add(Hook hook);
  /// Forgets its timeouts in a row. Errors: kNotFound.
  [[nodiscard]] Status enable(std::string_view name);
  /// It is not called again; what is queued for it is dropped. Errors: kNotFound.
  [[nodiscard]] Status disable(std::string_view name);
  /// Removes all hooks, and what is queued for them. Calls that are running go on.
  void clear();
  /// In the order of calling.
  [[nodiscard]] std::vector<HookStatistics> list() const;

  /// Publishes an event, after the synchronous hooks have had it. Its `line` is what counts.
  /// Errors: kInvalidInput when that is no event.
  [[nodiscard]] Status publish(const Event& event);
  /// Waits until nothing is queued and no call is running but overdue ones; false if that took too
  /// long.
  [[nodiscard]] bool drain(std::chrono::milliseconds at_most);

  /// Publishes what it is given, for Recorder::add_sink and set_event_sink: hooks hear of what is
  /// committed. Its `flush` waits up to 30 s for the hooks.
  [[nodiscard]] std::shared_ptr<Sink> sink() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace weir
