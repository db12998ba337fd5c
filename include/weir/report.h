#pragma once

// Long: what each report says, in one place.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/log_query.h"
#include "weir/metrics.h"
#include "weir/status.h"

/// What a store says about the runs in it: figures as structs, or as text, Markdown, JSON and HTML.
///
///   auto reports = weir::Reports::open(".weir");
///   if (!reports) …
///   auto day = reports->summary();                       // of the last 24 hours
///   if (day) std::puts(weir::render(*day, weir::ReportFormat::kText).c_str());
///
/// Linked with weir::report, which needs DuckDB's library when it runs. Times are UTC; durations
/// are milliseconds unless their name says otherwise; rates are 0 to 1.
namespace weir {

using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Which runs a report is about: those that began in [since, until).
struct ReportScope {
  std::optional<Timestamp> since{};  ///< nothing: 24 hours before `until`
  std::optional<Timestamp> until{};  ///< nothing: now
  std::string pipeline_id{};         ///< empty: of all
  std::string tenant_id{};           ///< empty: of all
};

struct ReportWindow {
  Timestamp since{};
  Timestamp until{};
  Timestamp made_at{};
  std::string pipeline_id{};
  std::string tenant_id{};
};

/// Of some values; all 0 without any.
struct Spread {
  std::uint64_t count = 0;
  double average = 0;
  double min = 0;
  double median = 0;
  double p95 = 0;
  double max = 0;
};

/// What became of runs.
struct RunFigures {
  std::uint64_t total = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t running = 0;
  std::uint64_t interrupted = 0;  ///< no end, and no process that could write one
  Spread duration_ms{};           ///< of those that ended

  [[nodiscard]] std::uint64_t ended() const noexcept { return completed + failed + cancelled; }
  /// Completed of those that ended.
  [[nodiscard]] double success_rate() const noexcept {
    return ended() == 0 ? 0 : static_cast<double>(completed) / static_cast<double>(ended());
  }
};

struct PipelineFigures {
  std::string pipeline_id;
  RunFigures runs;
};

/// Of the executions of nodes: an attempt that ended is one.
struct NodeFigures {
  std::string pipeline_id{};  ///< empty: of all nodes
  std::string node_id{};
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t rows = 0;
  std::uint64_t memory_bytes = 0;  ///< the most that one execution had
  double rows_per_second = 0;      ///< the mean of executions with rows and a duration
  Spread duration_ms{};

  [[nodiscard]] std::uint64_t executions() const noexcept { return completed + failed + cancelled; }
};

/// Of the runs of an agent: its `agent_run` events.
struct AgentStats {
  std::string agent_id{};
  std::uint64_t runs = 0;
  std::uint64_t success = 0;
  std::uint64_t failure = 0;
  std::uint64_t partial = 0;
  std::uint64_t timeout = 0;
  std::uint64_t other = 0;  ///< with another outcome
  Spread duration_ms{};
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double cost_usd = 0;
  std::optional<double> citations{};     ///< of a run, on average; nothing where none says it
  std::optional<double> words{};         ///< the same
  std::optional<double> completeness{};  ///< the same, 0 to 1
  std::uint64_t uncertain_areas = 0;
  std::vector<std::string> versions{};
  std::vector<std::string> models{};
  Timestamp last_run_at{};

