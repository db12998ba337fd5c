#include "embed_engine/program_loggers.h"

#include <utility>

namespace weir::embed {
namespace {

/// What has gone wrong, if something has.
template <class Error, class Ended>
void add_error(const Error* error, Ended& said) {
  if (error == nullptr) return;
  said.error_code = error->code;
  said.error_type = error->type;
  said.error_message = error->message;
  said.is_retryable = error->retryable;
}

class AdaptedRunLogger final : public engine::RunLogger {
 public:
  explicit AdaptedRunLogger(std::shared_ptr<weir::RunLogger> theirs) : theirs_(std::move(theirs)) {}

  void log_run_started(const engine::RunStarted& run) override {
    const auto ids = json::to_text(run.extra);
    theirs_->log_run_started({.run_id = run.run_id,
                              .pipeline_id = run.topology,
                              .pipeline_name = run.pipeline_name,
                              .execution_mode = run.execution_mode,
                              .user_id = run.user_id,
                              .ids = ids});
  }
  void log_run_completed(const engine::RunEnded& run) override {
    theirs_->log_run_completed(ended(run));
  }
  void log_run_failed(const engine::RunEnded& run) override { theirs_->log_run_failed(ended(run)); }

 private:
  static weir::RunEnded ended(const engine::RunEnded& run) {
    weir::RunEnded said{.run_id = run.run_id,
                        .pipeline_id = run.pipeline.id,
                        .pipeline_name = run.pipeline_name,
                        .status = run.status,
                        .duration_ms = run.duration_ms,
                        .failed_node_id = run.failed_node_id};
    add_error(run.error, said);
    return said;
  }

  const std::shared_ptr<weir::RunLogger> theirs_;
};

class AdaptedCallLogger final : public engine::ProviderCallLogger {
 public:
  explicit AdaptedCallLogger(std::shared_ptr<weir::ProviderCallLogger> theirs)
      : theirs_(std::move(theirs)) {}

  void log_call_start(const engine::ProviderCallStarted& call) override {
    const auto context = json::to_text(call.context);
    theirs_->log_call_start({.call_id = call.call_id,
                             .operation = call.operation,
                             .provider = call.provider,
                             .model_id = call.model_id,
                             .run_id = call.run_id,
                             .node_id = call.node_id,
                             .context = context});
  }
  void log_call_end(const engine::ProviderCallEnded& call) override {
    const auto metrics = json::to_text(call.metrics);
    weir::ProviderCallEnded said{.call_id = call.call_id,
                                 .success = call.success,
                                 .latency_ms = call.latency_ms,
                                 .metrics = metrics};
    add_error(call.error, said);
    theirs_->log_call_end(said);
  }

 private:
  const std::shared_ptr<weir::ProviderCallLogger> theirs_;
};

}  // namespace

std::unique_ptr<engine::RunLogger> adapt(std::shared_ptr<weir::RunLogger> logger) {
  return std::make_unique<AdaptedRunLogger>(std::move(logger));
}

std::unique_ptr<engine::ProviderCallLogger> adapt(
    std::shared_ptr<weir::ProviderCallLogger> logger) {
  return std::make_unique<AdaptedCallLogger>(std::move(logger));
}

}  // namespace weir::embed
