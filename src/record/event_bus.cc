#include "record/event_bus.h"

// Long: the hooks, the threads and the timer share one mutex, and are understood together.

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "record/hook_call.h"

namespace weir::record {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Kind = HookProblem::Kind;
using Entries = std::vector<HookEntryPtr>;

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

/// In the order of calling, but for the order of registration.
std::pair<HookMode, HookPriority> rank(const HookEntryPtr& entry) {
  return {entry->hook.mode, entry->hook.priority};
}

/// What the bus knows of the calling thread.
struct ThreadState {
  const void* bus = nullptr;          ///< set on its threads, and while a problem is reported
  const std::string* hook = nullptr;  ///< the one being called
};
ThreadState& this_thread() {
  thread_local ThreadState state;
  return state;
}

}  // namespace

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
  using Threads = std::list<std::thread>;

  std::shared_ptr<const Entries> entries() const;
  void call_synchronous(const KeptEventPtr& event, std::span<const HookEntryPtr> hooks);
  void queue_asynchronous(const KeptEventPtr& event, std::span<const HookEntryPtr> hooks);
  void report(const HookProblem& problem) const;

  // The following with mutex_ held.
  std::optional<HookProblem> fill(Lane& lane);
  void drop_queue(HookEntry& entry);
  void drop_round();
  HookEntryPtr next_queued() const;
  bool has_work(const Lane& lane) const;
  std::shared_ptr<Call> begin_call(const Lane& lane);
  std::shared_ptr<Call> begin_call(HookEntryPtr entry, KeptEventPtr event);
  void end_call(const std::shared_ptr<Call>& call, bool succeeded);
  void give_up(Call& call, std::vector<HookProblem>& problems);
  void count_timeout(Call& call, std::vector<HookProblem>& problems);
  SteadyClock::time_point next_deadline() const;
  bool is_idle() const;

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
};

EventBus::Impl::~Impl() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (const auto& entry : *entries_) drop_queue(*entry);
  const auto running = calls_;
  for (auto* wake : {&synchronous_.wake, &pool_.wake, &timer_wake_}) wake->notify_all();
  lock.unlock();
  for (const auto& call : running) call->stop.request_stop();

  lock.lock();
  if (!idle_.wait_for(lock, options_.patience, [&] { return calls_.empty(); })) {
    const auto late = calls_;
    lock.unlock();
    for (const auto& call : late) {
      report(call->entry->problem(Kind::kStillRunning, "the event bus waits for it to return"));
    }
    lock.lock();
  }
  // A worker moves its thread from one list to the other as its last act, so none is left behind.
  idle_.wait(lock, [&] { return threads_.empty(); });
  lock.unlock();
  if (timer_.joinable()) timer_.join();
  for (auto& thread : ended_) thread.join();
}

Result<void> EventBus::Impl::add(Hook hook) {
  WEIR_TRY(check(hook));
  auto entry = std::make_shared<HookEntry>(std::move(hook));
  const std::lock_guard lock(mutex_);
  if (entries_->size() >= kMaxHooks) {
    return fail(ErrorCode::kExhausted, "more than " + std::to_string(kMaxHooks) + " hooks");
  }
  for (const auto& other : *entries_) {
    if (other->hook.name != entry->hook.name) continue;
    return fail(ErrorCode::kConflict, "hook '" + entry->hook.name + "' is registered already");
  }
  auto entries = *entries_;
  const auto after = std::upper_bound(entries.begin(), entries.end(), rank(entry),
                                      [](const auto& a, const auto& b) { return a < rank(b); });
  entries.insert(after, std::move(entry));
  entries_ = std::make_shared<const Entries>(std::move(entries));
  return {};
}

Result<void> EventBus::Impl::set_enabled(std::string_view name, bool enabled) {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : *entries_) {
    if (entry->hook.name != name) continue;
    entry->enabled = enabled;
    if (enabled) entry->timeouts_in_a_row = 0;
    if (!enabled) drop_queue(*entry);
    return {};
  }
  return fail(ErrorCode::kNotFound, "no hook is named '" + std::string(name) + "'");
}