  [[nodiscard]] double success_rate() const noexcept {
    return runs == 0 ? 0 : static_cast<double>(success) / static_cast<double>(runs);
  }
};

struct ErrorCount {
  std::string type;
  std::uint64_t count = 0;
  Timestamp last_at{};
};

struct NodeErrorCount {
  std::string pipeline_id;
  std::string node_id;
  std::string type;
  std::uint64_t count = 0;
};

/// Versions of artifacts made in the window, by the last judgement of a person.
struct ArtifactCounts {
  std::uint64_t created = 0;
  std::uint64_t pending = 0;
  std::uint64_t approved = 0;
  std::uint64_t rejected = 0;
};

/// A stretch of the window: it ends where the next begins.
struct ReportBucket {
  Timestamp from{};
  std::uint64_t completed = 0;  ///< of the runs that began in it
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t open = 0;
  std::optional<double> median_ms{};
  std::optional<double> p95_ms{};
  std::uint64_t most_runs = 0;   ///< at the same time
  std::uint64_t most_nodes = 0;  ///< at the same time
};

struct DurationBin {
  double from_ms = 0;
  double to_ms = 0;
  std::uint64_t runs = 0;
};

struct SummaryReport {
  ReportWindow window{};
  RunFigures runs{};
  std::uint64_t workflows = 0;  ///< with a run: workflow ids, and pipelines of runs without one
  NodeFigures nodes{};
  ArtifactCounts artifacts{};
  std::uint64_t errors = 0;
  std::vector<ErrorCount> errors_by_type{};       ///< the most frequent first
  std::vector<AgentStats> agents{};               ///< with the most runs first
  std::vector<PipelineFigures> pipelines{};       ///< with the most runs first
  std::vector<NodeFigures> slowest_nodes{};       ///< by the 95th percentile
  std::vector<NodeErrorCount> errors_of_nodes{};  ///< the most frequent first
  /// How many there are of each list above, which has the first ones.
  std::uint64_t error_type_count = 0;
  std::uint64_t pipeline_count = 0;
  std::uint64_t node_count = 0;
  std::uint64_t error_of_node_count = 0;
  std::chrono::microseconds bucket{};
  std::vector<ReportBucket> buckets{};
  std::vector<DurationBin> distribution{};  ///< of the runs that ended
};

/// The agent system's summary of a day (UTC).
struct DailySummary {
  ReportWindow window{};
  std::string date{};  ///< 2026-01-05
  RunFigures runs{};
  std::uint64_t workflows = 0;
  std::vector<AgentStats> agents{};
  std::uint64_t errors = 0;
  std::vector<ErrorCount> errors_by_type{};
  ArtifactCounts artifacts{};
};

struct AgentReport {
  ReportWindow window{};
  std::vector<AgentStats> agents{};
};

/// An event in short.
struct EventEntry {
  Timestamp at{};
  std::string run_id{};
  std::int64_t run_seq = 0;
  std::string pipeline_id{};
  std::string event_type{};
  std::string level{};
  std::string node_id{};
  std::int64_t attempt = 0;  ///< 0: not said
  std::string agent_id{};
  std::optional<double> duration_ms{};
  std::string error_type{};
  std::string text{};  ///< what it says: an error's or another message, a reason, an artifact
};

/// An event of level ERROR or FATAL, or an agent that failed, and the events of its run around it.
struct ErrorEntry {
  EventEntry error{};
  std::vector<EventEntry> before{};
  std::vector<EventEntry> after{};
};

struct ErrorReport {
  ReportWindow window{};
  std::uint64_t total = 0;
  std::vector<ErrorEntry> errors{};  ///< the newest first
};

struct TracedRun {
  std::string run_id;
  std::string tenant_id;  ///< empty: nobody's
  std::string pipeline_id;
  std::string state;  ///< completed, failed, cancelled, running, interrupted
  Timestamp started_at{};
  std::optional<double> duration_ms{};
};

/// All that happened in a workflow, or in a run and those that it started.
struct WorkflowTrace {
  std::string id{};
  Timestamp made_at{};
  std::vector<TracedRun> runs{};     ///< in the order in which they began
  std::vector<EventEntry> events{};  ///< in the order in which they happened
  std::uint64_t total_events = 0;    ///< more than `events` where there is a limit
};

/// A content that an artifact had.
struct ArtifactVersion {
  std::string path{};
  std::int64_t version = 0;  ///< from 1; the same content again is no new version
  std::string sha256{};
  std::string pipeline_id{};
  std::string node_id{};
  std::string agent_id{};
  std::string run_id{};  ///< that wrote it first
  std::string tenant_id{};
  Timestamp written_at{};
  std::int64_t bytes = -1;  ///< -1: not said
  bool is_newest = false;
  std::string review = "pending";  ///< or approved, rejected
  std::string reviewed_by{};
  std::optional<Timestamp> reviewed_at{};
  std::vector<std::string> comments{};  ///< of all reviews, the oldest first
};

struct ArtifactScope {
  std::string path{};    ///< empty: of all
  std::string run_id{};  ///< empty: of all
  std::string sha256{};  ///< its beginning; empty: of all
};

enum class ReportFormat : std::uint8_t { kText, kMarkdown, kJson, kHtml };

/// Reads a store, which may be written to meanwhile: every call answers as of now. Errors of all
/// calls: kUnavailable (no DuckDB), kIo, kCorrupt (the store), kInvalidInput (a window that ends
/// before it begins). What cannot be read is left out, and told by `problems`.
///
/// Threads  Any.
class Reports {
 public:
  /// Errors: kNotFound (there is no store).
  static StatusOr<Reports> open(const std::filesystem::path& store) noexcept;

