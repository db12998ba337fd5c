#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "record/event_bus_impl.h"

namespace weir::record {

using Kind = HookProblem::Kind;

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

std::shared_ptr<EventBus::Impl::Call> EventBus::Impl::begin_call(const Lane& lane) {
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

std::shared_ptr<EventBus::Impl::Call> EventBus::Impl::begin_call(HookEntryPtr entry,
                                                                 KeptEventPtr event) {
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

EventBus::Impl::SteadyClock::time_point EventBus::Impl::next_deadline() const {
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

}  // namespace weir::record
