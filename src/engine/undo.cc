#include <iterator>

#include "engine/execution.h"
#include "engine/failures.h"

// What a failed or cancelled run does when nothing of it runs any more, and before its last event:
// a run without one can be resumed, and then goes on taking back what is not recorded as such.
namespace weir::engine {

void UndoStack::push(Done done) {
  remove(done.step.id);
  done_.push_back(std::move(done));
  places_.emplace(done_.back().step.id, std::prev(done_.end()));
}

void UndoStack::remove(std::string_view step_id) {
  const auto place = places_.find(step_id);
  if (place == places_.end()) return;
  const auto done = place->second;  // whose id the place is found by
  places_.erase(place);
  done_.erase(done);
}

std::optional<UndoStack::Done> UndoStack::pop() {
  if (done_.empty()) return {};
  places_.erase(done_.back().step.id);
  std::optional<Done> done(std::move(done_.back()));
  done_.pop_back();
  return done;
}

namespace {

/// The undo as a node of its own, in the place of the one that it takes back.
pipeline::Node undoing(const pipeline::Node& node) {
  const auto& undo = *node.undo;
  return {
      .id = node.id,
      .plugin_id = undo.plugin.empty() ? node.plugin_id : pipeline::Located{.text = undo.plugin},
      .tool_id = {.text = undo.tool, .position = undo.position},
      .with = undo.with,
      .has_references = undo.has_references,
      .references = undo.references,
      .timeout = node.timeout};
}

}  // namespace

void Execution::undo_completed() {
  if (scheduler_.outcome() == pipeline::RunOutcome::kCompleted) return;
  // What cannot be recorded is not done: who resumes the run does it.
  const bool is_lost = run_.lost().stop_requested() && stops_without_record(request_);
  bool is_first = true;
  while (!is_lost && !is_ended_at_once_ && !undo_stack_.is_empty()) {
    if (!undo(*undo_stack_.pop(), is_first)) return;
    is_first = false;
  }
}

/// Whether it may begin; then that is recorded, and before whatever ends the run at once.
bool Execution::begin_undo(NodeEvents& events, const NodeEvents::Undo& undo) {
  const std::lock_guard lock(mutex_);
  if (is_ended_at_once_) return false;
  events.undo_invoked(undo);
  return true;
}

/// False: nothing can be recorded or nothing may begin any more, and nothing was done.
bool Execution::undo(const UndoStack::Done& done, bool is_first) {
  const auto& original = done.step;
  const auto node = undoing(original.node);
  const Step step{.index = original.index,
                  .node_index = original.node_index,
                  .node = node,
                  .id = original.id,
                  .params = params_.back(),
                  .item = original.item,
                  .undoes = done.output.get()};
  auto events = events_of(step, done.attempt);
  const NodeEvents::Undo undo{.undoes = original.node.pipeline.empty() ? original.node.tool_id.text
                                                                       : original.node.pipeline,
                              .completed_at = done.completed_at,
                              .run_failed = scheduler_.outcome() == pipeline::RunOutcome::kFailed};
  if (!begin_undo(events, undo)) return false;
  // From here on there is no way back: a process that goes on with the run must know it.
  if (is_first && !run_.flush() && stops_without_record(request_)) return false;

  const auto start = run_.clock().monotonic();
  NodeContext context(place_);
  auto result = calls_.call(step, done.attempt, undo_stop_.get_token(), events, {}, context);
  const auto duration_ms = milliseconds_since(run_.clock(), start);
  if (result) {
    events.undone(duration_ms, undo);
    report({.kind = NodeUpdate::Kind::kUndone, .node_id = step.id, .duration_ms = duration_ms});
    return true;
  }
  auto& failure = result.error();
  cut_message(failure);
  events.undo_failed(duration_ms, failure, undo);
  report({.kind = NodeUpdate::Kind::kUndoFailed,
          .node_id = step.id,
          .duration_ms = duration_ms,
          .message = failure.message});
  undo_failures_.push_back({.node_id = step.id, .message = failure.message});
  return true;
}

/// Under mutex_.
void Execution::note_undo(pipeline::StepIndex index, OutputPointer output, Timestamp completed_at) {
  const auto step = step_of(index);
  undo_stack_.push({.step = step,
                    .items = step.item != nullptr ? items_.at(step.node_index).list : nullptr,
                    .output = std::move(output),
                    .attempt = scheduler_.attempts(index),
                    .completed_at = completed_at});
}

}  // namespace weir::engine
