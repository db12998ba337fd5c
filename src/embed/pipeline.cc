// The common life of a pipeline, of Run and Node.

#include <algorithm>
#include <exception>
#include <utility>

#include "embed/state.h"
#include "weir/run.h"

namespace weir {
namespace embed {

struct NodeState {
  std::shared_ptr<RunState> run;
  NodeStart start;  // without its views
  std::chrono::nanoseconds begun;
  int exceptions;

  [[nodiscard]] std::vector<Field> fields() const {
    return {{field::kNodeId, start.node_id},
            {field::kPluginId, start.plugin_id},
            {field::kToolId, start.tool_id},
            {field::kStepIndex, start.step_index},
            {field::kAttempt, start.attempt}};
  }
};

namespace {

std::vector<Field> with(std::vector<Field> fields, Fields more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Progress progress_of(RunState& run) {
  const std::lock_guard lock(run.mutex);
  return run.progress;
}

void count_end(RunState& run, const std::string& node, bool has_failed) {
  const std::lock_guard lock(run.mutex);
  auto& failed = run.progress.failed;
  if (!has_failed) {
    ++run.progress.completed;
    std::erase(failed, node);  // an earlier attempt's
  } else if (std::ranges::find(failed, node) == failed.end()) {
    failed.push_back(node);
  }
}

}  // namespace
}  // namespace embed

bool Run::pipeline_started(const PipelineStart& start, Fields more) noexcept {
  {
    const std::lock_guard lock(state_->mutex);
    state_->progress = {.start = state_->run->clock().monotonic(), .node_count = start.node_count};
  }
  return emit(EventType::kPipelineStarted, embed::with({{field::kEntryNodes, start.entry_nodes},
                                                        {field::kOutputNodes, start.output_nodes},
                                                        {field::kNodeCount, start.node_count}},
                                                       more));
}

bool Run::pipeline_completed(Strings output_node_ids, Fields more) noexcept {
  const auto progress = embed::progress_of(*state_);
  return emit(EventType::kPipelineCompleted,
              embed::with({{field::kDurationMs, state_->milliseconds_since(progress.start)},
                           {field::kNodeCount, progress.node_count},
                           {field::kSuccessCount, progress.completed},
                           {field::kFailedCount, progress.failed.size()},
                           {field::kOutputNodeIds, output_node_ids}},
                          more));
}

bool Run::pipeline_failed(std::string_view error_type, std::string_view message,
                          Fields more) noexcept {
  const auto progress = embed::progress_of(*state_);
  const auto failed_node = progress.failed.empty()
                               ? Field(field::kFailedNodeId, nullptr)
                               : Field(field::kFailedNodeId, progress.failed.front());
  return emit(EventType::kPipelineFailed,
              embed::with({{field::kDurationMs, state_->milliseconds_since(progress.start)},
                           {field::kNodeCount, progress.node_count},
                           {field::kSuccessCount, progress.completed},
                           {field::kFailedCount, progress.failed.size()},
                           failed_node,
                           {field::kErrorType, error_type},
                           {field::kErrorMessage, message}},
                          more));
}

bool Run::pipeline_cancelled(std::string_view reason, Fields more) noexcept {
  const auto start = embed::progress_of(*state_).start;
  return emit(EventType::kPipelineCancelled,
              embed::with({{field::kDurationMs, state_->milliseconds_since(start)},
                           {field::kReason, reason}},
                          more));
}

Node Run::start_node(const NodeStart& start, Fields more) noexcept {
  auto node = std::make_unique<embed::NodeState>(
      embed::NodeState{.run = state_,
                       .start = start,
                       .begun = state_->run->clock().monotonic(),
                       .exceptions = std::uncaught_exceptions()});
  node->start.predecessors = {};
  auto fields = node->fields();
  fields.emplace_back(field::kPredecessorNodeIds, start.predecessors);
  emit(EventType::kNodeStarted, embed::with(std::move(fields), more));
  return Node(std::move(node));
}

Node::Node(std::unique_ptr<embed::NodeState> state) noexcept : state_(std::move(state)) {}
Node::Node(Node&& other) noexcept = default;

Node::~Node() {
  if (!state_) return;
  const bool by_exception = std::uncaught_exceptions() > state_->exceptions;
  failed(by_exception ? "exception" : "abandoned",
         by_exception ? "left by an exception" : "nobody said how it ended");
}

bool Node::completed(Strings output_keys, Fields more) noexcept {
  const auto node = std::move(state_);  // ended once
  if (!node) return false;
  embed::count_end(*node->run, node->start.node_id, false);
  auto fields = node->fields();
  fields.emplace_back(field::kDurationMs, node->run->milliseconds_since(node->begun));
  fields.emplace_back(field::kOutputKeys, output_keys);
  return node->run->emit(EventType::kNodeCompleted, embed::with(std::move(fields), more), true);
}

bool Node::failed(std::string_view error_type, std::string_view message, Fields more) noexcept {
  const auto node = std::move(state_);
  if (!node) return false;
  embed::count_end(*node->run, node->start.node_id, true);
  auto fields = node->fields();
  fields.emplace_back(field::kDurationMs, node->run->milliseconds_since(node->begun));
  fields.emplace_back(field::kErrorType, error_type);
  fields.emplace_back(field::kErrorMessage, message);
  return node->run->emit(EventType::kNodeFailed, embed::with(std::move(fields), more), true);
}

}  // namespace weir
