#include "engine/logging_interceptor.h"

#include "engine/error_summary.h"

namespace weir::engine {
namespace {

void log_stage(const Attempt& attempt, event::Level level, const std::string& message) {
  attempt.call.log({.level = level, .message = message, .logger = kInterceptorLogger});
}

}  // namespace

std::optional<CallOutcome> LoggingInterceptor::before(Attempt& attempt) {
  log_stage(attempt, event::Level::kInfo, "Stage starting: " + std::string(attempt.node_id));
  return {};
}

void LoggingInterceptor::after(Attempt& attempt, CallOutcome& outcome) {
  auto message = "Stage completed: " + std::string(attempt.node_id) + " - " +
                 std::string(status_of(attempt, outcome));
  if (outcome) return log_stage(attempt, event::Level::kInfo, message);
  log_stage(attempt, event::Level::kWarning,
            message + " - " + to_string(summarize(outcome.error())));
}

}  // namespace weir::engine
