#pragma once

#include "base/json.h"
#include "weir/report.h"

/// The reports of weir/report.h as JSON: their members, names in snake case, times in RFC 3339. Of
/// a daily summary the agent system's own: docs/reports.md.
namespace weir::report {

[[nodiscard]] json::Object to_json(const SummaryReport& report);
[[nodiscard]] json::Object to_json(const DailySummary& report);
[[nodiscard]] json::Object to_json(const AgentReport& report);
[[nodiscard]] json::Object to_json(const ErrorReport& report);
[[nodiscard]] json::Object to_json(const WorkflowTrace& trace);
[[nodiscard]] json::Object to_json(const ArtifactVersion& version);

}  // namespace weir::report