  [[nodiscard]] StatusOr<SummaryReport> summary(const ReportScope& scope = {}) const noexcept;
  /// Of the day in which `moment` is; nothing: today.
  [[nodiscard]] StatusOr<DailySummary> daily_summary(
      std::optional<Timestamp> moment = {}, const std::string& tenant_id = {}) const noexcept;
  /// Of one agent, or of all. Errors: kNotFound for one that has no run in the window.
  [[nodiscard]] StatusOr<AgentReport> agents(const std::string& agent_id = {},
                                             const ReportScope& scope = {}) const noexcept;
  [[nodiscard]] StatusOr<ErrorReport> recent_errors(std::size_t limit = 10,
                                                    const ReportScope& scope = {}) const noexcept;
  /// Of a workflow's or a run's id. `limit` 0: all events. Errors: kNotFound.
  [[nodiscard]] StatusOr<WorkflowTrace> workflow_trace(const std::string& id,
                                                       std::size_t limit = 0) const noexcept;
  /// The newest first. Errors: kNotFound for a path or a hash that the store does not have.
  [[nodiscard]] StatusOr<std::vector<ArtifactVersion>> artifact_history(
      const ArtifactScope& scope = {}) const noexcept;

  /// What the nodes of recorded runs did, to be exported or gone on with; without `since` and
  /// `until` of all runs. Reads everything.
  [[nodiscard]] StatusOr<MetricsManager> metrics(const ReportScope& scope = {}) const noexcept;

  /// Of all runs, unless the query names one, wherever their events are: as StructuredLogger's, and
  /// what was compacted too. Reads everything. Errors: kInvalidInput for a limit over 10 000 and a
  /// run id that is none; kIo.
  [[nodiscard]] StatusOr<LogEntries> query_logs(const LogQuery& query = {}) const noexcept;
  /// Of a run; an empty id: of all. Errors: as query_logs.
  [[nodiscard]] StatusOr<LogSummary> log_summary(const std::string& run_id = {}) const noexcept;

  /// What earlier calls could not read, each said once: "FILE: at byte N: WHY".
  [[nodiscard]] std::vector<std::string> problems() const;

 private:
  struct State;
  explicit Reports(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;
};

/// A report for people, or as JSON. HTML is one page that needs nothing else.
[[nodiscard]] std::string render(const SummaryReport& report, ReportFormat format);
[[nodiscard]] std::string render(const DailySummary& report, ReportFormat format);
[[nodiscard]] std::string render(const AgentReport& report, ReportFormat format);
[[nodiscard]] std::string render(const ErrorReport& report, ReportFormat format);
[[nodiscard]] std::string render(const WorkflowTrace& trace, ReportFormat format);

}  // namespace weir
