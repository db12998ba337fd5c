#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/execution.h"
#include "engine/failures.h"

// How what the scheduler commands gets to workers, and what of it can still be taken back.
namespace weir::engine {

using pipeline::Command;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

void Execution::work() {
  NodeContext context(place_);
  std::stop_source stop;  // of one node after the other, as long as none is stopped
  std::unique_lock lock(mutex_);
  while (true) {
    if (!ready_.can_take() && !finished_) {
      ++idle_;
      changed_.wait(lock, [this] { return finished_ || ready_.can_take(); });
      --idle_;
    }
    if (finished_) return;
    const auto taken = ready_.take();
    const auto step = step_of(taken.step);
    if (graph_.has_stream(step.node_index)) {
      run_group(graph_.leader_of(step.node_index), lock);
      continue;
    }
    if (stop.stop_requested()) stop = {};
    Running running(step.index, scheduler_.attempts(step.index), std::move(stop));
    running_.push_back(&running);
    if (scheduler_.state(step.index) == State::kPreparing && !scheduler_.is_stopping()) {
      lock.unlock();
      prepare(step, running);
      lock.lock();
    } else if (const auto slot = wait_for_slot(step, running, lock);
               slot.may_run && begin(step, running)) {
      auto events = events_of(step, running.attempt, wide_at(step), running.span);
      events.started(predecessor_ids(step.node_index));
      tell_watcher();
      lock.unlock();
      run_step(step, running, events, context, lock);
      if (!lock.owns_lock()) lock.lock();
    } else {
      give_up(running);
    }
    std::erase(running_, &running);
    stop = std::move(running.stop);
    ready_.done(taken);
    if (taken.pool >= 0) wake_workers();
  }
}

std::int64_t Execution::busy_workers() {
  const std::lock_guard lock(mutex_);
  return std::ranges::count_if(running_, [](const auto* running) { return running->has_begun; });
}

/// Under `lock`, which it leaves while it waits.
ChildRuns::Slot Execution::wait_for_slot(const Step& step, const Running& running,
                                         std::unique_lock<std::mutex>& lock) {
  if (!children_.has_slots() || !is_wanted(step.index)) return {};
  const auto stop = running.stop.get_token();
  lock.unlock();
  auto slot = children_.slot_for(step.node, stop);
  lock.lock();
  return slot;
}

/// Under mutex_. Whether it is still to start: then its start is recorded next, so that what is
/// decided meanwhile stands behind it in the log.
bool Execution::begin(const Step& step, Running& running) {
  running.has_begun =
      scheduler_.state(step.index) == State::kRunning && !running.ended && is_wanted(step.index);
  if (running.has_begun && has_guards_) said_again_.erase(step.id);
  if (running.has_begun && is_taken_up_) running.was_lost = taken_up_.unended.erase(step.index) > 0;
  running.started_at = run_.clock().monotonic();
  return running.has_begun;
}

/// Under mutex_. It was ready and does not start: nothing is said of it.
void Execution::give_up(Running& running) {
  if (running.ended.exchange(true)) return;
  const auto state = scheduler_.state(running.step);
  if (state != State::kRunning && state != State::kPreparing) return;  // somebody has put it back
  scheduler_.cancelled(running.step, commands_);
  carry_out();
}

/// Under mutex_. Whether its start was commanded and has not happened.
bool Execution::is_queued(StepIndex step) const {
  return scheduler_.state(step) == State::kRunning && !is_lost(step) &&
         std::none_of(running_.begin(), running_.end(), [&](const auto* running) {
           return running->step == step && running->has_begun &&
                  running->attempt == scheduler_.attempts(step);
         });
}

/// Under mutex_. Whoever waits in the queue goes back to the scheduler.
void Execution::withdraw(StepIndex step) {
  if (scheduler_.state(step) != State::kRunning || !(is_queued(step) || is_lost(step))) return;
  ready_.remove_if([&](StepIndex other) { return other == step; });
  for (auto* running : running_) {
    if (running->step == step && !running->has_begun) running->ended = true;
  }
  scheduler_.put_back(step);
}

/// Under mutex_. A worker that has yet to take the step up will find that it is not wanted.
void Execution::request_stop(StepIndex step) {
  for (auto* running : running_) {
    if (running->step == step) running->stop.request_stop();
  }
}

/// Under mutex_. Those whose start was commanded and has not happened; nobody waits for them any
/// more.
std::vector<StepIndex> Execution::take_unbegun() {
  auto unbegun = ready_.remove_if([this](auto step) {
    return scheduler_.state(step) == State::kRunning &&
           !graph_.has_stream(scheduler_.node_of(step));
  });
  for (auto* running : running_) {
    if (!running->has_begun && scheduler_.state(running->step) == State::kRunning &&
        !running->ended.exchange(true)) {
      unbegun.push_back(running->step);
    }
  }
  ready_.remove_if([this](auto step) { return graph_.has_stream(scheduler_.node_of(step)); });
  for (const auto& [leader, steps] : std::exchange(starting_, {})) {
    unbegun.insert(unbegun.end(), steps.begin(), steps.end());
  }
  return unbegun;
}

/// Under mutex_. What a command leads to at once becomes a command too.
void Execution::carry_out() {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const auto command = commands_[i];
    switch (command.kind) {
      case Command::Kind::kStart:
        make_ready(command.step);
        break;
      case Command::Kind::kPrepare:
        ready_.push(command.step);
        break;
      case Command::Kind::kRetry:
        timers_.start(command.delay, [this, step = command.step] {
          decide([&](auto& commands) { scheduler_.retry_due(step, commands); });
        });
        break;
      case Command::Kind::kSkip:
        events_of(step_of(command.step), 1).skipped(kAncestorFailed);
        break;
      case Command::Kind::kAgain:
        say_again(command.step);
        break;
      case Command::Kind::kCancel:
        if (scheduler_.state(command.step) == State::kRunning) {
          request_stop(command.step);
        } else {  // it waits: nothing more is said of it
          scheduler_.cancelled(command.step, commands_);
        }
        break;
      case Command::Kind::kAsk:
        signals_.ask_approval(command.step);
        break;
      case Command::Kind::kFinishRun:
        finished_ = true;
        if (is_ended_at_once_) timers_.start({}, end_at_once_);
        break;
    }
  }
  commands_.clear();
  tell_watcher();
  if (finished_) return changed_.notify_all();
  if (scheduler_.is_stopping()) ready_.lift_limits();
  wake_workers();
}

void Execution::let_begin() {
  const std::lock_guard lock(mutex_);
  may_begin_ = true;
  wake_workers();
}

void Execution::wake_workers() {
  if (!may_begin_) return;
  // One node is for the calling thread if it works; the others are for whoever waits, or for a new
  // worker.
  if (idle_ > 0 && ready_.can_take()) changed_.notify_all();
  for (auto takers = static_cast<std::size_t>(idle_) + 1;
       takers < ready_.size() && static_cast<int>(workers_.size()) + 1 < request_.jobs; ++takers) {
    if (!add_worker()) return;
  }
}

/// False when the system gives no more threads: those there are take longer.
bool Execution::add_worker() {
  try {
    workers_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "weir-worker");
      work();
    });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

}  // namespace weir::engine
