#include "export/metrics_files.h"

#include <system_error>

#include "base/file.h"
#include "base/id.h"

namespace weir::exporting {
namespace {

using project::RunMetrics;
using project::Statistics;
using project::WorkMetrics;

/// So many files of one microsecond: more is a folder that somebody filled.
constexpr int kMaxSameName = 1000;

/// ODIBI CORE's names of metrics, and where ours are.
struct Counter {
  std::string_view type;
  std::uint64_t WorkMetrics::* value;
};
constexpr Counter kCounters[] = {
    {"success_count", &WorkMetrics::completed},   {"failure_count", &WorkMetrics::failed},
    {"cancelled_count", &WorkMetrics::cancelled}, {"retry_count", &WorkMetrics::retries},
    {"cache_hit", &WorkMetrics::cache_hits},      {"cache_miss", &WorkMetrics::cache_misses}};
struct Measurement {
  std::string_view type;
  Statistics WorkMetrics::* values;
  double unit;  ///< of ours, in one of the name's
};
constexpr Measurement kMeasurements[] = {
    {"node_duration_ms", &WorkMetrics::duration_ms, 1},
    {"throughput_rows_per_sec", &WorkMetrics::rows_per_second, 1},
    {"memory_usage_mb", &WorkMetrics::memory_bytes, 1 << 20}};

json::Object summary_of(const project::MetricsSummary& summary) {
  json::Object object;
  object.set("total_metrics", summary.total_metrics);
  object.set("uptime_seconds", summary.uptime_seconds);
  object.set("cache_hit_rate", summary.cache_hit_rate);
  object.set("error_rate", summary.error_rate);
  object.set("avg_throughput", summary.avg_throughput);
  return object;
}

json::Object aggregations_of(const WorkMetrics& total) {
  json::Object all;
  for (const auto& [type, values, unit] : kMeasurements) {
    const auto& statistics = total.*values;
    if (statistics.count == 0) continue;
    json::Object object;
    object.set("count", statistics.count);
    object.set("sum", statistics.sum / unit);
    object.set("min", statistics.min / unit);
    object.set("max", statistics.max / unit);
    object.set("avg", statistics.average() / unit);
    all.set(type, std::move(object));
  }
  return all;
}

/// In the unit of the type's name.
Statistics in_unit(Statistics values, double unit) {
  values.sum /= unit;
  values.min /= unit;
  values.max /= unit;
  return values;
}

std::vector<MetricRow> rows_of(const RunMetrics::Key& key, const WorkMetrics& work) {
  std::vector<MetricRow> rows;
  const auto add = [&](std::string_view type, double value) -> MetricRow& {
    return rows.emplace_back(MetricRow{.metric_type = std::string(type),
                                       .name = key.second,
                                       .value = value,
                                       .timestamp = work.last_at,
                                       .pipeline = key.first,
                                       .error_type = {}});
  };
  for (const auto& [type, values, unit] : kMeasurements) {
    const auto statistics = in_unit(work.*values, unit);
    if (statistics.count > 0) add(type, statistics.average()).values = statistics;
  }
  for (const auto& [type, counter] : kCounters) {
    if (work.*counter > 0) add(type, static_cast<double>(work.*counter));
  }
  for (const auto& [error, count] : work.errors) {
    add("error_count", static_cast<double>(count)).error_type = error;
  }
  return rows;
}

/// A counter is a whole number.
json::Value value_of(const MetricRow& row) {
  return row.values ? json::Value(row.value) : json::Value(static_cast<std::uint64_t>(row.value));
}

json::Array metrics_of(const RunMetrics::Key& key, const WorkMetrics& work) {
  json::Array all;
  for (const auto& row : rows_of(key, work)) {
    json::Object object, labels;
    if (!row.error_type.empty()) labels.set("error_type", row.error_type);
    object.set("type", row.metric_type);
    object.set("value", value_of(row));
    object.set("timestamp", to_string(row.timestamp));
    object.set("labels", std::move(labels));
    all.emplace_back(std::move(object));
  }
  return all;
}

json::Array by_node(const RunMetrics& metrics) {
  json::Array all;
  for (const auto& [key, work] : metrics.nodes()) {
    json::Object node;
    node.set("pipeline_id", key.first);
    node.set("node_name", key.second);
    node.set("metrics", metrics_of(key, work));
    all.emplace_back(std::move(node));
  }
  return all;
}

Result<std::string> content_of(const RunMetrics& metrics, MetricsFormat format, Timestamp now) {
  if (format == MetricsFormat::kPrometheus) return to_prometheus(metrics, now);
  if (format == MetricsFormat::kParquet) return to_parquet(metrics);
  return json::to_pretty_text(to_json(metrics, now)) + "\n";
}

/// "20260105_030000_000001"
std::string name_of(Timestamp time) {
  std::string name;
  for (const char c : to_string(time)) {  // 2026-01-05T03:00:00.000001Z
    if (c >= '0' && c <= '9') name += c;
    if (c == 'T' || c == '.') name += '_';
  }
  return name;
}

/// Gives a complete file the first name that is free: `stem.extension`, `stem_2.extension`, …
Result<std::filesystem::path> give_free_name(const std::filesystem::path& file,
                                             const std::filesystem::path& stem,
                                             std::string_view extension) {
  for (int i = 1; i <= kMaxSameName; ++i) {
    auto path = stem;
    if (i > 1) path += "_" + std::to_string(i);
    path += "." + std::string(extension);
    // Unlike a rename, a second link never replaces what has the name.
    std::error_code error;
    std::filesystem::create_hard_link(file, path, error);
    if (!error) return path;
    if (error != std::errc::file_exists) {
      return fail(ErrorCode::kIo, "cannot name " + path.string() + ": " + error.message());
    }
  }
  return fail(ErrorCode::kExhausted, "too many files begin with " + stem.string());
}

}  // namespace

json::Object to_json(const RunMetrics& metrics, Timestamp now) {
  json::Object counters, gauges;
  for (const auto& [key, work] : metrics.nodes()) {
    const auto name = ":" + key.first + "/" + key.second;
    for (const auto& [type, counter] : kCounters) {
      if (work.*counter > 0) counters.append({std::string(type) + name, work.*counter});
    }
    for (const auto& [type, values, unit] : kMeasurements) {
      const auto& statistics = work.*values;
      if (statistics.count > 0)
        gauges.append({std::string(type) + name, statistics.average() / unit});
    }
  }
  json::Object object;
  object.set("export_time", to_string(now));
  object.set("summary", summary_of(metrics.summary(now)));
  object.set("aggregations", aggregations_of(metrics.total()));
  object.set("by_node", by_node(metrics));
  object.set("counters", std::move(counters));
  object.set("gauges", std::move(gauges));
  return object;
}

json::Object node_summary(const RunMetrics& metrics, std::string_view pipeline_id,
                          std::string_view node_id) {
  json::Object object;
  const auto* node = metrics.find_node(pipeline_id, node_id);
  if (node == nullptr) return object;
  object.set("node_name", node_id);
  object.set("total_executions", node->executions());
  object.set("avg_duration_ms", node->duration_ms.average());
  object.set("min_duration_ms", node->duration_ms.min);
  object.set("max_duration_ms", node->duration_ms.max);
  object.set("avg_throughput", node->rows_per_second.average());
  return object;
}

std::vector<MetricRow> metric_rows(const RunMetrics& metrics) {
  std::vector<MetricRow> all;
  for (const auto& [key, work] : metrics.nodes()) {
    for (auto& row : rows_of(key, work)) all.push_back(std::move(row));
  }
  return all;
}

std::string_view extension(MetricsFormat format) {
  static constexpr std::string_view kExtensions[] = {"json", "prom", "parquet"};
  return kExtensions[static_cast<std::size_t>(format)];
}

Result<std::vector<std::filesystem::path>> save_metrics(const RunMetrics& metrics,
                                                        const std::filesystem::path& folder,
                                                        std::span<const MetricsFormat> formats,
                                                        Timestamp now) {
  WEIR_TRY(make_directories(folder));
  const auto stem = folder / ("metrics_" + name_of(now));
  std::vector<std::filesystem::path> paths;
  for (const auto format : formats) {
    const auto temporary = folder / (".metrics-" + std::to_string(random_bits()));
    WEIR_TRY(const auto content, content_of(metrics, format, now));
    WEIR_TRY(write_file_durably(temporary, content));
    auto path = give_free_name(temporary, stem, extension(format));
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    if (!path) return std::unexpected(std::move(path).error());
    paths.push_back(*std::move(path));
  }
  WEIR_TRY(sync_directory(folder));
  return paths;
}

}  // namespace weir::exporting
