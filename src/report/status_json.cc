#include "report/json_values.h"
#include "report/status.h"

namespace weir::report {
namespace {

json::Object json_of(const NodeAtWork& node) {
  json::Object object;
  object.set("node_id", node.node_id);
  object.set("tool", node.tool);
  object.set("state", node.waits ? "waits_for_attempt" : "running");
  object.set("attempt", node.attempt);
  object.set("since", to_string(node.since));
  object.set("elapsed_ms", node.elapsed_ms);
  object.set("usual_ms", or_null(node.usual_ms));
  return object;
}

json::Object json_of(const project::Signal& signal) {
  json::Object object;
  object.set("signal_id", signal.signal_id);
  object.set("signal_type", signal.signal_type);
  object.set("node_id", text_or_null(signal.node_id));
  object.set("state", to_string(signal.decision));
  object.set("actor_id", text_or_null(signal.actor_id));
  return object;
}

json::Object json_of(const RunStatus& run) {
  json::Object object;
  object.set("run_id", run.run_id.text());
  object.set("tenant_id", text_or_null(run.tenant_id));
  object.set("pipeline_id", run.pipeline_id);
  object.set("state", run.state);
  object.set("substatus", text_or_null(run.substatus));
  object.set("started_at", to_string(run.started_at));
  object.set("last_event_at", to_string(run.last_event_at));
  object.set("elapsed_ms", run.elapsed_ms);
  object.set("progress", run.progress.fraction);
  object.set("left_ms", or_null(run.progress.left_ms));
  object.set("left_without_nodes", array_of(run.progress.unknown));
  object.set("critical_path", array_of(run.progress.path));
  object.set("is_late", run.progress.is_late);
  object.set("node_count", static_cast<std::int64_t>(run.node_count));
  json::Object nodes;
  for (std::size_t i = 0; i < run.nodes.size(); ++i)
    nodes.set(to_string(static_cast<project::State>(i)), run.nodes[i]);
  object.set("nodes", std::move(nodes));
  object.set("at_work", array_of(run.at_work, [](const auto& node) { return json_of(node); }));
  object.set("signals", array_of(run.signals, [](const auto& signal) { return json_of(signal); }));
  return object;
}

json::Object json_of(const Question& question) {
  json::Object object;
  object.set("run_id", question.run_id.text());
  object.set("pipeline_id", question.pipeline_id);
  object.set("node_id", question.approval.node_id);
  object.set("message", text_or_null(question.approval.message));
  object.set("requested_at", to_string(question.approval.requested_at));
  object.set("run_is_lost", question.is_lost);
  return object;
}

json::Object review_json(const Happening& artifact) {
  json::Object object;
  object.set("artifact", artifact.artifact_path);
  object.set("artifact_sha256", artifact.artifact_sha256);
  object.set("run_id", artifact.run_id);
  object.set("pipeline_id", artifact.pipeline_id);
  object.set("node_id", text_or_null(artifact.node_id));
  object.set("agent_id", text_or_null(artifact.agent_id));
  object.set("changed_at", to_string(artifact.at));
  object.set("bytes", or_null(artifact.written_bytes));
  return object;
}

json::Object notice_json(const Happening& notice) {
  json::Object object;
  object.set("at", to_string(notice.at));
  object.set("level", notice.level);
  object.set("message", notice.message);
  object.set("pipeline_id", text_or_null(notice.pipeline_id == "weir" ? "" : notice.pipeline_id));
  object.set("run_id", notice.target_run_id.empty() ? notice.run_id : notice.target_run_id);
  return object;
}

json::Object json_of(const Activity& activity) {
  json::Object object;
  object.set("at", to_string(activity.at));
  object.set("run_id", activity.run_id);
  object.set("pipeline_id", activity.pipeline_id);
  object.set("who", text_or_null(activity.who));
  object.set("action", text_or_null(activity.action));
  object.set("status", text_or_null(activity.status));
  object.set("artifact", text_or_null(activity.artifact));
  object.set("duration_ms", or_null(activity.duration_ms));
  return object;
}

}  // namespace

json::Object to_json(const Status& status) {
  const auto as_json = [](const auto& item) { return json_of(item); };
  json::Object object;
  object.set("at", to_string(status.at));
  object.set("runs", array_of(status.runs, as_json));
  object.set("older_lost_runs", static_cast<std::int64_t>(status.older_lost));
  object.set("questions", array_of(status.questions, as_json));
  object.set("pending_review", array_of(status.reviews, review_json));
  object.set("notifications", array_of(status.notifications, notice_json));
  object.set("alerts", array_of(status.alerts, notice_json));
  object.set("recent_activity", array_of(status.recent, as_json));
  return object;
}

}  // namespace weir::report
