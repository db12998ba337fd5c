#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "record/log_query.h"
#include "record/observation.h"
#include "record/recorder.h"

namespace weir::record {

struct StructuredLoggerOptions {
  std::string name = "structured_logger";  ///< `logger` of every event
  std::string user{};                      ///< `user_id` of every event, unless empty
  TextFields defaults{};  ///< of every event, unless it or the current context says another
};

/// The structured logger of ODIBI CORE as a face of the recorder: who runs a pipeline of their own
/// says what happens, and it is recorded in the event types of the catalogue:
///
///   log_node_start          pipeline_node_started     log_cache_hit           cache_hit
///   log_node_complete       pipeline_node_completed   log_cache_miss          cache_miss
///   log_node_failed         pipeline_node_failed      log_pipeline_start      pipeline_started
///   log_error, log          log                       log_pipeline_complete   pipeline_completed
///                                                     log_checkpoint_created  checkpoint_created
///
/// Layer and engine are `tool_id` and `plugin_id` of the node, and attributes of these names;
/// metadata are attributes; `memory_bytes` is the resident size of this process. Messages are those
/// of ODIBI CORE; to_log_record gives its form of a record. Texts and metadata are held to an
/// Observation's limits; the current context gives trace and correlation ids.
///
/// Threads  All functions from any thread. `run` outlives it.
class StructuredLogger {
 public:
  /// Of which layer, engine and place are remembered; later ones are written without.
  static constexpr std::size_t kMaxNodes = 65'536;

  /// `events` are those that its questions are asked of: store::all_events of the run's store.
  StructuredLogger(Run& run, EventSource events, StructuredLoggerOptions options = {});

  struct NodeStart {
    std::string_view layer{};
    std::string_view engine{};  ///< pandas, spark, duckdb, …
    std::span<const std::string> predecessors{};
    std::int64_t attempt = 1;
    json::Object metadata{};
  };
  void log_node_start(std::string_view node_name, const NodeStart& start);

  struct NodeComplete {
    double duration_ms = 0;
    std::optional<std::int64_t> rows{};
    bool cache_hit = false;
    std::span<const std::string> output_keys{};
    json::Object metadata{};
  };
  void log_node_complete(std::string_view node_name, const NodeComplete& complete);

  struct NodeFailure {
    /// "ValueError: no column x": what stands before the colon is the error type, if it is a name.
    std::string_view error{};
    std::optional<double> duration_ms{};
    std::string_view layer{};  ///< empty: as at the node's start
    json::Object metadata{};
  };
  void log_node_failed(std::string_view node_name, const NodeFailure& failure);

  /// A failure of something that may be no node: a `log` event of level ERROR.
  void log_error(std::string_view component, std::string_view error, std::string_view layer = {},
                 const json::Object& metadata = {});

  void log_cache_hit(std::string_view node_name, std::string_view cache_key,
                     const json::Object& metadata = {});
  void log_cache_miss(std::string_view node_name, std::string_view cache_key,
                      std::string_view reason = "not in the cache",
                      const json::Object& metadata = {});

  struct PipelineStart {
    std::span<const std::string> entry_nodes{};
    std::span<const std::string> output_nodes{};
    std::int64_t node_count = 0;  ///< 0: not known yet
    json::Object metadata{};
  };
  void log_pipeline_start(std::string_view pipeline_name, const PipelineStart& start);

  struct PipelineComplete {
    double duration_ms = 0;
    std::int64_t success_count = 0;
    std::int64_t failed_count = 0;  ///< over 0: its outcome is `partial`
    json::Object metadata{};
  };
  /// The run's last event that changes a state.
  void log_pipeline_complete(std::string_view pipeline_name, const PipelineComplete& complete);

  void log_checkpoint_created(std::string_view checkpoint_id, std::int64_t nodes_completed,
                              const json::Object& metadata = {});

  void log(event::Level level, std::string_view message, const json::Object& metadata = {});

  /// Everything this thread has logged and all else that is committed: record::query_logs over the
  /// whole store, so of all runs unless the query names one. Errors: those, and Run::flush's.
  [[nodiscard]] Result<LogEntries> query_logs(const LogQuery& query = {});
  /// Of this run. Errors: as query_logs.
  [[nodiscard]] Result<LogSummary> get_summary();

 private:
  struct Node {
    std::string layer;
    std::string engine;
    std::int64_t step_index = 0;
  };
  [[nodiscard]] Node node(std::string_view name, std::string_view layer, std::string_view engine);
  [[nodiscard]] bool is_node(std::string_view name) const;
  void set_node(Observation& event, std::string_view name, const Node& node) const;
  void emit(Observation& event, event::Type type, event::Level level, std::string_view message,
            const json::Object& metadata) const;
  void cache_event(event::Type type, std::string_view node_name, std::string_view cache_key,
                   std::string_view reason, const json::Object& metadata);

  Run& run_;
  EventSource events_;
  StructuredLoggerOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Node, std::less<>> nodes_;  // guarded by mutex_
};

}  // namespace weir::record
