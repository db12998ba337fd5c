#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

/// Metrics that a program measures itself, without a store: what it records is added up, and
/// exported in the forms that other systems read. Of runs in a store, Reports::metrics gives the
/// same figures in the same forms.
///
///   weir::MetricsManager metrics;
///   metrics.record_node_execution({"load", 125.5, true, 1000});
///   auto saved = weir::MetricsExporter(metrics).save_prometheus("metrics/load.prom");
///
/// Linked with weir::report. Durations are milliseconds, and seconds in Prometheus's text; rates
/// are 0 to 1.
namespace weir {

/// An execution of a node that has ended.
struct NodeExecution {
  std::string_view node;
  double duration_ms = 0;  ///< below 0: not measured
  bool success = true;
  std::int64_t rows = 0;          ///< made; 0: none, or not counted
  std::int64_t memory_bytes = 0;  ///< the most in use; 0: not measured
  std::optional<bool> cached{};   ///< what a cache answered; nothing: none was asked
  std::string_view error_type{};  ///< of a failure
  std::string_view pipeline{};    ///< nodes of two pipelines are two nodes
};

/// All executions of a node. A node that was never recorded has none.
struct NodeStats {
  std::string pipeline{};
  std::string node_name{};
  std::uint64_t executions = 0;
  std::uint64_t success_count = 0;
  std::uint64_t failure_count = 0;
  std::uint64_t retries = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t rows = 0;
  double avg_duration_ms = 0;
  double min_duration_ms = 0;
  double max_duration_ms = 0;
  double avg_throughput = 0;  ///< rows per second, the mean of executions with both
  double avg_memory_bytes = 0;
  double max_memory_bytes = 0;
};

/// Of all nodes.
struct MetricsSummary {
  std::uint64_t total_metrics = 0;  ///< values measured and counted
  std::uint64_t executions = 0;
  std::uint64_t success_count = 0;
  std::uint64_t failure_count = 0;
  std::uint64_t retries = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t rows = 0;
  double uptime_seconds = 0;   ///< since the first value
  double cache_hit_ratio = 0;  ///< hits of all answers; 0 where no cache was asked
  double error_rate = 0;       ///< failures of all executions
  double avg_duration_ms = 0;
  double avg_throughput = 0;  ///< rows per second
  double max_memory_bytes = 0;
};

namespace report {
struct MetricsState;
}

/// Adds up what nodes did.
///
/// Memory   Of at most 2000 nodes; what comes after is counted together as "(other)".
/// Threads  Any, at the same time. Recording takes one lock, for less than a microsecond.
class MetricsManager {
 public:
  MetricsManager();

  void record_node_execution(const NodeExecution& execution) noexcept;
  // What is known apart from an execution's end.
  void record_memory_usage(std::string_view node, std::int64_t bytes,
                           std::string_view pipeline = {}) noexcept;
  void record_cache(std::string_view node, bool is_hit, std::string_view pipeline = {}) noexcept;
  void record_retry(std::string_view node, std::string_view pipeline = {}) noexcept;

  /// Nothing for a node that was never recorded.
  [[nodiscard]] std::optional<NodeStats> get_node_stats(std::string_view node,
                                                        std::string_view pipeline = {}) const;
  /// By pipeline and name.
  [[nodiscard]] std::vector<NodeStats> all_node_stats() const;
  [[nodiscard]] MetricsSummary summary() const;

 private:
  friend class MetricsExporter;
  friend class Reports;
  explicit MetricsManager(std::shared_ptr<report::MetricsState> state) noexcept;
  std::shared_ptr<report::MetricsState> state_;
};

/// Exports what a manager has at the time of each call. It may outlive the manager.
///
/// `save_…` make the folder if need be, and replace the file whole or not at all. Errors: kIo,
/// kExhausted; with Parquet kUnavailable (no DuckDB).
class MetricsExporter {
 public:
  explicit MetricsExporter(const MetricsManager& metrics) : state_(metrics.state_) {}

  /// Text format 0.0.4; all names begin with `weir_`.
  [[nodiscard]] std::string export_prometheus() const;
  [[nodiscard]] std::string export_json() const;
  /// The bytes of a Parquet file, a row a metric of a node: docs/formats/metrics.md.
  [[nodiscard]] StatusOr<std::string> export_parquet() const;

  [[nodiscard]] Status save_prometheus(const std::filesystem::path& file) const;
  [[nodiscard]] Status save_json(const std::filesystem::path& file) const;
  [[nodiscard]] Status save_parquet(const std::filesystem::path& file) const;

  /// As JSON; `{}` for a node that was never recorded.
  [[nodiscard]] std::string node_summary(std::string_view node,
                                         std::string_view pipeline = {}) const;
  /// For people.
  [[nodiscard]] std::string generate_report() const;

 private:
  std::shared_ptr<report::MetricsState> state_;
};

}  // namespace weir
