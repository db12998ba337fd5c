#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "event/decoder.h"
#include "project/cache_answers.h"

namespace weir::project {

/// Names in metrics come from files and other systems: of longer ones the beginning counts.
inline constexpr std::size_t kMaxNameBytes = 256;
/// Of each kind of series. Prometheus is well with some thousands of a process.
inline constexpr std::size_t kMaxMetricSeries = 2000;
/// Of one series.
inline constexpr std::size_t kMaxErrorTypes = 16;
/// The name of what counts all that comes when a limit is reached, and of a tool that no event
/// names.
inline constexpr std::string_view kOther = "(other)";

/// Of the values of a measurement.
struct Statistics {
  std::uint64_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;

  void add(double value);
  [[nodiscard]] double average() const;  ///< 0 without a value
};

/// How a piece of work did, over all the times it was done.
struct WorkMetrics {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t retries = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t rows = 0;
  Statistics duration_ms;
  Statistics rows_per_second;  ///< of the executions with rows and a duration, both above 0
  Statistics memory_bytes;
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< by type
  Timestamp last_at{};                                       ///< of the newest event counted

  [[nodiscard]] std::uint64_t executions() const { return completed + failed + cancelled; }
  [[nodiscard]] double cache_hit_rate() const;  ///< 0 to 1; 0 where no cache was asked
  [[nodiscard]] double error_rate() const;      ///< failed of executions, 0 to 1
};

/// How a piece of work ended, and what it measured.
struct Execution {
  enum class End : std::uint8_t { kCompleted, kFailed, kCancelled };
  End end = End::kCompleted;
  std::optional<double> duration_ms{};  ///< below 0: not said
  std::int64_t rows = 0;                ///< below 1: not said
  std::int64_t memory_bytes = 0;        ///< below 1: not said
  std::string_view error_type{};        ///< of a failure
  Timestamp at{};
};

/// A node of a pipeline, and its tool where that is known.
struct NodeName {
  std::string_view pipeline_id{};
  std::string_view node_id{};
  std::string_view plugin_id{};
  std::string_view tool_id{};
};

/// ODIBI CORE's derived figures.
struct MetricsSummary {
  std::uint64_t total_metrics = 0;  ///< values measured and counted
  double uptime_seconds = 0;        ///< since the first event
  double cache_hit_rate = 0;        ///< 0 to 1
  double error_rate = 0;            ///< 0 to 1
  double avg_throughput = 0;        ///< rows per second, the mean of executions
};

/// The metrics of runs. Fold their events, of any number of runs, each in its order.
///
/// An execution of a pipeline is a run that ended; one of a node is an attempt that ended, so a
/// node that fails, is retried and completes has two executions, one failure and one retry. A
/// pipeline's retries and cache answers are those of its nodes.
///
/// Memory  At most `max_series` pipelines, tools and nodes each, and one more for the rest.
class RunMetrics {
 public:
  /// Pipeline id and nothing; plugin id and tool id; pipeline id and node id.
  using Key = std::pair<std::string, std::string>;
  using Series = std::map<Key, WorkMetrics>;

  explicit RunMetrics(std::size_t max_series = kMaxMetricSeries) : max_series_(max_series) {}

  void apply(const event::EventView& event);

  // The same without an event, for programs that measure.
  void record(const NodeName& named, const Execution& execution);
  /// One more in a counter, such as `&WorkMetrics::retries`.
  void record(const NodeName& named, std::uint64_t WorkMetrics::* counter, Timestamp at);
  /// A value of a measurement, such as `&WorkMetrics::memory_bytes`.
  void record(const NodeName& named, Statistics WorkMetrics::* values, double value, Timestamp at);

  [[nodiscard]] const Series& pipelines() const { return pipelines_; }
  [[nodiscard]] const Series& tools() const { return tools_; }
  [[nodiscard]] const Series& nodes() const { return nodes_; }
  /// Of all nodes.
  [[nodiscard]] const WorkMetrics& total() const { return total_; }
  /// Null for one that was not seen.
  [[nodiscard]] const WorkMetrics* find_node(std::string_view pipeline_id,
                                             std::string_view node_id) const;
  /// What was counted under kOther for want of series.
  [[nodiscard]] std::uint64_t overflow() const { return overflow_; }
  [[nodiscard]] MetricsSummary summary(Timestamp now) const;

 private:
  using End = Execution::End;
  WorkMetrics& series(Series& all, Key key);
  WorkMetrics& tool_of(const NodeName& named, const Key& node);
  void count_run(const event::EventView& event, End end);
  static std::uint64_t add_execution(WorkMetrics& work, const Execution& execution);

  std::size_t max_series_;
  Series pipelines_;
  Series tools_;
  Series nodes_;
  std::map<Key, Key> tool_of_node_;  // for events that do not name the tool
  WorkMetrics total_;
  CacheAnswers answers_;
  std::uint64_t measurements_ = 0;
  std::uint64_t overflow_ = 0;
  std::optional<Timestamp> started_at_;
};

}  // namespace weir::project