void EventBus::Impl::clear() {
  // Destroyed after the lock is released: the destructors of hooks are not our code.
  auto entries = std::make_shared<const Entries>();
  const std::lock_guard lock(mutex_);
  for (const auto& entry : *entries_) {
    entry->enabled = false;  // for publishers that hold the list
    drop_queue(*entry);
  }
  entries_.swap(entries);
}

std::vector<HookStatistics> EventBus::Impl::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<HookStatistics> all;
  for (const auto& entry : *entries_) all.push_back(entry->statistics());
  return all;
}

std::shared_ptr<const Entries> EventBus::Impl::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

void EventBus::Impl::publish(const event::EventView& event, std::string_view line) {
  if (const auto [bus, hook] = this_thread(); bus == this) {
    // It would wait for itself, or go on for ever.
    if (hook == nullptr) return;
    return report({Kind::kNested, *hook,
                   "hook '" + *hook + "': a hook cannot publish; the event was dropped"});
  }
  const auto all = entries();
  if (all->empty()) return;
  thread_local std::string topic;
  event::write_topic(event, topic);
  Entries wanting;
  for (const auto& entry : *all) {
    if (entry->wants(topic)) wanting.push_back(entry);
  }
  if (wanting.empty()) return;

  const auto kept = std::make_shared<const KeptEvent>(topic, line);
  const auto first_asynchronous =
      std::find_if(wanting.begin(), wanting.end(),
                   [](const auto& entry) { return entry->hook.mode == HookMode::kAsynchronous; });
  call_synchronous(kept, std::span(wanting.begin(), first_asynchronous));
  queue_asynchronous(kept, std::span(first_asynchronous, wanting.end()));
}

void EventBus::Impl::call_synchronous(const KeptEventPtr& event,
                                      std::span<const HookEntryPtr> hooks) {
  if (hooks.empty()) return;
  Round round{.event = event, .hooks = hooks};
  std::unique_lock lock(mutex_);
  turn_.wait(lock, [&] { return round_ == nullptr; });
  round_ = &round;
  const auto no_thread = fill(synchronous_);
  if (synchronous_.usable == 0) drop_round();
  synchronous_.wake.notify_one();
  round_done_.wait(lock, [&] { return round.is_done(); });
  round_ = nullptr;
  turn_.notify_one();
  lock.unlock();
  if (no_thread) report(*no_thread);
}

void EventBus::Impl::queue_asynchronous(const KeptEventPtr& event,
                                        std::span<const HookEntryPtr> hooks) {
  if (hooks.empty()) return;
  std::unique_lock lock(mutex_);
  const auto no_thread = fill(pool_);
  for (const auto& entry : hooks) {
    if (!entry->enabled) continue;
    if (pool_.usable == 0 || entry->queue.size() >= options_.queue_events ||
        queued_bytes_ + event->line.size() > options_.queue_bytes) {
      ++entry->dropped;
      continue;
    }
    entry->queue.push_back(event);
    queued_bytes_ += event->line.size();
    pool_.wake.notify_one();
  }
  lock.unlock();
  if (no_thread) report(*no_thread);
}

void EventBus::Impl::report(const HookProblem& problem) const {
  if (!options_.on_problem) return;
  const auto before = std::exchange(this_thread(), {.bus = this});
  try {
    options_.on_problem(problem);
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
  }
  this_thread() = before;
}

bool EventBus::Impl::drain(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, at_most, [&] { return is_idle(); });
}

bool EventBus::Impl::is_idle() const {
  return std::all_of(calls_.begin(), calls_.end(),
                     [](const auto& call) { return call->given_up; }) &&
         std::all_of(entries_->begin(), entries_->end(),
                     [](const auto& entry) { return entry->queue.empty(); });
}

/// Starts the timer and the threads that the lane lacks.
std::optional<HookProblem> EventBus::Impl::fill(Lane& lane) {
  try {
    if (!timer_.joinable()) timer_ = std::thread([this] { watch(); });
    while (lane.usable < lane.wanted) {
      const auto self = threads_.emplace(threads_.end());
      try {
        *self = std::thread([this, &lane, self] { work(lane, self); });
      } catch (...) {
        threads_.erase(self);
        throw;
      }
      ++lane.usable;
    }
  } catch (const std::system_error& error) {
    return HookProblem{Kind::kNoThread, "",
                       "cannot start a thread for hooks: " + std::string(error.what())};
  }
  return {};
}

