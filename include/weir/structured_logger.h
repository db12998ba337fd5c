#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/field.h"
#include "weir/log_query.h"
#include "weir/run.h"
#include "weir/status.h"

/// A logger with a function for each thing that happens in a pipeline.
namespace weir {

struct StructuredLoggerOptions {
  std::string name = "structured_logger";  ///< `logger` of every event
  std::string user{};                      ///< `user_id` of every event, unless empty
};

/// Says what happens in a pipeline that a program runs itself, in the event types of the catalogue
/// and with a message for people:
///
///   log_node_start          pipeline_node_started     log_cache_hit           cache_hit
///   log_node_complete       pipeline_node_completed   log_cache_miss          cache_miss
///   log_node_failed         pipeline_node_failed      log_pipeline_start      pipeline_started
///   log_error, log          log                       log_pipeline_complete   pipeline_completed
///                                                     log_checkpoint_created  checkpoint_created
///
/// Layer and engine are `tool_id` and `plugin_id` of the node, and attributes of these names;
/// metadata are attributes; `memory_bytes` is the resident size of this process. Texts that are too
/// long are cut, and the event says so in `weir.cut_bytes`.
///
/// Failure  Each returns whether the event was taken; if not, the next Run::flush says why.
/// Threads  All functions from any thread. May outlive its run, and is silent then.
class StructuredLogger {
 public:
  explicit StructuredLogger(const Run& run, StructuredLoggerOptions options = {}) noexcept;
  StructuredLogger(StructuredLogger&& other) noexcept;
  StructuredLogger& operator=(StructuredLogger&& other) noexcept;
  ~StructuredLogger();

  struct NodeStart {
    std::string_view layer{};   ///< connect, ingest, store, transform, publish, …
    std::string_view engine{};  ///< pandas, spark, duckdb, …
    Strings predecessors{};
    std::int64_t attempt = 1;
    Fields metadata{};
  };
  bool log_node_start(std::string_view node_name, const NodeStart& start) noexcept;
  bool log_node_start(std::string_view node_name, std::string_view layer = {},
                      std::string_view engine = {}) noexcept {
    return log_node_start(node_name, NodeStart{layer, engine});
  }

  struct NodeComplete {
    double duration_ms = 0;
    std::optional<std::int64_t> rows{};
    bool cache_hit = false;
    Strings output_keys{};
    Fields metadata{};
  };
  bool log_node_complete(std::string_view node_name, const NodeComplete& complete) noexcept;

  struct NodeFailure {
    /// "ValueError: no column x": what stands before the colon is the error type, if it is a name.
    std::string_view error{};
    std::optional<double> duration_ms{};
    std::string_view layer{};  ///< empty: as at the node's start
    Fields metadata{};
  };
  bool log_node_failed(std::string_view node_name, const NodeFailure& failure) noexcept;

  /// A failure of something that may be no node: a `log` event of level ERROR.
  bool log_error(std::string_view component, std::string_view error, std::string_view layer = {},
                 Fields metadata = {}) noexcept;

  bool log_cache_hit(std::string_view node_name, std::string_view cache_key,
                     Fields metadata = {}) noexcept;
  bool log_cache_miss(std::string_view node_name, std::string_view cache_key,
                      std::string_view reason = "not in the cache", Fields metadata = {}) noexcept;

  struct PipelineStart {
    Strings entry_nodes{};
    Strings output_nodes{};
    std::int64_t node_count = 0;  ///< 0: not known yet
    Fields metadata{};
  };
  bool log_pipeline_start(std::string_view pipeline_name, const PipelineStart& start) noexcept;
  bool log_pipeline_start(std::string_view pipeline_name) noexcept {
    return log_pipeline_start(pipeline_name, PipelineStart());
  }

  struct PipelineComplete {
    double duration_ms = 0;
    std::int64_t success_count = 0;
    std::int64_t failed_count = 0;  ///< over 0: its outcome is `partial`
    Fields metadata{};
  };
  /// The run's last event that changes a state.
  bool log_pipeline_complete(std::string_view pipeline_name,
                             const PipelineComplete& complete) noexcept;

  bool log_checkpoint_created(std::string_view checkpoint_id, std::int64_t nodes_completed,
                              Fields metadata = {}) noexcept;

  bool log(Level level, std::string_view message, Fields metadata = {}) noexcept;

  /// Of all runs in the store, unless the query names one: what this thread has logged and all else
  /// that is committed, of every process, in all files of the log; what a compaction has moved out
  /// of them, Reports::query_logs finds too. Reads everything. Errors: kInvalidInput for a limit
  /// over 10 000 and a run id that is none; kIo.
  [[nodiscard]] StatusOr<LogEntries> query_logs(const LogQuery& query = {}) noexcept;
  /// Of this run. Errors: kIo.
  [[nodiscard]] StatusOr<LogSummary> get_summary() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
