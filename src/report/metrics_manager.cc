#include <mutex>

#include "base/file.h"
#include "embed/state.h"
#include "export/metrics_files.h"
#include "report/metrics_state.h"

namespace weir {

namespace {

using project::WorkMetrics;

/// As weir::Run calls what a program does itself.
project::NodeName name_of(std::string_view node, std::string_view pipeline) {
  return {.pipeline_id = pipeline, .node_id = node, .plugin_id = "app", .tool_id = "function"};
}

Timestamp metrics_now() { return system_clock().now(); }

NodeStats stats_of(const project::RunMetrics::Key& key, const WorkMetrics& work) {
  return {.pipeline = key.first,
          .node_name = key.second,
          .executions = work.executions(),
          .success_count = work.completed,
          .failure_count = work.failed,
          .retries = work.retries,
          .cache_hits = work.cache_hits,
          .cache_misses = work.cache_misses,
          .rows = work.rows,
          .avg_duration_ms = work.duration_ms.average(),
          .min_duration_ms = work.duration_ms.min,
          .max_duration_ms = work.duration_ms.max,
          .avg_throughput = work.rows_per_second.average(),
          .avg_memory_bytes = work.memory_bytes.average(),
          .max_memory_bytes = work.memory_bytes.max};
}

Status save(const std::filesystem::path& file, const std::string& content) {
  if (file.has_parent_path()) {
    if (const auto made = make_directories(file.parent_path()); !made) {
      return embed::to_status(made.error());
    }
  }
  const auto written = write_file_durably(file, content);
  return written ? Status() : embed::to_status(written.error());
}

}  // namespace

MetricsManager::MetricsManager() : state_(std::make_shared<report::MetricsState>()) {}
MetricsManager::MetricsManager(std::shared_ptr<report::MetricsState> state) noexcept
    : state_(std::move(state)) {}

void MetricsManager::record_node_execution(const NodeExecution& execution) noexcept {
  using End = project::Execution::End;
  const auto node = name_of(execution.node, execution.pipeline);
  const auto now = metrics_now();
  const std::lock_guard lock(state_->mutex);
  state_->metrics.record(node, {.end = execution.success ? End::kCompleted : End::kFailed,
                                .duration_ms = execution.duration_ms,
                                .rows = execution.rows,
                                .memory_bytes = execution.memory_bytes,
                                .error_type = execution.error_type,
                                .at = now});
  if (!execution.cached) return;
  state_->metrics.record(
      node, *execution.cached ? &WorkMetrics::cache_hits : &WorkMetrics::cache_misses, now);
}

void MetricsManager::record_memory_usage(std::string_view node, std::int64_t bytes,
                                         std::string_view pipeline) noexcept {
  if (bytes < 0) return;
  const std::lock_guard lock(state_->mutex);
  state_->metrics.record(name_of(node, pipeline), &WorkMetrics::memory_bytes,
                         static_cast<double>(bytes), metrics_now());
}

void MetricsManager::record_cache(std::string_view node, bool is_hit,
                                  std::string_view pipeline) noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->metrics.record(name_of(node, pipeline),
                         is_hit ? &WorkMetrics::cache_hits : &WorkMetrics::cache_misses,
                         metrics_now());
}

void MetricsManager::record_retry(std::string_view node, std::string_view pipeline) noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->metrics.record(name_of(node, pipeline), &WorkMetrics::retries, metrics_now());
}

std::optional<NodeStats> MetricsManager::get_node_stats(std::string_view node,
                                                        std::string_view pipeline) const {
  const std::lock_guard lock(state_->mutex);
  const auto* work = state_->metrics.find_node(pipeline, node);
  if (work == nullptr) return std::nullopt;
  return stats_of({std::string(pipeline), std::string(node)}, *work);
}

std::vector<NodeStats> MetricsManager::all_node_stats() const {
  std::vector<NodeStats> all;
  const std::lock_guard lock(state_->mutex);
  all.reserve(state_->metrics.nodes().size());
  for (const auto& [key, work] : state_->metrics.nodes()) all.push_back(stats_of(key, work));
  return all;
}

MetricsSummary MetricsManager::summary() const {
  const std::lock_guard lock(state_->mutex);
  const auto& total = state_->metrics.total();
  const auto derived = state_->metrics.summary(metrics_now());
  return {.total_metrics = derived.total_metrics,
          .executions = total.executions(),
          .success_count = total.completed,
          .failure_count = total.failed,
          .retries = total.retries,
          .cache_hits = total.cache_hits,
          .cache_misses = total.cache_misses,
          .rows = total.rows,
          .uptime_seconds = derived.uptime_seconds,
          .cache_hit_ratio = derived.cache_hit_rate,
          .error_rate = derived.error_rate,
          .avg_duration_ms = total.duration_ms.average(),
          .avg_throughput = derived.avg_throughput,
          .max_memory_bytes = total.memory_bytes.max};
}

std::string MetricsExporter::export_prometheus() const {
  return exporting::to_prometheus(state_->copy(), metrics_now());
}

std::string MetricsExporter::export_json() const {
  return json::to_pretty_text(exporting::to_json(state_->copy(), metrics_now())) + "\n";
}

StatusOr<std::string> MetricsExporter::export_parquet() const {
  auto file = exporting::to_parquet(state_->copy());
  if (!file) return embed::to_status(file.error());
  return *std::move(file);
}

Status MetricsExporter::save_prometheus(const std::filesystem::path& file) const {
  return save(file, export_prometheus());
}

Status MetricsExporter::save_json(const std::filesystem::path& file) const {
  return save(file, export_json());
}

Status MetricsExporter::save_parquet(const std::filesystem::path& file) const {
  const auto content = export_parquet();
  return content ? save(file, *content) : content.status();
}

std::string MetricsExporter::node_summary(std::string_view node, std::string_view pipeline) const {
  return json::to_text(exporting::node_summary(state_->copy(), pipeline, node));
}

std::string MetricsExporter::generate_report() const {
  return exporting::metrics_report(state_->copy(), metrics_now());
}

}  // namespace weir
