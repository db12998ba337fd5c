#pragma once

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "record/event_bus.h"
#include "record/fork_guard.h"
#include "record/hook_call.h"

namespace weir::record {

/// For the event bus only. The hooks, the threads and the timer share one mutex and are understood
/// together; event_bus.cc is what callers see of them, event_bus_threads.cc what the threads do.
class EventBus::Impl {
 public:
  explicit Impl(EventBusOptions options)
      : options_(std::move(options)),
        pool_{.thread_name = "weir-hook", .wanted = std::max(options_.threads, 1)} {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> add(Hook hook);
  Result<void> set_enabled(std::string_view name, bool enabled);
  void clear();
  std::vector<HookStatistics> list() const;
  void publish(const event::EventView& event, std::string_view line);
  bool drain(std::chrono::milliseconds at_most);

 private:
  using SteadyClock = std::chrono::steady_clock;
  using Entries = std::vector<HookEntryPtr>;
  using Threads = std::list<std::thread>;

  /// One event for all synchronous hooks that want it. Lives on the publisher's stack.
  struct Round {
    KeptEventPtr event;
    std::span<const HookEntryPtr> hooks;
    std::size_t next = 0;
    bool calling = false;

    [[nodiscard]] bool has_more() const { return !calling && next < hooks.size(); }
    [[nodiscard]] bool is_done() const { return !calling && next == hooks.size(); }
  };

  /// Threads that do one kind of work.
  struct Lane {
    const char* thread_name;
    int wanted;
    int usable = 0;  ///< threads that are not held by an overdue hook
    std::condition_variable wake{};
  };

  struct Call : HookCall {
    Lane* lane = nullptr;
    SteadyClock::time_point begun;
    SteadyClock::time_point deadline;
    bool given_up = false;
  };

  /// What the bus knows of the calling thread.
  struct ThreadState {
    const void* bus = nullptr;          ///< set on its threads, and while a problem is reported
    const std::string* hook = nullptr;  ///< the one being called
  };
  static ThreadState& this_thread();

  // Publishers.
  std::shared_ptr<const Entries> entries() const;
  void call_synchronous(const KeptEventPtr& event, std::span<const HookEntryPtr> hooks);
  void queue_asynchronous(const KeptEventPtr& event, std::span<const HookEntryPtr> hooks);
  void report(const HookProblem& problem) const;

  // The following with mutex_ held.
  void start_anew_in_child();
  void drop_queue(HookEntry& entry);
  void drop_round();
  bool is_idle() const;
  std::optional<HookProblem> fill(Lane& lane);
  HookEntryPtr next_queued() const;
  bool has_work(const Lane& lane) const;
  std::shared_ptr<Call> begin_call(const Lane& lane);
  std::shared_ptr<Call> begin_call(HookEntryPtr entry, KeptEventPtr event);
  void end_call(const std::shared_ptr<Call>& call, bool succeeded);
  void give_up(Call& call, std::vector<HookProblem>& problems);
  void count_timeout(Call& call, std::vector<HookProblem>& problems);
  SteadyClock::time_point next_deadline() const;

  // Threads.
  void work(Lane& lane, Threads::iterator self);
  void watch();

  const EventBusOptions options_;

  mutable std::mutex mutex_;
  // Everything below is guarded by mutex_; the lists of entries never change, only the pointer.
  std::shared_ptr<const Entries> entries_ = std::make_shared<const Entries>();
  std::size_t queued_bytes_ = 0;
  Round* round_ = nullptr;
  std::vector<std::shared_ptr<Call>> calls_;
  bool stopping_ = false;
  Lane synchronous_{.thread_name = "weir-hook-sync", .wanted = 1};
  Lane pool_;
  Threads threads_;
  Threads ended_;  // to be joined by the timer
  std::thread timer_;
  SteadyClock::time_point timer_waits_until_ = SteadyClock::time_point::max();

  std::condition_variable turn_;        // publishers wait for the round before theirs
  std::condition_variable round_done_;  // the publisher of the round waits
  std::condition_variable timer_wake_;
  std::condition_variable idle_;  // drain and the destructor wait

  ForkGuard fork_guard_{mutex_, [this] { start_anew_in_child(); }};
};

}  // namespace weir::record
