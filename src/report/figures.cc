#include "report/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

#include "log/run_lock.h"
#include "report/query.h"
#include "report/svg.h"
#include "report/time_ticks.h"
#include "store/query.h"

namespace weir::report {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;

constexpr std::size_t kMostRows = 15;  // a report is read, not searched
constexpr std::size_t kMostBuckets = 48;
constexpr int kFewestBuckets = 12;
constexpr std::size_t kMostArtifacts = 100'000;

/// Opens the store's queries and tells them what runs now.
Result<Queries> open_queries(const Source& source) {
  std::vector<std::string> owned;
  for (const auto& run : log::RunLock::held(source.store)) owned.push_back(run.text());
  WEIR_TRY(auto queries, Queries::open(source.store, source.bad));
  WEIR_TRY(queries.set("owned", list_text(owned)));
  WEIR_TRY(queries.set("most", std::to_string(kMostRows)));
  return queries;
}

Result<void> set_window(Queries& queries, const ReportWindow& window) {
  WEIR_TRY(queries.set("since", to_string(window.since)));
  WEIR_TRY(queries.set("until", to_string(window.until)));
  WEIR_TRY(queries.set_some("pipeline_id", window.pipeline_id));
  return queries.set_some("tenant_id", window.tenant_id);
}

/// The same, and makes the tables that the other queries ask.
Result<Queries> open_window(const Source& source, const ReportWindow& window) {
  WEIR_TRY(auto queries, open_queries(source));
  WEIR_TRY(set_window(queries, window));
  for (const auto* table : {"00-runs", "01-attempts", "02-errors"}) WEIR_TRY(queries.ask(table));
  return queries;
}

RunFigures run_figures(const Row& row) {
  return {.total = row.count("total"),
          .completed = row.count("completed"),
          .failed = row.count("failed"),
          .cancelled = row.count("cancelled"),
          .running = row.count("running"),
          .interrupted = row.count("interrupted"),
          .duration_ms = row.spread()};
}

NodeFigures node_figures(const Row& row) {
  return {.pipeline_id = row.text("pipeline_id"),
          .node_id = row.text("node_id"),
          .completed = row.count("completed"),
          .failed = row.count("failed"),
          .cancelled = row.count("cancelled"),
          .cache_hits = row.count("cache_hits"),
          .cache_misses = row.count("cache_misses"),
          .rows = row.count("rows"),
          .memory_bytes = row.count("memory_bytes"),
          .rows_per_second = row.number("rows_per_second").value_or(0),
          .duration_ms = row.spread()};
}

Result<std::vector<AgentStats>> read_agents(Queries& queries) {
  WEIR_TRY(const auto rows, queries.ask("agents"));
  std::vector<AgentStats> all;
  all.reserve(rows.size());
  for (const auto& row : rows) {
    all.push_back({.agent_id = row.text("agent_id"),
                   .runs = row.count("runs"),
                   .success = row.count("success"),
                   .failure = row.count("failure"),
                   .partial = row.count("partial"),
                   .timeout = row.count("timeout"),
                   .other = row.count("other"),
                   .duration_ms = row.spread(),
                   .input_tokens = row.count("input_tokens"),
                   .output_tokens = row.count("output_tokens"),
                   .cost_usd = row.number("cost_usd").value_or(0),
                   .citations = row.number("citations"),
                   .words = row.number("words"),
                   .completeness = row.number("completeness"),
                   .uncertain_areas = row.count("uncertain_areas"),
                   .versions = row.texts("versions"),
                   .models = row.texts("models"),
                   .last_run_at = row.moment("last_run_at")});
  }
  return all;
}

/// All of them, and each type's.
struct Errors {
  std::uint64_t total = 0;
  std::uint64_t types = 0;
  std::vector<ErrorCount> by_type{};
};

Result<Errors> read_errors(Queries& queries) {
  WEIR_TRY(const auto rows, queries.ask("error-types"));
  Errors errors{.total = rows.at(0).count("count"), .types = rows[0].count("types")};
  for (const auto& row : rows | std::views::drop(1)) {
    errors.by_type.push_back({row.text("type"), row.count("count"), row.moment("last_at")});
  }
  return errors;
}

Result<ArtifactCounts> read_artifacts(Queries& queries) {
  WEIR_TRY(const auto rows, queries.ask("artifacts"));
  ArtifactCounts counts{.created = rows.at(0).count("created"),
                        .approved = rows.at(0).count("approved"),
                        .rejected = rows.at(0).count("rejected")};
  counts.pending = counts.created - counts.approved - counts.rejected;
  return counts;
}

/// The runs of all pipelines and of each.
Result<void> read_runs(Queries& queries, SummaryReport& report) {
  WEIR_TRY(const auto rows, queries.ask("runs"));
  report.runs = run_figures(rows.at(0));
  report.workflows = rows[0].count("workflows");
  report.pipeline_count = rows[0].count("pipelines");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    report.pipelines.push_back({rows[i].text("pipeline_id"), run_figures(rows[i])});
  }
  return {};
}

