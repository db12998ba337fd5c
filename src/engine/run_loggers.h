#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "engine/error_summary.h"
#include "engine/payload.h"
#include "pipeline/definition.h"

/// For programs that keep records of their own beside the log, as stageflow's PipelineRunLogger and
/// ProviderCallLogger. All views are read before the function returns. What it throws is a WARNING
/// in the run's log.
namespace weir::engine {

struct RunStarted {
  std::string_view run_id;
  std::string_view pipeline_name;
  std::string_view topology;        ///< the pipeline's id
  std::string_view execution_mode;  ///< empty: none was named
  std::string_view user_id;         ///< empty: nobody is known
  const json::Object& extra;        ///< all ids: CorrelationIds::to_object
};

struct RunEnded {
  std::string_view run_id;
  std::string_view pipeline_name;
  double duration_ms = 0;
  std::string_view status;  ///< completed, partial, failed or cancelled
  const pipeline::Definition& pipeline;
  /// Of its nodes, as in Definition::nodes; null: it has none.
  std::span<const OutputPointer> outputs;
  const ErrorSummary* error = nullptr;  ///< of what failed or is partial
  std::string_view failed_node_id{};    ///< empty: no node's failure
};

/// Called from the thread that runs the pipeline; those of several runs may come at once.
class RunLogger {
 public:
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
  const json::Object& context;  ///< whatever else its tool says
};

struct ProviderCallEnded {
  std::string_view call_id;  ///< that it started with
  bool success = true;
  double latency_ms = 0;
  const ErrorSummary* error = nullptr;  ///< of one without success
  /// input_tokens, output_tokens, cost_usd and whatever else its tool measured.
  const json::Object& metrics;
};

/// Called from the threads that run nodes, for several calls at once.
class ProviderCallLogger {
 public:
  virtual ~ProviderCallLogger() = default;
  virtual void log_call_start(const ProviderCallStarted& call) = 0;
  virtual void log_call_end(const ProviderCallEnded& call) = 0;
};

}  // namespace weir::engine
