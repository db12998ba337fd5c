#include <pthread.h>

#include <algorithm>
#include <deque>
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
  ready_.push(step, node);
}

/// Until all of them have ended. Under `lock`, which it leaves while they run.
void Execution::run_group(NodeIndex leader, std::unique_lock<std::mutex>& lock) {
  std::deque<Member> members;
  std::vector<Streams::Member> opened;
  const auto steps = std::move(starting_.extract(leader).mapped());
  for (const auto step : steps) {
    auto& member = members.emplace_back(step_of(step), scheduler_.attempts(step));
    running_.push_back(&member.running);
    opened.push_back({.node = scheduler_.node_of(step), .stop = member.running.stop.get_token()});
  }
  const auto& first = members.front();
  const auto slot = wait_for_slot(first.step, first.running, lock);
  const bool begins = slot.may_run && std::ranges::all_of(members, [this](Member& member) {
                        return begin(member.step, member.running);
                      });
  if (begins) {
    streams_.open(opened, scheduler_);
    for (auto& member : members) {
      member.events = std::make_unique<NodeEvents>(events_of(
          member.step, member.running.attempt, wide_at(member.step), member.running.span));
      member.events->started(predecessor_ids(member.step.node_index));
    }
    tell_watcher();
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
  } else {
    for (auto& member : members) give_up(member.running);
  }
  for (auto& member : members) std::erase(running_, &member.running);
}

/// Nothing when the system gives no thread. `member` outlives it.
std::optional<std::thread> Execution::start_member(Member& member) {
  try {
    return std::thread([this, &member] {
      pthread_setname_np(pthread_self(), "weir-stream");
      run_member(member);
    });
  } catch (const std::system_error&) {
    return {};
  }
}

void Execution::run_member(Member& member) {
  NodeContext context(place_);
  std::unique_lock lock(mutex_, std::defer_lock);
  run_step(member.step, member.running, *member.events, context, lock);
  if (!lock.owns_lock()) lock.lock();
  const auto state = scheduler_.state(member.step.index);
  lock.unlock();
  streams_.ended(member.step.node_index, state);
}

/// Without a thread, those that it is joined with would wait for it for ever.
void Execution::refuse_member(Member& member) {
  if (member.running.ended.exchange(true)) return;
  fail(member.step, *member.events, 0,
       {.type = "NoThread",
        .message = "node '" + member.step.id +
                   "': the system gives no thread for it, and without "
                   "one the nodes that streams join it with cannot run",
        .exit_code = {},
        .usage = {}});
  streams_.ended(member.step.node_index, State::kFailed);
}

}  // namespace weir::engine