Result<void> read_nodes(Queries& queries, SummaryReport& report) {
  WEIR_TRY(const auto rows, queries.ask("nodes"));
  if (!rows.empty()) report.node_count = rows.front().count("nodes");
  for (const auto& row : rows) {
    auto figures = node_figures(row);
    if (&row == &rows.front()) {
      report.nodes = std::move(figures);
    } else {
      report.slowest_nodes.push_back(std::move(figures));
    }
  }
  WEIR_TRY(const auto failures, queries.ask("node-errors"));
  if (!failures.empty()) report.error_of_node_count = failures.front().count("total");
  for (const auto& row : failures) {
    report.errors_of_nodes.push_back(
        {row.text("pipeline_id"), row.text("node_id"), row.text("type"), row.count("count")});
  }
  return {};
}

/// What the plots show: the window, or, where the runs take less than an eighth of it, them alone.
struct Extent {
  Timestamp begin;
  microseconds width;
  std::size_t count;
};

Extent extent_of(const ReportWindow& window, Timestamp first, Timestamp last) {
  constexpr int kMuchLonger = 8;
  auto begin = window.since, end = window.until;
  first = std::max(first, begin);
  last = std::max(std::min(last, end), first);
  if ((last - first) * kMuchLonger < end - begin) {
    const auto width = round_width(first, last + microseconds(1), kMostBuckets);
    const auto missing = width * kFewestBuckets - (last - first);
    const auto margin = std::max<microseconds>(missing / 2, width);
    begin = std::max(begin, first - margin);
    end = std::min(end, last + margin);
  }
  const auto width = round_width(begin, end, kMostBuckets);
  begin = Timestamp(begin.time_since_epoch() / width * width);
  const auto count = (end - begin + width - microseconds(1)) / width;
  return {begin, width, static_cast<std::size_t>(std::max<std::int64_t>(count, 1))};
}

std::size_t bucket_of(const Row& row, const Extent& extent) {
  const auto bucket = std::max<std::int64_t>(row.integer("bucket").value_or(0), 0);
  return std::min(static_cast<std::size_t>(bucket), extent.count - 1);
}

/// Between changes the level stays as it is.
Result<void> read_concurrency(Queries& queries, const Extent& extent,
                              std::vector<ReportBucket>& buckets) {
  WEIR_TRY(const auto rows, queries.ask("concurrency"));
  for (const auto& [kind, most] : {std::pair("runs", &ReportBucket::most_runs),
                                   std::pair("nodes", &ReportBucket::most_nodes)}) {
    std::uint64_t level = 0;
    std::size_t next = 0;
    for (const auto& row : rows) {
      if (row.text("kind") != kind) continue;
      const auto place = bucket_of(row, extent);
      for (; next <= place; ++next) buckets[next].*most = level;
      buckets[place].*most = std::max(buckets[place].*most, row.count("most"));
      level = row.count("last");
    }
    for (; next < buckets.size(); ++next) buckets[next].*most = level;
  }
  return {};
}

