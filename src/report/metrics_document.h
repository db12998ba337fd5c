#pragma once

#include <string>

#include "base/time.h"
#include "project/run_metrics.h"
#include "weir/report.h"

namespace weir::report {

/// The metrics of runs as Markdown or as a page: what exporting::metrics_report says and more.
/// The other formats are in export/metrics_files.h.
[[nodiscard]] std::string render_metrics(const project::RunMetrics& metrics, Timestamp now,
                                         ReportFormat format);

}  // namespace weir::report
