#include "engine/logged_run.h"

#include "base/exception.h"

namespace weir::engine {
namespace {

using pipeline::RunOutcome;

std::string_view status_of(const Execution& execution) {
  switch (execution.outcome()) {
    case RunOutcome::kCompleted:
      return execution.failed_count() > 0 ? "partial" : "completed";
    case RunOutcome::kFailed:
      return "failed";
    case RunOutcome::kCancelled:
      break;
  }
  return "cancelled";
}

}  // namespace

template <class Tell>
void LoggedRun::tell(Tell tell) {
  if (request_.run_logger == nullptr) return;
  try {
    tell(*request_.run_logger);
  } catch (...) {
    const auto message = "the logger of runs failed: " + describe_exception();
    const event::FieldValue fields[] = {{event::Field::kLogger, std::string_view("pipeline_runs")},
                                        {event::Field::kMessage, std::string_view(message)}};
    run_.emit(event::Type::kLog, event::Level::kWarning, fields);
  }
}

void LoggedRun::started() {
  tell([this](RunLogger& logger) {
    const auto run_id = run_.id().text();
    const auto& ids = place_.context.ids;
    const auto extra = ids.to_object();
    logger.log_run_started({.run_id = run_id,
                            .pipeline_name = request_.definition.name,
                            .topology = request_.definition.id,
                            .execution_mode = place_.execution_mode,
                            .user_id = ids.user_id,
                            .extra = extra});
  });
}

void LoggedRun::ended(Execution& execution, double duration_ms) {
  tell([&](RunLogger& logger) {
    const auto run_id = run_.id().text();
    const auto failed_node_id = execution.first_failed_id();
    const auto error = summarize(execution.failure());
    const bool has_failed =
        execution.outcome() == RunOutcome::kFailed || execution.failed_count() > 0;
    const RunEnded run{.run_id = run_id,
                       .pipeline_name = request_.definition.name,
                       .duration_ms = duration_ms,
                       .status = status_of(execution),
                       .pipeline = request_.definition,
                       .outputs = execution.outputs(),
                       .error = has_failed ? &error : nullptr,
                       .failed_node_id = failed_node_id};
    if (execution.outcome() == RunOutcome::kFailed) return logger.log_run_failed(run);
    logger.log_run_completed(run);
  });
}

}  // namespace weir::engine
