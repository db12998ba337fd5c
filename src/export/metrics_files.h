#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "project/run_metrics.h"

/// The metrics of runs as ODIBI CORE's exporter gives them, in valid forms. `now` is when they are
/// exported; up to it the uptime counts.
namespace weir::exporting {

/// Prometheus's text format 0.0.4. Names begin with `weir_`; times are seconds, rates 0 to 1. Each
/// family of series comes three times, as `weir_pipeline_…{pipeline}`, `weir_tool_…{plugin,tool}`
/// and `weir_node_…{pipeline,node}`; totals over all nodes have ODIBI CORE's names.
[[nodiscard]] std::string to_prometheus(const project::RunMetrics& metrics, Timestamp now);

/// ODIBI CORE's JSON: export_time, summary, aggregations by type of metric, by_node, counters and
/// gauges keyed "type:pipeline/node". A counter's value is its total, any other's the average.
[[nodiscard]] json::Object to_json(const project::RunMetrics& metrics, Timestamp now);

/// A row of the Parquet file: docs/formats/metrics.md.
struct MetricRow {
  std::string metric_type;
  std::string name;  ///< the node
  double value = 0;  ///< a counter's total, any other's average
  Timestamp timestamp{};
  std::string pipeline;
  std::string error_type;                       ///< of error_count
  std::optional<project::Statistics> values{};  ///< of what is no counter, in the type's unit
};
/// ODIBI CORE's data frame: the metrics of all nodes, one a row.
[[nodiscard]] std::vector<MetricRow> metric_rows(const project::RunMetrics& metrics);

/// The same rows as a Parquet file. Errors: kUnavailable (no DuckDB); kIo, kExhausted (the
/// temporary file).
[[nodiscard]] Result<std::string> to_parquet(const project::RunMetrics& metrics);

/// ODIBI CORE's get_node_summary: node_name, total_executions, avg_duration_ms, min_duration_ms,
/// max_duration_ms, avg_throughput. Empty for a node that was not seen.
[[nodiscard]] json::Object node_summary(const project::RunMetrics& metrics,
                                        std::string_view pipeline_id, std::string_view node_id);

/// ODIBI CORE's report, for people; names without control characters.
[[nodiscard]] std::string metrics_report(const project::RunMetrics& metrics, Timestamp now);

enum class MetricsFormat : std::uint8_t { kJson, kPrometheus, kParquet };
/// "json", "prom", "parquet"
[[nodiscard]] std::string_view extension(MetricsFormat format);

/// Writes `metrics_<time>.json`, `.prom` and `.parquet` into the folder, which is made if need be;
/// the time is UTC with microseconds, "20260105_030000_000001", and a second file of that name gets
/// "_2". Each file appears whole, never in the place of another. Returns the paths in the order of
/// `formats`. Errors: kIo, kExhausted; kUnavailable (Parquet, and no DuckDB).
[[nodiscard]] Result<std::vector<std::filesystem::path>> save_metrics(
    const project::RunMetrics& metrics, const std::filesystem::path& folder,
    std::span<const MetricsFormat> formats, Timestamp now);

}  // namespace weir::exporting
