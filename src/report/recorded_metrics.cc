#include "report/recorded_metrics.h"

#include "store/history.h"

namespace weir::report {

using event::Field;

Result<project::RunMetrics> recorded_metrics(const Source& source, const ReportScope& scope) {
  if (scope.since && scope.until && *scope.until < *scope.since) {
    return fail(ErrorCode::kInvalidInput, "the window ends before it begins");
  }
  project::RunMetrics metrics;
  WEIR_TRY(
      const auto read, store::read_all(source.store, [&](const event::EventView& event) {
        const bool wanted =
            (!scope.since || event.timestamp() >= *scope.since) &&
            (!scope.until || event.timestamp() < *scope.until) &&
            (scope.pipeline_id.empty() || event.text(Field::kPipelineId) == scope.pipeline_id) &&
            (scope.tenant_id.empty() || event.text(Field::kTenantId) == scope.tenant_id) &&
            !(event.text(Field::kPipelineType) == "external" &&
              event.text(Field::kPipelineId) == "weir");
        if (wanted) metrics.apply(event);
        return Result<void>();
      }));
  for (const auto& place : read.bad) source.bad->add(place);
  return metrics;
}

}  // namespace weir::report
