#include <pthread.h>

#include <system_error>

#include "engine/execution.h"

// Nodes that streams join start together, each on a thread of its own: whatever `jobs` is, none
// waits for another that has no thread. Together they take one place among the jobs.
namespace weir::engine {

using pipeline::NodeIndex;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

/// Under mutex_. The first of a group stands in ready_ for all that start with it.
void Execution::make_ready(StepIndex step) {
  const auto node = scheduler_.node_of(step);
  if (graph_.has_stream(node)) {
    auto& group = starting_[graph_.leader_of(node)];
    group.push_back(step);
    if (group.size() > 1) return;
  }
  ready_.push_back(step);
}

/// Until all of them have ended. Under mutex_, which it leaves while they run.
void Execution::run_group(NodeIndex leader, std::unique_lock<std::mutex>& lock) {
  std::vector<Member> members;
  std::vector<Streams::Member> opened;
  const auto steps = std::move(starting_.extract(leader).mapped());
  for (const auto step : steps) {
    members.push_back(
        {.step = step_of(step), .attempt = scheduler_.attempts(step), .stop = stops_[step]});
    opened.push_back({.node = scheduler_.node_of(step), .stop = stops_[step].get_token()});
  }
  if (scheduler_.is_stopping()) {  // they were ready and never started: nothing is said of them
    for (const auto& member : members) scheduler_.cancelled(member.step.index, commands_);
    return carry_out();
  }
  lock.unlock();
  const auto& first = members.front();
  const auto slot = children_.slot_for(first.step.node, first.stop.get_token());
  lock.lock();
  if (!slot.may_run) {  // not wanted any more before they were started
    for (const auto& member : members) scheduler_.cancelled(member.step.index, commands_);
    return carry_out();
  }
  streams_.open(opened, scheduler_);
  lock.unlock();
  std::vector<std::thread> threads;
  for (auto member = members.begin() + 1; member != members.end(); ++member) {
    if (auto thread = start_member(*member)) {
      threads.push_back(*std::move(thread));
    } else {
      refuse_member(*member);
    }
  }
  run_member(members.front());
  for (auto& thread : threads) thread.join();
  lock.lock();
}

/// Nothing when the system gives no thread. `member` outlives it.
std::optional<std::thread> Execution::start_member(const Member& member) {
  try {
    return std::thread([this, &member] {
      pthread_setname_np(pthread_self(), "weir-stream");
      run_member(member);
    });
  } catch (const std::system_error&) {
    return {};
  }
}

void Execution::run_member(const Member& member) {
  run_step(member.step, member.attempt, member.stop);
  const auto state = [&] {
    const std::lock_guard lock(mutex_);
    return scheduler_.state(member.step.index);
  }();
  streams_.ended(member.step.node_index, state);
}

/// Without a thread, those that it is joined with would wait for it for ever.
void Execution::refuse_member(const Member& member) {
  auto events = events_of(member.step, member.attempt, wide_of(member.step));
  events.started(predecessor_ids(member.step.node_index));
  fail(member.step, events, 0,
       {.type = "NoThread",
        .message = "node '" + member.step.id +
                   "': the system gives no thread for it, and without "
                   "one the nodes that streams join it with cannot run",
        .exit_code = {},
        .usage = {}});
  streams_.ended(member.step.node_index, State::kFailed);
}

}  // namespace weir::engine
