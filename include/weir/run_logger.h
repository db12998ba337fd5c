#pragma once

#include <string_view>

/// For programs that keep records of their own beside the log. All views are good until the
/// function returns. What it throws is a WARNING in the run's log.
namespace weir {

struct RunStarted {
  std::string_view run_id;
  std::string_view pipeline_id;
  std::string_view pipeline_name;
  std::string_view execution_mode;  ///< empty: none was named
  std::string_view user_id;         ///< empty: nobody is known
  std::string_view ids;             ///< all of them, a JSON object
};

struct RunEnded {
  std::string_view run_id;
  std::string_view pipeline_id;
  std::string_view pipeline_name;
  std::string_view status;  ///< completed, partial, failed or cancelled
  double duration_ms = 0;
  std::string_view failed_node_id;  ///< empty: no node's failure
  std::string_view error_code;      ///< of what failed or is partial, as the three below
  std::string_view error_type;
  std::string_view error_message;
  bool is_retryable = false;
};

/// Called from the threads that run pipelines; those of several runs may come at once.
class RunLogger {
 public:
  RunLogger() = default;
  RunLogger(const RunLogger&) = delete;
  RunLogger& operator=(const RunLogger&) = delete;
  virtual ~RunLogger() = default;
  virtual void log_run_started(const RunStarted& run) = 0;
  /// Of what completed, in part or whole, or was cancelled.
  virtual void log_run_completed(const RunEnded& run) = 0;
  virtual void log_run_failed(const RunEnded& run) = 0;
};

struct ProviderCallStarted {
  std::string_view call_id;
  std::string_view operation;
  std::string_view provider;
  std::string_view model_id;  ///< empty: no model
  std::string_view run_id;
  std::string_view node_id;
  std::string_view context;  ///< whatever else its tool says, a JSON object
};

struct ProviderCallEnded {
  std::string_view call_id;  ///< that it started with
  bool success = true;
  double latency_ms = 0;
  std::string_view error_code;  ///< of one without success, as the three below
  std::string_view error_type;
  std::string_view error_message;
  bool is_retryable = false;
  std::string_view metrics;  ///< tokens, cost and what else its tool measured, a JSON object
};

/// Called from the threads that run nodes, for several calls at once.
class ProviderCallLogger {
 public:
  ProviderCallLogger() = default;
  ProviderCallLogger(const ProviderCallLogger&) = delete;
  ProviderCallLogger& operator=(const ProviderCallLogger&) = delete;
  virtual ~ProviderCallLogger() = default;
  virtual void log_call_start(const ProviderCallStarted& call) = 0;
  virtual void log_call_end(const ProviderCallEnded& call) = 0;
};

}  // namespace weir