Result<void> read_buckets(Queries& queries, SummaryReport& report) {
  WEIR_TRY(const auto ends, queries.ask("extent"));
  const auto extent =
      report.runs.total == 0
          ? extent_of(report.window, report.window.since, report.window.until)
          : extent_of(report.window, ends.at(0).moment("first"), ends.at(0).moment("last"));
  WEIR_TRY(queries.set("bucket_begin", std::to_string(extent.begin.time_since_epoch().count())));
  WEIR_TRY(queries.set("bucket_us", std::to_string(extent.width.count())));
  report.bucket = extent.width;
  for (std::size_t i = 0; i < extent.count; ++i) {
    report.buckets.push_back({.from = extent.begin + extent.width * static_cast<std::int64_t>(i)});
  }
  WEIR_TRY(const auto rows, queries.ask("buckets"));
  for (const auto& row : rows) {
    auto& bucket = report.buckets[bucket_of(row, extent)];
    bucket.completed = row.count("completed");
    bucket.failed = row.count("failed");
    bucket.cancelled = row.count("cancelled");
    bucket.open = row.count("open");
    bucket.median_ms = row.number("median_ms");
    bucket.p95_ms = row.number("p95_ms");
  }
  return read_concurrency(queries, extent, report.buckets);
}

Result<void> read_distribution(Queries& queries, SummaryReport& report) {
  const auto& spread = report.runs.duration_ms;
  if (spread.count == 0) return {};
  const auto edges = bin_edges(spread.min, spread.max);
  std::vector<std::string> texts;
  texts.reserve(edges.size());
  for (const double edge : edges) texts.push_back(json::to_text(edge));
  WEIR_TRY(queries.set("edges", list_text(texts)));
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    report.distribution.push_back({edges[i], edges[i + 1], 0});
  }
  WEIR_TRY(const auto rows, queries.ask("distribution"));
  for (const auto& row : rows) {
    const auto bin = static_cast<std::size_t>(std::max(row.number("bin").value_or(0), 0.0));
    report.distribution.at(std::min(bin, report.distribution.size() - 1)).runs += row.count("runs");
  }
  return {};
}

}  // namespace

Result<ReportWindow> window_of(const ReportScope& scope, Timestamp now) {
  ReportWindow window{
      .made_at = now, .pipeline_id = scope.pipeline_id, .tenant_id = scope.tenant_id};
  window.until = scope.until.value_or(now);
  window.since = scope.since.value_or(window.until - hours(24));
  if (window.since < window.until) return window;
  return fail(ErrorCode::kInvalidInput, "the window ends at " + to_string(window.until) +
                                            ", before it begins at " + to_string(window.since));
}

ReportScope day_of(Timestamp moment) {
  const auto day = std::chrono::floor<days>(moment);
  return {.since = Timestamp(day), .until = Timestamp(day + days(1))};
}

std::vector<double> bin_edges(double min_ms, double max_ms) {
  constexpr double kWide = 10, kSmallest = 0.001, kBars = 12;
  min_ms = std::max(min_ms, kSmallest);
  max_ms = std::max(max_ms, min_ms);
  std::vector<double> edges;
  if (max_ms > min_ms * kWide) {
    const int first = static_cast<int>(std::floor(std::log10(min_ms)));
    for (int power = first; edges.empty() || edges.back() <= max_ms; ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double edge = factor * std::pow(10, power);
        if (!edges.empty() && edges.back() > max_ms) break;
        if (edge <= min_ms) edges.clear();
        edges.push_back(edge);
      }
    }
    return edges;
  }
  // The ticks of an axis of half as many: bars of such a width.
  const double range = std::max(max_ms - min_ms, max_ms / kBars);
  const double width = round_ticks(range * 5 / kBars, false).at(1);
  for (double i = std::floor(min_ms / width); edges.empty() || edges.back() <= max_ms; ++i) {
    edges.push_back(width * i);
  }
  if (edges.size() < 2) edges.push_back(edges.back() + width);
  return edges;
}

