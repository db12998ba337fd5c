#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/decoder.h"
#include "event/topic.h"

namespace weir::record {

/// Earlier ones are called first; within one, hooks are called in the order of their registration.
enum class HookPriority : std::uint8_t { kCritical, kHigh, kMedium, kLow };

enum class HookMode : std::uint8_t {
  kSynchronous,   ///< `publish` returns after it
  kAsynchronous,  ///< `publish` queues the event for it
};

/// What a hook is told, as views into a copy that the bus keeps until the hook returns, however
/// late that is. A hook that needs more of it afterwards copies it.
struct Published {
  std::string_view topic;
  const event::EventView& event;
  std::string_view line;  ///< as in the log, without its newline
};

/// May return an error or throw: both are counted and reported, and harm nobody else. The token
/// asks it to stop when its time is over or the bus ends.
using HookFunction = std::function<Result<void>(const Published&, std::stop_token)>;

/// A synchronous hook makes the publisher wait. ODIBI CORE has them under a millisecond.
inline constexpr std::chrono::milliseconds kSynchronousTimeout{1000};
/// ODIBI CORE's execution_timeout.
inline constexpr std::chrono::milliseconds kAsynchronousTimeout{30'000};

/// A longer one is refused: it would be none.
inline constexpr std::chrono::hours kMaxHookTimeout{24};

struct Hook {
  std::string name;  ///< in statistics and reports; one of a kind
  std::vector<event::TopicPattern> topics;
  HookFunction call;
  HookMode mode = HookMode::kSynchronous;
  HookPriority priority = HookPriority::kMedium;
  /// Without one, kSynchronousTimeout or kAsynchronousTimeout.
  std::optional<std::chrono::milliseconds> timeout{};
};

struct HookStatistics {
  std::string name;
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
  /// For asynchronous hooks (ODIBI CORE).
  int threads = 4;
  /// Of each asynchronous hook: what comes when it is full is dropped and counted.
  std::size_t queue_events = 1024;
  /// Of all queues together.
  std::size_t queue_bytes = std::size_t{64} << 20;
  /// After so many timeouts in a row a hook is disabled.
  int max_timeouts_in_a_row = 3;
  /// How long the destructor waits before it says for whom.
  std::chrono::milliseconds patience{5000};
  /// Called from any thread, also from several at once, before `publish` or `drain` returns for the
  /// call that it is about (but for timeouts); must return soon and not publish. What it throws is
  /// ignored.
  std::function<void(const HookProblem&)> on_problem{};
};

/// More are refused: every event is held against every hook's patterns.
inline constexpr std::size_t kMaxHooks = 256;

/// Tells hooks about events, so that no hook can harm the publisher or another hook.
///
///   publish ──► synchronous hooks, one by one, in order ──► returns
///           ├─► queue of hook A ─┐
///           └─► queue of hook B ─┴─► pool, the highest priority first
///
/// Order     Synchronous hooks are called in order of priority, all before the asynchronous ones
///           get the event. A hook is never called twice at once and gets its events in the order
///           of publication, so it needs no lock for what only it uses.
/// Timeout   When its time is over, a hook's token asks it to stop and the bus goes on without it:
///           the result is ignored, its thread gets a substitute. Until it is back it is not
///           called; a synchronous one misses events, an asynchronous one queues them. After
///           max_timeouts_in_a_row it is disabled. (A stop callback that a hook has set runs on the
///           bus's timer, and must return at once.)
/// Full      Nothing waits for room: the newest event is dropped and counted.
/// Threads   All functions from any thread, but a hook must not publish, add, drain or clear. Hooks
///           run on threads of the bus, synchronous ones too, since a call on the publisher's own
///           thread could not be given up: `weir-hook-sync`, `weir-hook` and `weir-hook-timer`,
///           begun with the first event that somebody wants. Publishers take turns for the
///           synchronous hooks.
/// Fork      The child's copy is a new bus: hooks, and what is queued for them, are the parent's. A
///           hook that forks ends its child itself.
/// Shutdown  The destructor drops what is queued (`drain` first to keep it), asks running hooks to
///           stop and waits for them. A thread that runs a hook cannot be taken from it, so it
///           waits for one that never returns for ever: kStillRunning names it, and whoever cannot
///           wait ends the process there. Nothing may be publishing.
class EventBus {
 public:
  explicit EventBus(EventBusOptions options = {});
  ~EventBus();
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;

  /// Errors: kConflict when the name is taken; kInvalidInput without a name, topics or function or
  /// with a timeout of nothing or over kMaxHookTimeout; kExhausted over kMaxHooks.
  [[nodiscard]] Result<void> add(Hook hook);

  /// Forgets its timeouts in a row. Errors: kNotFound.
  [[nodiscard]] Result<void> enable(std::string_view name);
  /// It is not called again; what is queued for it is dropped. Errors: kNotFound.
  [[nodiscard]] Result<void> disable(std::string_view name);
  /// Removes all hooks, and what is queued for them. Calls that are running go on.
  void clear();

  /// In the order of calling.
  [[nodiscard]] std::vector<HookStatistics> list() const;

  /// `event` is read from `line`. Does next to nothing when nobody wants it.
  void publish(const event::EventView& event, std::string_view line);

  /// Waits until nothing is queued and no call is running but overdue ones; false if that took too
  /// long.
  [[nodiscard]] bool drain(std::chrono::milliseconds at_most);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::record
