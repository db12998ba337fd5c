#include <algorithm>
#include <map>

#include "base/text.h"
#include "report/documents.h"
#include "report/format.h"
#include "report/svg.h"

namespace weir::report {
namespace {

using Kind = Column::Kind;

/// Of the table of failures: more columns are none that anybody reads.
constexpr std::size_t kMostErrorColumns = 6;
constexpr std::size_t kMostErrorRows = 10;

std::string whole(double value) { return grouped(static_cast<std::uint64_t>(value)); }

/// What became of those that have not completed, in words.
std::string others_of(const RunFigures& runs) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t number, const char* word) {
    if (number > 0) parts.push_back(grouped(number) + " " + word);
  };
  add(runs.completed, "completed");
  add(runs.failed, "failed");
  add(runs.cancelled, "cancelled");
  add(runs.running, "running");
  add(runs.interrupted, "interrupted");
  return text::join(parts);
}

Tile cache_tile(const NodeFigures& nodes) {
  const auto asked = nodes.cache_hits + nodes.cache_misses;
  if (asked == 0) {
    return {.label = "Cache hit ratio", .value = "–", .note = "no cache was asked"};
  }
  return {.label = "Cache hit ratio",
          .value = percent(static_cast<double>(nodes.cache_hits) / static_cast<double>(asked)),
          .note = grouped(nodes.cache_hits) + " of " + counted(asked, "answer")};
}

Tiles summary_tiles(const SummaryReport& report) {
  const auto& runs = report.runs;
  const auto& nodes = report.nodes;
  return {{{.label = "Runs", .value = grouped(runs.total), .note = others_of(runs)},
           {.label = "Success rate",
            .value = rate_text(runs.ended(), runs.success_rate()),
            .note = "of " + counted(runs.ended(), "run") + " that ended",
            .tone = success_tone(runs)},
           {.label = "Duration, median",
            .value = duration_text(runs.duration_ms, &Spread::median),
            .note = "p95 " + duration_text(runs.duration_ms, &Spread::p95) + ", longest " +
                    duration_text(runs.duration_ms, &Spread::max)},
           {.label = "Errors",
            .value = grouped(report.errors),
            .tone = report.errors > 0 ? Tone::kBad : Tone::kGood},
           {.label = "Node executions",
            .value = grouped(nodes.executions()),
            .note = grouped(nodes.failed) + " failed"},
           cache_tile(nodes),
           {.label = "Rows made",
            .value = nodes.rows > 0 ? short_number(static_cast<double>(nodes.rows)) : "–",
            .note = nodes.rows > 0 ? short_number(nodes.rows_per_second) + " a second" : ""},
           {.label = "Most memory of a node",
            .value = nodes.memory_bytes > 0 ? bytes_text(static_cast<double>(nodes.memory_bytes))
                                            : "–"}}};
}

PlotSeries series(const SummaryReport& report, const char* name, Ink ink,
                  std::uint64_t ReportBucket::* member) {
  PlotSeries one{.name = name, .ink = ink, .values = {}};
  for (const auto& bucket : report.buckets) {
    one.values.emplace_back(static_cast<double>(bucket.*member));
  }
  return one;
}

PlotSeries series(const SummaryReport& report, const char* name, Ink ink,
                  std::optional<double> ReportBucket::* member) {
  PlotSeries one{.name = name, .ink = ink, .values = {}};
  for (const auto& bucket : report.buckets) one.values.push_back(bucket.*member);
  return one;
}

TimeAxis time_axis_of(const SummaryReport& report) {
  TimeAxis axis{.width = report.bucket};
  for (const auto& bucket : report.buckets) axis.from.push_back(bucket.from);
  return axis;
}

/// "1 min", not "1 min 0 s".
std::string short_duration(double ms) {
  if (ms <= 0) return "0";
  auto words = text::duration(ms);
  for (const auto* zero : {" 0 s", " 0 min"}) {
    if (words.ends_with(zero)) words.erase(words.rfind(zero));
  }
  const auto end = words.find(' ');
  auto number = words.substr(0, end);
  if (number.contains('.')) {  // 1.00 s
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
  }
  return end == std::string::npos ? words : number + words.substr(end);
}

