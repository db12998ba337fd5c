#include "engine/execution.h"
#include "engine/failures.h"

// A guard that fails has a node before it run again, and then itself: pipeline::GuardProgress says
// whether, pipeline::Scheduler what.
namespace weir::engine {

using pipeline::StepIndex;
using State = pipeline::Scheduler::State;
using Verdict = pipeline::GuardProgress::Verdict;

/// Under mutex_, as all of these. Whether a failure of the step is for its `guard_retry` to judge.
bool Execution::is_judged(StepIndex step, pipeline::ErrorCategory category) const {
  return request_.definition.nodes[scheduler_.node_of(step)].guard_retry.has_value() &&
         scheduler_.state(step) == State::kRunning && !scheduler_.is_stopping() &&
         !scheduler_.is_unwanted(step) && !scheduler_.will_retry(step, category);
}

/// False: it is given up, and its node has failed.
bool Execution::judge(const Step& guard, NodeEvents& events,
                      pipeline::Scheduler::Commands& commands) {
  auto& progress = guards_[guard.node_index];
  const auto verdict = count_failure(guard.node_index, run_.clock().now());
  if (verdict != Verdict::kAgain) {
    events.guard_exhausted(to_string(verdict), progress);
    progress.end();
    return false;
  }
  events.guard_attempt(progress);
  scheduler_.run_again(guard.node_index, retried_by(guard.node), commands);
  return true;
}

Verdict Execution::count_failure(pipeline::NodeIndex guard, Timestamp at) {
  const auto& node = request_.definition.nodes[guard];
  const auto* output = outputs_[retried_by(node)].get();
  return guards_[guard].failed(
      *node.guard_retry,
      {.output = pipeline::digest_of(output, node.guard_retry->hash_fields), .at = at});
}

pipeline::NodeIndex Execution::retried_by(const pipeline::Node& guard) const {
  const auto node = graph_.ids.find(guard.guard_retry->retry_node);
  WEIR_CHECK(node);  // validated
  return *node;
}

void Execution::note_guard_completed(const Step& step, NodeEvents& events) {
  auto& progress = guards_[step.node_index];
  if (progress.failures() == 0) return;
  events.guard_recovered(progress);
  progress.end();
}

/// If it was denied, they have not, and it has failed itself.
bool Execution::has_begun_items(pipeline::NodeIndex node) const {
  const auto items = scheduler_.items_of(node);
  for (StepIndex item = 0; items && item < items->count; ++item) {
    if (scheduler_.state(items->first + item) != State::kPending) return true;
  }
  return false;
}

/// The node has ended, and is going to run again.
void Execution::say_again(pipeline::NodeIndex node) {
  forget(node);
  if (has_begun_items(node)) return;  // said when they are known
  events_of(step_of(node), attempts_before(node)).retry_scheduled(kGuardRetry, {});
}

/// Under mutex_. Without one that is commanded and has not begun.
int Execution::attempts_before(pipeline::StepIndex step) const {
  return scheduler_.attempts(step) - (scheduler_.state(step) == State::kRunning ? 1 : 0);
}

/// Those of the node's items that have run before, once it is known which there are now.
void Execution::say_items_again(pipeline::NodeIndex node) {
  const auto items = scheduler_.items_of(node);
  if (!has_guards_ || is_telling_ || !items) return;
  for (auto item = items->first; item < items->first + items->count; ++item) {
    const auto before = attempts_before(item);
    if (before == 0) continue;
    const auto step = step_of(item);
    // It may be said already: by a round that was over before the item began, by its own retry, or
    // by its start in a process that is gone.
    if (said_again_.insert(step.id).second) {
      events_of(step, before).retry_scheduled(kGuardRetry, {});
    }
  }
}

/// What the node made, and why it failed.
void Execution::forget(pipeline::NodeIndex node) {
  outputs_[node].reset();
  revise_failure();
}

/// The first node that failed may be another one now.
void Execution::revise_failure() {
  const auto first = scheduler_.first_failed();
  if (failed_step_ == first || !failed_step_) return;
  failed_step_ = first;
  failure_ = {};
  if (!first) return;
  failure_.type = "NodeFailed";  // the first that did runs again
  failure_.message = "node '" + step_of(*first).id + "' failed";
}

}  // namespace weir::engine
