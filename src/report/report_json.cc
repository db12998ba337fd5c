#include "report/report_json.h"

#include "base/time.h"
#include "report/json_values.h"

namespace weir::report {
namespace {

constexpr double kMsPerSecond = 1000;

json::Object window_json(const ReportWindow& window) {
  json::Object object;
  object.set("since", to_string(window.since));
  object.set("until", to_string(window.until));
  object.set("made_at", to_string(window.made_at));
  object.set("pipeline_id", text_or_null(window.pipeline_id));
  object.set("tenant_id", text_or_null(window.tenant_id));
  return object;
}

json::Value spread_json(const Spread& spread) {
  json::Object object;
  object.set("count", spread.count);
  const auto value = [&](double number) {
    return spread.count == 0 ? json::Value() : json::Value(number);
  };
  object.set("average", value(spread.average));
  object.set("min", value(spread.min));
  object.set("median", value(spread.median));
  object.set("p95", value(spread.p95));
  object.set("max", value(spread.max));
  return object;
}

/// Nothing is no success and no failure.
json::Value rate(std::uint64_t all, double value) {
  return all == 0 ? json::Value() : json::Value(value);
}

json::Object runs_json(const RunFigures& runs) {
  json::Object object;
  object.set("total", runs.total);
  object.set("completed", runs.completed);
  object.set("failed", runs.failed);
  object.set("cancelled", runs.cancelled);
  object.set("running", runs.running);
  object.set("interrupted", runs.interrupted);
  object.set("success_rate", rate(runs.ended(), runs.success_rate()));
  object.set("duration_ms", spread_json(runs.duration_ms));
  return object;
}

json::Object node_figures_json(const NodeFigures& node) {
  json::Object object;
  if (!node.node_id.empty()) {
    object.set("pipeline_id", node.pipeline_id);
    object.set("node_id", node.node_id);
  }
  object.set("executions", node.executions());
  object.set("completed", node.completed);
  object.set("failed", node.failed);
  object.set("cancelled", node.cancelled);
  object.set("cache_hits", node.cache_hits);
  object.set("cache_misses", node.cache_misses);
  object.set("rows", node.rows);
  object.set("rows_per_second", node.rows_per_second);
  object.set("memory_bytes", node.memory_bytes);
  object.set("duration_ms", spread_json(node.duration_ms));
  return object;
}

json::Object agent_json(const AgentStats& agent) {
  json::Object object, status, tokens, quality;
  object.set("agent_id", agent.agent_id);
  object.set("runs", agent.runs);
  status.set("success", agent.success);
  status.set("failure", agent.failure);
  status.set("partial", agent.partial);
  status.set("timeout", agent.timeout);
  status.set("other", agent.other);
  object.set("status", std::move(status));
  object.set("success_rate", rate(agent.runs, agent.success_rate()));
  object.set("duration_ms", spread_json(agent.duration_ms));
  tokens.set("input", agent.input_tokens);
  tokens.set("output", agent.output_tokens);
  tokens.set("total", agent.input_tokens + agent.output_tokens);
  object.set("tokens", std::move(tokens));
  object.set("cost_usd", agent.cost_usd);
  quality.set("citations", or_null(agent.citations));
  quality.set("words", or_null(agent.words));
  quality.set("completeness", or_null(agent.completeness));
  quality.set("uncertain_areas", agent.uncertain_areas);
  object.set("quality", std::move(quality));
  object.set("versions", array_of(agent.versions));
  object.set("models", array_of(agent.models));
  object.set("last_run_at", to_string(agent.last_run_at));
  return object;
}

json::Object errors_json(const SummaryReport& report) {
  json::Object object;
  object.set("total", report.errors);
  object.set("total_types", report.error_type_count);
  object.set("by_type", array_of(report.errors_by_type, [](const ErrorCount& error) {
               json::Object one;
               one.set("type", error.type);
               one.set("count", error.count);
               one.set("last_at", to_string(error.last_at));
               return one;
             }));
  return object;
}

json::Object artifacts_json(const ArtifactCounts& artifacts) {
  json::Object object;
  object.set("created", artifacts.created);
  object.set("pending_review", artifacts.pending);
  object.set("approved", artifacts.approved);
  object.set("rejected", artifacts.rejected);
  return object;
}

json::Object bucket_json(const ReportBucket& bucket) {
  json::Object object;
  object.set("from", to_string(bucket.from));
  object.set("completed", bucket.completed);
  object.set("failed", bucket.failed);
  object.set("cancelled", bucket.cancelled);
  object.set("open", bucket.open);
  object.set("median_ms", or_null(bucket.median_ms));
  object.set("p95_ms", or_null(bucket.p95_ms));
  object.set("most_runs_at_once", bucket.most_runs);
  object.set("most_nodes_at_once", bucket.most_nodes);
  return object;
}

json::Object event_entry_json(const EventEntry& entry) {
  json::Object object;
  object.set("timestamp", to_string(entry.at));
  object.set("run_id", entry.run_id);
  object.set("run_seq", entry.run_seq);
  object.set("pipeline_id", entry.pipeline_id);
  object.set("event_type", entry.event_type);
  object.set("level", entry.level);
  object.set("node_id", text_or_null(entry.node_id));
  object.set("attempt", entry.attempt == 0 ? json::Value() : json::Value(entry.attempt));
  object.set("agent_id", text_or_null(entry.agent_id));
  object.set("duration_ms", or_null(entry.duration_ms));
  object.set("error_type", text_or_null(entry.error_type));
  object.set("text", text_or_null(entry.text));
  return object;
}

void add_figures(json::Object& object, const SummaryReport& report) {
  object.set("total_pipelines", report.pipeline_count);
  object.set("pipelines", array_of(report.pipelines, [](const PipelineFigures& pipeline) {
               json::Object one;
               one.set("pipeline_id", pipeline.pipeline_id);
               for (const auto& member : runs_json(pipeline.runs)) one.append(member);
               return one;
             }));
  object.set("total_nodes", report.node_count);
  object.set("slowest_nodes", array_of(report.slowest_nodes, node_figures_json));
  object.set("total_errors_of_nodes", report.error_of_node_count);
  object.set("errors_of_nodes", array_of(report.errors_of_nodes, [](const NodeErrorCount& error) {
               json::Object one;
               one.set("pipeline_id", error.pipeline_id);
               one.set("node_id", error.node_id);
               one.set("type", error.type);
               one.set("count", error.count);
               return one;
             }));
  object.set("bucket_seconds", std::chrono::duration<double>(report.bucket).count());
  object.set("buckets", array_of(report.buckets, bucket_json));
  object.set("durations", array_of(report.distribution, [](const DurationBin& bin) {
               json::Object one;
               one.set("from_ms", bin.from_ms);
               one.set("to_ms", bin.to_ms);
               one.set("runs", bin.runs);
               return one;
             }));
}

/// One of the agent system's `byAgent`.
json::Object daily_agent(const AgentStats& agent) {
  json::Object object;
  object.set("agent", agent.agent_id);
  object.set("runs", agent.runs);
  object.set("successRate", rate(agent.runs, agent.success_rate()));
  object.set("avgDuration",
             rate(agent.duration_ms.count, agent.duration_ms.average / kMsPerSecond));
  return object;
}

}  // namespace

json::Object to_json(const SummaryReport& report) {
  json::Object object;
  object.set("report", "summary");
  object.set("window", window_json(report.window));
  object.set("runs", runs_json(report.runs));
  object.set("workflows", report.workflows);
  object.set("nodes", node_figures_json(report.nodes));
  object.set("agents", array_of(report.agents, agent_json));
  object.set("errors", errors_json(report));
  object.set("artifacts", artifacts_json(report.artifacts));
  add_figures(object, report);
  return object;
}

json::Object to_json(const DailySummary& report) {
  json::Object overview, errors, artifacts, day, object;
  overview.set("totalRuns", report.runs.total);
  overview.set("successRate", rate(report.runs.ended(), report.runs.success_rate()));
  overview.set("averageDuration",
               rate(report.runs.duration_ms.count, report.runs.duration_ms.average / kMsPerSecond));
  overview.set("activeWorkflows", report.workflows);
  errors.set("total", report.errors);
  errors.set("byType", array_of(report.errors_by_type, [](const ErrorCount& error) {
               json::Object one;
               one.set("type", error.type);
               one.set("count", error.count);
               return one;
             }));
  artifacts.set("created", report.artifacts.created);
  artifacts.set("pendingReview", report.artifacts.pending);
  artifacts.set("approved", report.artifacts.approved);
  artifacts.set("rejected", report.artifacts.rejected);
  day.set("date", report.date);
  day.set("overview", std::move(overview));
  day.set("byAgent", array_of(report.agents, daily_agent));
  day.set("errors", std::move(errors));
  day.set("artifacts", std::move(artifacts));
  object.set("dailySummary", std::move(day));
  return object;
}

json::Object to_json(const AgentReport& report) {
  json::Object object;
  object.set("report", "agents");
  object.set("window", window_json(report.window));
  object.set("agents", array_of(report.agents, agent_json));
  return object;
}

json::Object to_json(const ErrorReport& report) {
  json::Object object;
  object.set("report", "errors");
  object.set("window", window_json(report.window));
  object.set("total", report.total);
  object.set("errors", array_of(report.errors, [](const ErrorEntry& error) {
               auto one = event_entry_json(error.error);
               one.set("before", array_of(error.before, event_entry_json));
               one.set("after", array_of(error.after, event_entry_json));
               return one;
             }));
  return object;
}

json::Object to_json(const WorkflowTrace& trace) {
  json::Object object;
  object.set("report", "trace");
  object.set("id", trace.id);
  object.set("made_at", to_string(trace.made_at));
  object.set("runs", array_of(trace.runs, [](const TracedRun& run) {
               json::Object one;
               one.set("run_id", run.run_id);
               one.set("tenant_id", text_or_null(run.tenant_id));
               one.set("pipeline_id", run.pipeline_id);
               one.set("state", run.state);
               one.set("started_at", to_string(run.started_at));
               one.set("duration_ms", or_null(run.duration_ms));
               return one;
             }));
  object.set("total_events", trace.total_events);
  object.set("events", array_of(trace.events, event_entry_json));
  return object;
}

json::Object to_json(const ArtifactVersion& version) {
  json::Object object;
  object.set("path", version.path);
  object.set("version", version.version);
  object.set("sha256", version.sha256);
  object.set("pipeline_id", version.pipeline_id);
  object.set("node_id", text_or_null(version.node_id));
  object.set("agent_id", text_or_null(version.agent_id));
  object.set("run_id", version.run_id);
  object.set("tenant_id", text_or_null(version.tenant_id));
  object.set("written_at", to_string(version.written_at));
  object.set("bytes", version.bytes < 0 ? json::Value() : json::Value(version.bytes));
  object.set("is_newest", version.is_newest);
  object.set("review", version.review);
  object.set("reviewed_by", text_or_null(version.reviewed_by));
  object.set("reviewed_at",
             version.reviewed_at ? json::Value(to_string(*version.reviewed_at)) : json::Value());
  object.set("comments", array_of(version.comments));
  return object;
}

}  // namespace weir::report
