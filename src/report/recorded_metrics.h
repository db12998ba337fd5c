#pragma once

#include "project/run_metrics.h"
#include "report/figures.h"

namespace weir::report {

/// The metrics of the events in the window, of all if it has no ends, but for what processes say of
/// themselves. Reads everything. Errors: kInvalidInput (the window ends before it begins).
[[nodiscard]] Result<project::RunMetrics> recorded_metrics(const Source& source,
                                                           const ReportScope& scope);

}  // namespace weir::report