Plot runs_plot(const SummaryReport& report) {
  const std::vector<PlotSeries> all = {
      series(report, "completed", Ink::kGood, &ReportBucket::completed),
      series(report, "failed", Ink::kBad, &ReportBucket::failed),
      series(report, "cancelled", Ink::kWarn, &ReportBucket::cancelled),
      series(report, "open", Ink::kOpen, &ReportBucket::open)};
  PlotSeries sum{.name = "runs", .values = {}};
  for (const auto& bucket : report.buckets) {
    sum.values.emplace_back(
        static_cast<double>(bucket.completed + bucket.failed + bucket.cancelled + bucket.open));
  }
  return {.title = "Runs over time",
          .note = "begun in " +
                  short_duration(std::chrono::duration<double, std::milli>(report.bucket).count()) +
                  " each",
          .svg = stacked_bars(time_axis_of(report),
                              {.title = "runs", .text = whole, .is_whole = true}, all),
          .line = sparkline(sum.values)};
}

Plot durations_plot(const SummaryReport& report) {
  const std::vector<PlotSeries> all = {
      series(report, "95th percentile", Ink::kSecond, &ReportBucket::p95_ms),
      series(report, "median", Ink::kFirst, &ReportBucket::median_ms)};
  return {.title = "Durations over time",
          .note = "of runs, by when they began",
          .svg = lines(time_axis_of(report),
                       {.title = "duration", .text = short_duration, .is_duration = true}, all),
          .line = sparkline(all[1].values)};
}

Plot distribution_plot(const SummaryReport& report) {
  Histogram data{.x_title = "duration of a run", .x_text = short_duration};
  std::vector<std::optional<double>> values;
  for (const auto& bin : report.distribution) {
    data.edges.push_back(bin.from_ms);
    data.counts.push_back(static_cast<double>(bin.runs));
    values.emplace_back(static_cast<double>(bin.runs));
  }
  if (!report.distribution.empty()) data.edges.push_back(report.distribution.back().to_ms);
  return {.title = "Distribution of durations",
          .note = "",
          .svg = histogram(data, {.title = "runs", .text = whole, .is_whole = true}),
          .line = sparkline(values)};
}

Plot concurrency_plot(const SummaryReport& report) {
  const std::vector<PlotSeries> all = {
      series(report, "nodes", Ink::kSecond, &ReportBucket::most_nodes),
      series(report, "runs", Ink::kFirst, &ReportBucket::most_runs)};
  return {.title = "Concurrency",
          .note = "the most at the same time",
          .svg = steps(time_axis_of(report), {.title = "at work", .text = whole, .is_whole = true},
                       all),
          .line = sparkline(all[1].values)};
}

Table pipelines_table(const SummaryReport& report) {
  Table table{.columns = {{"pipeline"},
                          {"runs", Kind::kNumber},
                          {"success", Kind::kNumber},
                          {"failed", Kind::kNumber},
                          {"average", Kind::kNumber},
                          {"median", Kind::kNumber},
                          {"p95", Kind::kNumber}},
              .empty = "No run in this window."};
  std::uint64_t shown = 0;
  const double most =
      report.pipelines.empty() ? 1 : static_cast<double>(report.pipelines.front().runs.total);
  for (const auto& [id, runs] : report.pipelines) {
    shown += runs.total;
    table.rows.push_back(
        {{.text = id, .bar = static_cast<double>(runs.total) / most},
         {.text = grouped(runs.total)},
         {.text = rate_text(runs.ended(), runs.success_rate()),
          .tone = runs.ended() > 0 && runs.completed == runs.ended() ? Tone::kGood : Tone::kPlain},
         {.text = grouped(runs.failed), .tone = runs.failed > 0 ? Tone::kBad : Tone::kMuted},
         {.text = duration_text(runs.duration_ms, &Spread::average)},
         {.text = duration_text(runs.duration_ms, &Spread::median)},
         {.text = duration_text(runs.duration_ms, &Spread::p95)}});
  }
  if (shown < report.runs.total) {
    table.note = "… and " + grouped(report.runs.total - shown) + " runs of other pipelines.";
  }
  return table;
}