void EventBus::Impl::drop_queue(HookEntry& entry) {
  entry.dropped += entry.queue.size();
  for (const auto& event : entry.queue) queued_bytes_ -= event->line.size();
  entry.queue.clear();
  idle_.notify_all();
}

/// There is no thread for what is left of the round.
void EventBus::Impl::drop_round() {
  for (; round_->next < round_->hooks.size(); ++round_->next) {
    ++round_->hooks[round_->next]->dropped;
  }
  round_done_.notify_one();
}

/// The first hook that has an event and may be called; they are in the order of priority.
HookEntryPtr EventBus::Impl::next_queued() const {
  for (const auto& entry : *entries_) {
    if (!entry->queue.empty() && !entry->running) return entry;
  }
  return nullptr;
}

bool EventBus::Impl::has_work(const Lane& lane) const {
  if (&lane == &pool_) return next_queued() != nullptr;
  return round_ != nullptr && round_->has_more();
}

std::shared_ptr<Call> EventBus::Impl::begin_call(const Lane& lane) {
  if (&lane == &pool_) {
    const auto entry = next_queued();
    auto event = std::move(entry->queue.front());
    entry->queue.pop_front();
    queued_bytes_ -= event->line.size();
    return begin_call(entry, std::move(event));
  }
  while (round_->has_more()) {
    const auto& entry = round_->hooks[round_->next++];
    if (!entry->enabled) continue;
    if (entry->running) {  // overdue since an earlier event
      ++entry->dropped;
      continue;
    }
    round_->calling = true;
    return begin_call(entry, round_->event);
  }
  round_done_.notify_one();
  return nullptr;
}

std::shared_ptr<Call> EventBus::Impl::begin_call(HookEntryPtr entry, KeptEventPtr event) {
  ++entry->calls;
  entry->running = true;
  const auto now = SteadyClock::now();
  auto* lane = entry->hook.mode == HookMode::kSynchronous ? &synchronous_ : &pool_;
  auto call = std::make_shared<Call>();
  call->entry = std::move(entry);
  call->event = std::move(event);
  call->lane = lane;
  call->begun = now;
  call->deadline = now + call->entry->timeout;
  calls_.push_back(call);
  // Mostly it is awake by then for an earlier call: a wake-up a call would double its cost.
  if (call->deadline < timer_waits_until_) timer_wake_.notify_one();
  return call;
}

void EventBus::Impl::end_call(const std::shared_ptr<Call>& call, bool succeeded) {
  std::erase(calls_, call);
  auto& entry = *call->entry;
  entry.running = false;
  entry.total_time += SteadyClock::now() - call->begun;
  if (call->given_up) {
    entry.overdue = false;
    ++call->lane->usable;
    // Its queue had to wait, and this thread may be one too many now.
    pool_.wake.notify_one();
  } else {
    entry.timeouts_in_a_row = 0;
    if (!succeeded) ++entry.errors;
    if (call->lane == &synchronous_) {
      round_->calling = false;
      if (round_->is_done()) round_done_.notify_one();
    }
  }
  idle_.notify_all();
}

void EventBus::Impl::work(Lane& lane, Threads::iterator self) {
  pthread_setname_np(pthread_self(), lane.thread_name);
  this_thread().bus = this;
  std::unique_lock lock(mutex_);
  while (true) {
    const auto is_surplus = [&] { return lane.usable > lane.wanted; };
    lane.wake.wait(lock, [&] { return stopping_ || is_surplus() || has_work(lane); });
    if (stopping_ || is_surplus()) break;
    auto call = begin_call(lane);
    if (!call) continue;
    lock.unlock();
    this_thread().hook = &call->entry->hook.name;
    const auto problem = run(*call);
    this_thread().hook = nullptr;
    lock.lock();
    if (problem && !call->given_up) {
      // Reported before the call counts as ended, so that nobody misses it who waits for that.
      call->deadline = SteadyClock::time_point::max();  // it is back: the timer leaves it alone
      lock.unlock();
      report(*problem);
      lock.lock();
    }
    end_call(call, !problem);
    lock.unlock();
    call.reset();  // may be the last to know the hook
    lock.lock();
  }
  --lane.usable;
  ended_.splice(ended_.end(), threads_, self);
  timer_wake_.notify_one();
  idle_.notify_all();
}

