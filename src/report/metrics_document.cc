#include "report/metrics_document.h"

#include <algorithm>

#include "base/text.h"
#include "report/document.h"
#include "report/format.h"
#include "report/html.h"

namespace weir::report {
namespace {

using Kind = Column::Kind;

std::string time_of(const project::Statistics& duration_ms, double value) {
  return duration_ms.count == 0 ? "–" : text::duration(value);
}

Table metrics_table(const project::RunMetrics::Series& series, const char* name) {
  Table table{.columns = {{name},
                          {"executions", Kind::kNumber},
                          {"failed", Kind::kNumber},
                          {"retries", Kind::kNumber},
                          {"average", Kind::kNumber},
                          {"shortest", Kind::kNumber},
                          {"longest", Kind::kNumber},
                          {"cache hits", Kind::kNumber},
                          {"rows/s", Kind::kNumber},
                          {"memory", Kind::kNumber}},
              .empty = "None."};
  for (const auto& [key, work] : series) {
    const auto& duration = work.duration_ms;
    const auto asked = work.cache_hits + work.cache_misses;
    table.rows.push_back(
        {{.text = key.second.empty() ? key.first : key.first + " / " + key.second},
         {.text = grouped(work.executions())},
         {.text = grouped(work.failed), .tone = work.failed > 0 ? Tone::kBad : Tone::kMuted},
         {.text = grouped(work.retries), .tone = work.retries > 0 ? Tone::kWarn : Tone::kMuted},
         {.text = time_of(duration, duration.average())},
         {.text = time_of(duration, duration.min)},
         {.text = time_of(duration, duration.max)},
         {.text = asked == 0 ? "–" : percent(work.cache_hit_rate())},
         {.text =
              work.rows_per_second.count == 0 ? "–" : short_number(work.rows_per_second.average())},
         {.text = work.memory_bytes.count == 0 ? "–" : bytes_text(work.memory_bytes.max)}});
  }
  return table;
}

}  // namespace

std::string render_metrics(const project::RunMetrics& metrics, Timestamp now, ReportFormat format) {
  const auto summary = metrics.summary(now);
  const auto& total = metrics.total();
  const auto asked = total.cache_hits + total.cache_misses;
  Document document{.title = "Metrics", .facts = {{"Made", moment(now)}}};
  document.sections.push_back(
      {.title = "Summary",
       .blocks = {Tiles{
           {{.label = "Since the first event",
             .value = text::duration(summary.uptime_seconds * 1000)},
            {.label = "Values measured", .value = grouped(summary.total_metrics)},
            {.label = "Cache hit ratio",
             .value = asked == 0 ? "–" : percent(summary.cache_hit_rate)},
            {.label = "Error rate",
             .value = total.executions() == 0 ? "–" : percent(summary.error_rate),
             .tone = total.failed > 0 ? Tone::kBad : Tone::kPlain},
            {.label = "Rows a second",
             .value = total.rows_per_second.count == 0 ? "–"
                                                       : short_number(summary.avg_throughput)}}}}});
  document.sections.push_back(
      {.title = "Pipelines", .blocks = {metrics_table(metrics.pipelines(), "pipeline")}});
  document.sections.push_back(
      {.title = "Nodes", .blocks = {metrics_table(metrics.nodes(), "node")}});
  document.sections.push_back(
      {.title = "Tools", .blocks = {metrics_table(metrics.tools(), "tool")}});
  return format == ReportFormat::kHtml ? to_html(document) : to_markdown(document);
}

}  // namespace weir::report