Table nodes_table(const SummaryReport& report) {
  Table table{.columns = {{"node"},
                          {"pipeline"},
                          {"executions", Kind::kNumber},
                          {"failed", Kind::kNumber},
                          {"median", Kind::kNumber},
                          {"p95", Kind::kNumber},
                          {"longest", Kind::kNumber},
                          {"rows/s", Kind::kNumber},
                          {"memory", Kind::kNumber}},
              .empty = "No node has ended in this window."};
  const double most = report.slowest_nodes.empty()
                          ? 1
                          : std::max(report.slowest_nodes.front().duration_ms.p95, 1e-9);
  for (const auto& node : report.slowest_nodes) {
    table.rows.push_back(
        {{.text = node.node_id, .bar = node.duration_ms.p95 / most},
         {.text = node.pipeline_id, .tone = Tone::kMuted},
         {.text = grouped(node.executions())},
         {.text = grouped(node.failed), .tone = node.failed > 0 ? Tone::kBad : Tone::kMuted},
         {.text = duration_text(node.duration_ms, &Spread::median)},
         {.text = duration_text(node.duration_ms, &Spread::p95)},
         {.text = duration_text(node.duration_ms, &Spread::max)},
         {.text = node.rows_per_second > 0 ? short_number(node.rows_per_second) : "–"},
         {.text =
              node.memory_bytes > 0 ? bytes_text(static_cast<double>(node.memory_bytes)) : "–"}});
  }
  return table;
}

/// Nodes down, types of errors across, the most frequent first.
Table failures_table(const SummaryReport& report) {
  Table table{.columns = {{"node"}, {"pipeline"}}, .empty = "No node failed in this window."};
  std::vector<std::string> types;
  std::vector<std::pair<std::string, std::string>> nodes;
  std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t> counts;
  std::uint64_t most = 1, total = 0, shown = 0;
  for (const auto& [pipeline, node, type, count] : report.errors_of_nodes) {
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
    const std::pair name(pipeline, node);
    if (std::ranges::find(nodes, name) == nodes.end()) nodes.push_back(name);
    counts[{pipeline, node, type}] = count;
    most = std::max(most, count);
    total += count;
  }
  types.resize(std::min(types.size(), kMostErrorColumns));
  nodes.resize(std::min(nodes.size(), kMostErrorRows));
  for (const auto& type : types) table.columns.push_back({type, Kind::kNumber});
  for (const auto& [pipeline, node] : nodes) {
    auto& row = table.rows.emplace_back();
    row.push_back({.text = node});
    row.push_back({.text = pipeline, .tone = Tone::kMuted});
    for (const auto& type : types) {
      const auto found = counts.find({pipeline, node, type});
      if (found == counts.end()) {
        row.push_back({.text = "·", .tone = Tone::kMuted});
        continue;
      }
      shown += found->second;
      row.push_back({.text = grouped(found->second),
                     .heat = static_cast<double>(found->second) / static_cast<double>(most)});
    }
  }
  if (shown < total) table.note = "… and " + grouped(total - shown) + " other failures.";
  return table;
}

}  // namespace

Document to_document(const SummaryReport& report) {
  Document document{.title = "Summary of runs", .facts = facts_of(report.window)};
  if (report.runs.total == 0) {
    document.subtitle = "No run began in this window.";
    if (report.errors == 0 && report.agents.empty() && report.artifacts.created == 0) {
      document.sections.push_back(
          {.title = "",
           .blocks = {Paragraph{.text = "A longer window may have some: --since 7d, or an earlier "
                                        "date.",
                                .tone = Tone::kMuted}}});
      return document;
    }
  } else {
    document.subtitle =
        counted(report.runs.total, "run") + " of " + counted(report.workflows, "workflow");
    document.sections.push_back({.title = "Overview", .blocks = {summary_tiles(report)}});
    document.sections.push_back(
        {.title = "Over time",
         .blocks = {Plots{{runs_plot(report), durations_plot(report), distribution_plot(report),
                           concurrency_plot(report)}}}});
    document.sections.push_back({.title = "Pipelines", .blocks = {pipelines_table(report)}});
    document.sections.push_back({.title = "Slowest nodes", .blocks = {nodes_table(report)}});
  }
  if (!report.agents.empty()) {
    document.sections.push_back({.title = "Agents", .blocks = {agents_table(report.agents)}});
  }
  document.sections.push_back(
      {.title = "Errors by type", .blocks = {errors_table(report.errors, report.errors_by_type)}});
  if (!report.errors_of_nodes.empty()) {
    document.sections.push_back(
        {.title = "Failures by node and type", .blocks = {failures_table(report)}});
  }
  if (report.artifacts.created > 0) {
    document.sections.push_back(
        {.title = "Artifacts", .blocks = {artifact_tiles(report.artifacts)}});
  }
  return document;
}

}  // namespace weir::report