SteadyClock::time_point EventBus::Impl::next_deadline() const {
  auto earliest = SteadyClock::time_point::max();
  for (const auto& call : calls_) earliest = std::min(earliest, call->deadline);
  return earliest;
}

/// From now on the bus does without this call.
void EventBus::Impl::give_up(Call& call, std::vector<HookProblem>& problems) {
  call.given_up = true;
  call.entry->overdue = true;
  --call.lane->usable;
  if (call.lane == &synchronous_) round_->calling = false;
  if (auto no_thread = fill(*call.lane)) problems.push_back(std::move(*no_thread));
  if (call.lane == &synchronous_) {
    if (synchronous_.usable == 0) drop_round();
    if (round_->is_done()) round_done_.notify_one();
  }
  call.lane->wake.notify_one();
  idle_.notify_all();
}

void EventBus::Impl::count_timeout(Call& call, std::vector<HookProblem>& problems) {
  auto& entry = *call.entry;
  ++entry.timeouts;
  ++entry.timeouts_in_a_row;
  call.deadline += entry.timeout;
  problems.push_back(entry.problem(Kind::kTimeout, "not back after " +
                                                       std::to_string(entry.timeout.count()) +
                                                       " ms; topic " + call.event->topic));
  if (entry.timeouts_in_a_row < options_.max_timeouts_in_a_row) return;
  call.deadline = SteadyClock::time_point::max();
  if (!entry.enabled) return;
  entry.enabled = false;
  drop_queue(entry);
  problems.push_back(entry.problem(
      Kind::kDisabled,
      "disabled after " + std::to_string(entry.timeouts_in_a_row) + " timeouts in a row"));
}

/// The timer: gives up calls whose time is over, and joins threads that ended.
void EventBus::Impl::watch() {
  pthread_setname_np(pthread_self(), "weir-hook-timer");
  this_thread().bus = this;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto now = SteadyClock::now();
    std::vector<HookProblem> problems;
    std::vector<std::shared_ptr<Call>> late;
    for (const auto& call : calls_) {
      if (call->deadline > now) continue;
      if (!call->given_up) {
        late.push_back(call);
        give_up(*call, problems);
      }
      count_timeout(*call, problems);
    }
    Threads ended;
    ended.swap(ended_);
    if (!problems.empty() || !ended.empty()) {
      lock.unlock();
      for (const auto& call : late) call->stop.request_stop();
      for (const auto& each : problems) report(each);
      for (auto& thread : ended) thread.join();
      late.clear();
      lock.lock();
      continue;
    }
    timer_waits_until_ = next_deadline();
    if (timer_waits_until_ == SteadyClock::time_point::max()) {
      timer_wake_.wait(lock);
    } else {
      timer_wake_.wait_until(lock, timer_waits_until_);
    }
    timer_waits_until_ = SteadyClock::time_point::min();  // it looks at all calls before it waits
  }
}

EventBus::EventBus(EventBusOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
EventBus::~EventBus() = default;
Result<void> EventBus::add(Hook hook) { return impl_->add(std::move(hook)); }
Result<void> EventBus::enable(std::string_view name) { return impl_->set_enabled(name, true); }
Result<void> EventBus::disable(std::string_view name) { return impl_->set_enabled(name, false); }
void EventBus::clear() { impl_->clear(); }
std::vector<HookStatistics> EventBus::list() const { return impl_->list(); }
void EventBus::publish(const event::EventView& event, std::string_view line) {
  impl_->publish(event, line);
}
bool EventBus::drain(std::chrono::milliseconds at_most) { return impl_->drain(at_most); }

}  // namespace weir::record
