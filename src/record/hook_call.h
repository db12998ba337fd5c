#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "event/decoder.h"
#include "record/event_bus.h"

/// For the event bus only: a registered hook, and one call of it.
namespace weir::record {

/// An event on its own: the publisher's may be gone when a hook reads it. Read by several threads.
struct KeptEvent {
  /// `line` is that of an event.
  KeptEvent(std::string_view the_topic, std::string_view the_line);

  const std::string topic;
  const std::string line;
  const event::EventView* view = nullptr;

 private:
  event::Decoder decoder_;
};
using KeptEventPtr = std::shared_ptr<const KeptEvent>;

/// A registered hook and what the bus knows of it: all but the constants guarded by the bus's
/// mutex.
struct HookEntry {
  explicit HookEntry(Hook the_hook);

  /// Without the bus's mutex, so as a hint.
  [[nodiscard]] bool wants(std::string_view topic) const;
  [[nodiscard]] HookStatistics statistics() const;
  /// A problem with this hook; its name is put before `what`.
  [[nodiscard]] HookProblem problem(HookProblem::Kind kind, std::string_view what) const;

  const Hook hook;
  const std::chrono::milliseconds timeout;
  std::atomic<bool> enabled{true};  // written under the mutex, read without it by `wants`
  bool running = false;
  bool overdue = false;
  int timeouts_in_a_row = 0;
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t dropped = 0;
  std::chrono::nanoseconds total_time{};
  std::deque<KeptEventPtr> queue;  // of an asynchronous hook
};
using HookEntryPtr = std::shared_ptr<HookEntry>;

/// Errors: kInvalidInput, see EventBus::add.
[[nodiscard]] Result<void> check(const Hook& hook);

struct HookCall {
  HookEntryPtr entry;
  KeptEventPtr event;
  std::stop_source stop{};
};

/// Calls the hook on this thread. What went wrong, if something did: nothing that the hook throws
/// gets out.
[[nodiscard]] std::optional<HookProblem> run(const HookCall& call);

}  // namespace weir::record
