#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "base/time.h"
#include "export/metrics_files.h"
#include "record/builtin_hooks.h"

/// The built-in hooks that need metrics or the network; the others are in record/builtin_hooks.h.
namespace weir::exporting {

struct MetricsExport {
  std::filesystem::path folder;
  std::vector<MetricsFormat> formats = {MetricsFormat::kJson, MetricsFormat::kPrometheus};
  std::size_t keep = 0;  ///< the newest files of each format; 0: all
  const Clock* clock = &system_clock();
};
/// Writes the metrics of all runs seen so far (`save_metrics`) at the end of every run. A
/// synchronous hook, so that it misses no event: the publisher waits while files are written.
/// Errors: kInvalidInput without a folder or a format.
[[nodiscard]] Result<record::Hook> metrics_export_hook(MetricsExport options);

/// Prints "Cache Statistics:" at the end of a run in which a cache was asked: hits, misses, hit
/// rate, and the size of the results that came from it where `cache_hit` says it in `read_bytes`.
[[nodiscard]] record::Hook cache_statistics_hook(record::Print print);

/// record::webhook over HTTP. Its timeout is the request's, and an error, not a timeout of the bus:
/// a receiver that is slow is never disabled. Errors: those of record::webhook; kInvalidInput for a
/// timeout of nothing.
[[nodiscard]] Result<record::Hook> webhook_hook(record::Webhook options);

}  // namespace weir::exporting
