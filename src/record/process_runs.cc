#include "record/process_runs.h"

#include <algorithm>
#include <vector>

#include "event/observed.h"
#include "record/recorder.h"

namespace weir::record {
namespace {

/// What a run's events have as their `component` where they say nothing else, so that who keeps
/// runs can tell; empty: nothing.
std::string_view component_of(Retention retention) {
  switch (retention) {
    case Retention::kAudit:
      return "audit";
    case Retention::kMetrics:
      return "metrics";
    case Retention::kOperations:
      break;
  }
  return {};
}

}  // namespace

ProcessRuns::~ProcessRuns() = default;

Result<void> ProcessRuns::emit(Retention retention, std::string_view tenant, event::Type type,
                               event::Level level, std::span<const event::FieldValue> fields) {
  const std::lock_guard lock(mutex_);
  if (closed_) return fail(ErrorCode::kCancelled, "the recorder ends");
  const auto now = recorder_.clock().now();
  const auto today = std::chrono::floor<std::chrono::days>(now);
  auto& current = runs_[{.tenant = std::string(tenant), .retention = retention}];
  if (!current.run || current.day != today || current.run->lost().stop_requested()) {
    current.run.reset();
    RunFields run{.run_id = RunId::make(now),
                  .pipeline_type = "external",
                  .pipeline_id = std::string(event::kOwnPipeline),
                  .pipeline_version = "1",
                  .trace_id = TraceId::make()};
    run.correlation.tenant_id = tenant;
    WEIR_TRY(current.run, recorder_.begin(run));
    current.day = today;
  }
  const auto component = component_of(retention);
  const auto says_component = [](const event::FieldValue& field) {
    return field.field == event::Field::kComponent;
  };
  if (component.empty() || std::ranges::any_of(fields, says_component)) {
    current.run->emit(type, level, fields);
    return {};
  }
  std::vector<event::FieldValue> all(fields.begin(), fields.end());
  all.push_back({event::Field::kComponent, component});
  current.run->emit(type, level, all);
  return {};
}

Result<void> ProcessRuns::flush() {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, current] : runs_) {
    if (current.run) WEIR_TRY(current.run->flush());
  }
  return {};
}

void ProcessRuns::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  runs_.clear();
}

}  // namespace weir::record
