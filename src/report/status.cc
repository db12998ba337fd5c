#include "report/status.h"

#include <algorithm>

namespace weir::report {
namespace {

using project::NodeState;
using project::State;

double elapsed_between(Timestamp from, Timestamp to) {
  return std::max(0.0, std::chrono::duration<double, std::milli>(to - from).count());
}

std::string tool_of(const NodeState& node) {
  return node.plugin_id.empty() ? node.tool_id : node.plugin_id + "." + node.tool_id;
}

std::optional<NodeAtWork> at_work(const NodeState& node, const UsualDuration& usual,
                                  Timestamp now) {
  const auto* attempt = node.last_attempt();
  const bool waits = node.state == State::kPending && node.retry != project::Retry::kNone;
  if (attempt == nullptr || (node.state != State::kRunning && !waits)) return {};
  // What is known of items is how long they take together.
  const bool is_item = node_of_item(node.node_id) != node.node_id;
  const auto since = waits ? attempt->ended_at.value_or(attempt->started_at) : attempt->started_at;
  return NodeAtWork{.node_id = node.node_id,
                    .tool = tool_of(node),
                    .attempt = waits ? node.next_attempt : attempt->number,
                    .waits = waits,
                    .since = since,
                    .elapsed_ms = elapsed_between(since, now),
                    .usual_ms = is_item ? std::nullopt : usual(node.node_id)};
}

}  // namespace

std::size_t Status::going() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(runs, [](const RunStatus& run) { return !run.is_lost(); }));
}

RunStatus status_of(const project::RunState& run, std::string state, const Plan& plan,
                    const UsualDuration& usual, Timestamp now) {
  RunStatus status{.run_id = run.run_id,
                   .tenant_id = {},
                   .pipeline_id = run.pipeline_id,
                   .state = std::move(state),
                   .substatus = std::string(to_string(run.substatus())),
                   .started_at = run.started_at,
                   .last_event_at = run.last_event_at,
                   .nodes = std::vector<std::int64_t>(project::kStateCount)};
  // Nobody does anything in a run that was lost.
  const auto end = status.is_lost() ? run.last_event_at : now;
  status.elapsed_ms = elapsed_between(run.started_at, end);
  status.progress = progress_of(plan, run, usual, end);
  status.node_count = std::max(plan.size(), static_cast<std::size_t>(run.node_count));
  if (status.node_count > plan.size()) {
    // Nothing is known of the others but that there are some.
    status.progress.fraction *=
        static_cast<double>(plan.size()) / static_cast<double>(status.node_count);
    status.progress.left_ms.reset();
  }
  for (const auto& node : run.nodes) {
    ++status.nodes[static_cast<std::size_t>(node.state)];
    if (auto working = at_work(node, usual, end)) status.at_work.push_back(*std::move(working));
  }
  std::ranges::stable_sort(status.at_work, {}, &NodeAtWork::since);
  std::ranges::copy_if(run.approvals, std::back_inserter(status.questions),
                       &project::Approval::is_open);
  std::ranges::copy_if(run.signals, std::back_inserter(status.signals), &project::Signal::is_open);
  return status;
}

std::vector<Activity> activities_of(const project::RunState& run) {
  std::vector<Activity> activities;
  for (const auto& node : run.nodes) {
    const auto* attempt = node.last_attempt();
    const bool runs = node.state == State::kRunning;
    if (attempt == nullptr || (!runs && !attempt->ended_at) || node.state == State::kFailed)
      continue;
    activities.push_back({.at = attempt->ended_at.value_or(attempt->started_at),
                          .run_id = run.run_id.text(),
                          .pipeline_id = run.pipeline_id,
                          .who = node.node_id,
                          .action = tool_of(node),
                          .status = runs ? "in_progress" : std::string(to_string(attempt->state)),
                          .artifact = {},
                          .duration_ms = attempt->duration_ms});
  }
  return activities;
}

Activity activity_of(const Happening& happening) {
  Activity activity{.at = happening.at,
                    .run_id = happening.run_id,
                    .pipeline_id = happening.pipeline_id,
                    .who = happening.agent_id.empty() ? happening.node_id : happening.agent_id,
                    .action = happening.message,
                    .status = happening.outcome,
                    .artifact = happening.artifact_path,
                    .duration_ms = happening.duration_ms};
  const std::string_view type = happening.event_type;
  const auto error = happening.error_type.empty()
                         ? happening.reason
                         : happening.error_type + ": " + happening.error_message;
  if (type.starts_with("pipeline_")) {
    activity.status = type.substr(type.rfind('_') + 1);
    if (type != "pipeline_node_failed") activity.who.clear();
    if (activity.action.empty()) activity.action = error;
    if (activity.action.empty() && happening.outcome == "partial") activity.action = "in part";
  } else if (type == "approval_decided") {
    activity.action = happening.actor_id.empty() ? "nobody answered" : "by " + happening.actor_id;
  } else if (type == "artifact_reviewed") {
    activity.who = happening.actor_id;
    activity.action =
        "reviewed " + (happening.artifact_path.empty() ? happening.artifact_sha256.substr(0, 12)
                                                       : happening.artifact_path);
  } else if (activity.action.empty()) {
    activity.action = error;
  }
  return activity;
}

}  // namespace weir::report