namespace {

Result<SummaryReport> read_summary(const Source& source, const ReportScope& scope) {
  SummaryReport report;
  WEIR_TRY(report.window, window_of(scope, source.clock.now()));
  WEIR_TRY(auto queries, open_window(source, report.window));
  WEIR_TRY(read_runs(queries, report));
  WEIR_TRY(read_nodes(queries, report));
  WEIR_TRY(report.agents, read_agents(queries));
  WEIR_TRY(report.artifacts, read_artifacts(queries));
  WEIR_TRY(auto errors, read_errors(queries));
  report.errors = errors.total;
  report.errors_by_type = std::move(errors.by_type);
  report.error_type_count = errors.types;
  WEIR_TRY(read_buckets(queries, report));
  WEIR_TRY(read_distribution(queries, report));
  return report;
}

Result<DailySummary> read_day(const Source& source, const ReportScope& day) {
  DailySummary report;
  WEIR_TRY(report.window, window_of(day, source.clock.now()));
  report.date = to_string(report.window.since).substr(0, 10);
  WEIR_TRY(auto queries, open_window(source, report.window));
  SummaryReport runs;
  WEIR_TRY(read_runs(queries, runs));
  report.runs = runs.runs;
  report.workflows = runs.workflows;
  WEIR_TRY(report.agents, read_agents(queries));
  WEIR_TRY(auto errors, read_errors(queries));
  report.errors = errors.total;
  report.errors_by_type = std::move(errors.by_type);
  WEIR_TRY(report.artifacts, read_artifacts(queries));
  return report;
}

Result<AgentReport> read_agents_of(const Source& source, const std::string& agent_id,
                                   const ReportScope& scope) {
  AgentReport report;
  WEIR_TRY(report.window, window_of(scope, source.clock.now()));
  WEIR_TRY(auto queries, open_queries(source));
  WEIR_TRY(set_window(queries, report.window));
  WEIR_TRY(queries.set_some("agent_id", agent_id));
  WEIR_TRY(report.agents, read_agents(queries));
  if (!agent_id.empty() && report.agents.empty()) {
    return fail(ErrorCode::kNotFound, "no run of an agent '" + agent_id + "' from " +
                                          to_string(report.window.since) + " to " +
                                          to_string(report.window.until));
  }
  return report;
}

EventEntry entry_of(const Row& row) {
  return {.at = row.moment("moment"),
          .run_id = row.text("run_id"),
          .run_seq = row.integer("run_seq").value_or(0),
          .pipeline_id = row.text("pipeline_id"),
          .event_type = row.text("event_type"),
          .level = row.text("level"),
          .node_id = row.text("node_id"),
          .attempt = row.integer("attempt").value_or(0),
          .agent_id = row.text("agent_id"),
          .duration_ms = row.number("duration_ms"),
          .error_type = row.text("error_type"),
          .text = row.text("text")};
}

Result<ErrorReport> read_recent_errors(const Source& source, std::size_t limit,
                                       const ReportScope& scope) {
  ErrorReport report;
  WEIR_TRY(report.window, window_of(scope, source.clock.now()));
  WEIR_TRY(auto queries, open_queries(source));
  WEIR_TRY(set_window(queries, report.window));
  WEIR_TRY(queries.set("limit", std::to_string(limit)));
  for (const auto* view : {"02-errors", "03-entries"}) WEIR_TRY(queries.ask(view));
  WEIR_TRY(const auto errors, read_errors(queries));
  report.total = errors.total;
  WEIR_TRY(const auto places, queries.ask("recent-errors"));
  for (const auto& place : places) {
    const auto seq = place.integer("run_seq").value_or(0);
    WEIR_TRY(queries.set("run_id", place.text("run_id")));
    WEIR_TRY(queries.set("run_tenant", place.text("tenant_id")));
    WEIR_TRY(queries.set("run_seq", std::to_string(seq)));
    WEIR_TRY(const auto rows, queries.ask("error-context"));
    ErrorEntry error;
    for (const auto& row : rows) {
      auto entry = entry_of(row);
      if (entry.run_seq == seq) {
        error.error = std::move(entry);
      } else {
        (entry.run_seq < seq ? error.before : error.after).push_back(std::move(entry));
      }
    }
    report.errors.push_back(std::move(error));
  }
  return report;
}

Result<WorkflowTrace> read_trace(const Source& source, const std::string& id, std::size_t limit,
                                 const std::optional<std::string>& tenant) {
  WorkflowTrace trace{.id = id, .made_at = source.clock.now()};
  WEIR_TRY(auto queries, open_queries(source));
  WEIR_TRY(queries.set("id", id));
  if (tenant) WEIR_TRY(queries.set("run_tenant", *tenant));
  for (const auto* table : {"03-entries", "04-traced"}) WEIR_TRY(queries.ask(table));
  WEIR_TRY(const auto runs, queries.ask("traced-runs"));
  if (runs.empty()) {
    return fail(ErrorCode::kNotFound, "the store has no run and no workflow '" + id + "'");
  }
  for (const auto& row : runs) {
    trace.runs.push_back({.run_id = row.text("run_id"),
                          .tenant_id = row.text("tenant_id"),
                          .pipeline_id = row.text("pipeline_id"),
                          .state = row.text("state"),
                          .started_at = row.moment("started_at"),
                          .duration_ms = row.number("duration_ms")});
  }
  const auto most =
      limit == 0 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(limit);
  WEIR_TRY(queries.set("limit", std::to_string(most)));
  WEIR_TRY(const auto events, queries.ask("traced-events"));
  trace.events.reserve(events.size());
  for (const auto& row : events) trace.events.push_back(entry_of(row));
  trace.total_events = events.empty() ? 0 : events.front().count("total");
  return trace;
}

Result<std::vector<ArtifactVersion>> read_history(const Source& source,
                                                  const ArtifactScope& scope) {
  WEIR_TRY(auto queries, open_queries(source));
  WEIR_TRY(queries.set_some("path", scope.path));
  WEIR_TRY(queries.set_some("sha256", scope.sha256));
  WEIR_TRY(queries.set_some("run_id", scope.run_id));
  WEIR_TRY(queries.set("limit", std::to_string(kMostArtifacts)));
  WEIR_TRY(const auto rows, queries.ask("artifact-versions"));
  if (rows.empty() && !(scope.path.empty() && scope.sha256.empty())) {
    return fail(ErrorCode::kNotFound, "the store has no artifact '" +
                                          (scope.path.empty() ? scope.sha256 : scope.path) + "'");
  }
  std::vector<ArtifactVersion> versions;
  versions.reserve(rows.size());
  for (const auto& row : rows) {
    versions.push_back({.path = row.text("path"),
                        .version = row.integer("version").value_or(0),
                        .sha256 = row.text("sha256"),
                        .pipeline_id = row.text("pipeline_id"),
                        .node_id = row.text("node_id"),
                        .agent_id = row.text("agent_id"),
                        .run_id = row.text("run_id"),
                        .tenant_id = row.text("tenant_id"),
                        .written_at = row.moment("written_at"),
                        .bytes = row.integer("bytes").value_or(-1),
                        .is_newest = row.is_true("is_newest"),
                        .review = row.text("review"),
                        .reviewed_by = row.text("reviewed_by"),
                        .reviewed_at = row.integer("reviewed_at")
                                           ? std::optional(row.moment("reviewed_at"))
                                           : std::nullopt,
                        .comments = row.texts("comments")});
  }
  return versions;
}

/// What `read` gives, of what is not damaged.
template <class Read>
std::invoke_result_t<Read> past_damage(const Source& source, const Read& read) {
  return store::past_damage(source.store, *source.bad, read);
}

}  // namespace

Result<SummaryReport> summary(const Source& source, const ReportScope& scope) {
  return past_damage(source, [&] { return read_summary(source, scope); });
}

Result<DailySummary> daily_summary(const Source& source, const ReportScope& day) {
  return past_damage(source, [&] { return read_day(source, day); });
}

Result<AgentReport> agents(const Source& source, const std::string& agent_id,
                           const ReportScope& scope) {
  return past_damage(source, [&] { return read_agents_of(source, agent_id, scope); });
}

Result<ErrorReport> recent_errors(const Source& source, std::size_t limit,
                                  const ReportScope& scope) {
  return past_damage(source, [&] { return read_recent_errors(source, limit, scope); });
}

Result<WorkflowTrace> workflow_trace(const Source& source, const std::string& id, std::size_t limit,
                                     const std::optional<std::string>& tenant) {
  return past_damage(source, [&] { return read_trace(source, id, limit, tenant); });
}

Result<std::vector<ArtifactVersion>> artifact_history(const Source& source,
                                                      const ArtifactScope& scope) {
  return past_damage(source, [&] { return read_history(source, scope); });
}

}  // namespace weir::report
