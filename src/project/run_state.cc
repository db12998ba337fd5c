#include "project/run_state.h"

namespace weir::project {
namespace {

using event::Field;
using event::Type;

/// After a run's end only what changes no state may come.
bool may_follow_the_end(Type type) {
  switch (type) {
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
    case Type::kNodeWide:
    case Type::kPipelineWide:
    case Type::kArtifactWritten:
    case Type::kArtifactReviewed:
    case Type::kSpan:
    case Type::kLog:
    case Type::kMetric:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view to_string(State state) {
  static constexpr std::string_view kNames[] = {"pending", "running", "completed",
                                                "failed",  "skipped", "cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

void RunState::apply(const event::EventView& event) {
  if (events++ == 0) {
    run_id = event.run_id();
    pipeline_id = event.text(Field::kPipelineId);
    pipeline_version = event.text(Field::kPipelineVersion);
    pipeline_type = event.text(Field::kPipelineType);
    started_at = event.timestamp();
  }
  last_event_at = event.timestamp();
  if (is_finished() && !may_follow_the_end(event.type())) {
    inconsistent = true;
    return;
  }
  switch (event.type()) {
    case Type::kPipelineStarted:
      state = State::kRunning;
      node_count = event.integer(Field::kNodeCount).value_or(0);
      break;
    case Type::kPipelineCompleted:
      return apply_to_run(event, State::kCompleted);
    case Type::kPipelineFailed:
      return apply_to_run(event, State::kFailed);
    case Type::kPipelineCancelled:
      return apply_to_run(event, State::kCancelled);
    case Type::kNodeWide:
    case Type::kPipelineWide:
      return;  // what other events have said already
    default:
      if (event.has(Field::kNodeId)) apply_to_node(event);
  }
}

void RunState::apply_to_run(const event::EventView& event, State end) {
  state = end;
  duration_ms = event.number(Field::kDurationMs);
  failed_node_id = event.text(Field::kFailedNodeId);
  error_type = event.text(Field::kErrorType);
  error_message = event.text(Field::kErrorMessage);
  if (end == State::kCancelled) error_message = event.text(Field::kReason);
}

void RunState::apply_to_node(const event::EventView& event) {
  const auto id = event.text(Field::kNodeId);
  auto found = node_index_.find(id);
  if (found == node_index_.end()) {
    found = node_index_.emplace(id, nodes.size()).first;
    nodes.push_back({.node_id = std::string(id),
                     .plugin_id = std::string(event.text(Field::kPluginId)),
                     .tool_id = std::string(event.text(Field::kToolId)),
                     .step_index = event.integer(Field::kStepIndex).value_or(0)});
  }
  auto& node = nodes[found->second];
  const auto end = [&](State ended) {
    // A node's start comes before its end, and there is one end.
    if (node.state != State::kRunning) inconsistent = true;
    node.state = ended;
    node.duration_ms = event.number(Field::kDurationMs);
    node.error_type = event.text(Field::kErrorType);
    node.error_message = event.text(Field::kErrorMessage);
  };
  switch (event.type()) {
    case Type::kNodeStarted:
      node.state = State::kRunning;
      node.started_at = event.timestamp();
      node.predecessors = event.strings(Field::kPredecessorNodeIds);
      break;
    case Type::kNodeCompleted:
      return end(State::kCompleted);
    case Type::kNodeFailed:
      return end(State::kFailed);
    case Type::kNodeCancelled:
      return end(State::kCancelled);
    case Type::kNodeSkipped:
      node.state = State::kSkipped;
      break;
    case Type::kLog:
      ++node.log_lines;
      node.last_log_lines.emplace_back(event.text(Field::kMessage));
      if (node.last_log_lines.size() > kLastLogLines) node.last_log_lines.pop_front();
      break;
    default:
      break;
  }
}

const NodeState* RunState::find_node(std::string_view node_id) const {
  const auto found = node_index_.find(node_id);
  return found == node_index_.end() ? nullptr : &nodes[found->second];
}

}  // namespace weir::project
