#include "record/event_bus.h"

#include <algorithm>
#include <utility>

#include "record/event_bus_impl.h"

namespace weir::record {
namespace {

/// In the order of calling, but for the order of registration.
std::pair<HookMode, HookPriority> rank(const HookEntryPtr& entry) {
  return {entry->hook.mode, entry->hook.priority};
}

}  // namespace

using Kind = HookProblem::Kind;

EventBus::Impl::ThreadState& EventBus::Impl::this_thread() {
  thread_local ThreadState state;
  return state;
}

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

/// The hooks are the parent's, and in the middle of what they do.
void EventBus::Impl::start_anew_in_child() {
  leave_to_parent(entries_, calls_, threads_, ended_, timer_, synchronous_.wake, pool_.wake, turn_,
                  round_done_, timer_wake_, idle_);
  entries_ = std::make_shared<const Entries>();
  queued_bytes_ = 0;
  round_ = nullptr;
  synchronous_.usable = pool_.usable = 0;
  timer_waits_until_ = SteadyClock::time_point::max();
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

std::shared_ptr<const EventBus::Impl::Entries> EventBus::Impl::entries() const {
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
