#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"
#include "store/event_table.h"
#include "weir/report.h"

/// What the reports of weir/report.h say, read from a store.
namespace weir::report {

/// Where figures come from, and when now is.
struct Source {
  const log::StoreDirectory& store;
  std::shared_ptr<store::BadPlaces> bad;  ///< gets what cannot be read
  const Clock& clock = system_clock();
};

/// Errors: kInvalidInput (it ends before it begins).
[[nodiscard]] Result<ReportWindow> window_of(const ReportScope& scope, Timestamp now);
/// The day in which `moment` is.
[[nodiscard]] ReportScope day_of(Timestamp moment);

[[nodiscard]] Result<SummaryReport> summary(const Source& source, const ReportScope& scope);
[[nodiscard]] Result<DailySummary> daily_summary(const Source& source, const ReportScope& day);
/// Errors: kNotFound for an agent without a run in the window.
[[nodiscard]] Result<AgentReport> agents(const Source& source, const std::string& agent_id,
                                         const ReportScope& scope);
[[nodiscard]] Result<ErrorReport> recent_errors(const Source& source, std::size_t limit,
                                                const ReportScope& scope);
/// Of a tenant's runs, if one is named, which may be nobody's: empty. Errors: kNotFound.
[[nodiscard]] Result<WorkflowTrace> workflow_trace(const Source& source, const std::string& id,
                                                   std::size_t limit,
                                                   const std::optional<std::string>& tenant = {});
/// Errors: kNotFound where a path or a hash was named.
[[nodiscard]] Result<std::vector<ArtifactVersion>> artifact_history(const Source& source,
                                                                    const ArtifactScope& scope);

/// Where bars of a distribution begin and end: at round numbers, and further apart the longer they
/// are where the longest is more than ten times the shortest.
[[nodiscard]] std::vector<double> bin_edges(double min_ms, double max_ms);

}  // namespace weir::report
