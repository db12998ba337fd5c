#pragma once

#include "report/document.h"
#include "weir/report.h"

/// The reports of weir/report.h as people read them.
namespace weir::report {

[[nodiscard]] Document to_document(const SummaryReport& report);
[[nodiscard]] Document to_document(const DailySummary& report);
[[nodiscard]] Document to_document(const AgentReport& report);
[[nodiscard]] Document to_document(const ErrorReport& report);
[[nodiscard]] Document to_document(const WorkflowTrace& trace);

/// Names and values that say which runs a report is about.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> facts_of(const ReportWindow& window);
/// Agents, one a row.
[[nodiscard]] Table agents_table(const std::vector<AgentStats>& agents);
/// Types of errors, one a row.
[[nodiscard]] Table errors_table(std::uint64_t total, const std::vector<ErrorCount>& by_type);
[[nodiscard]] Tiles artifact_tiles(const ArtifactCounts& artifacts);
/// All completed, most of them, or fewer.
[[nodiscard]] Tone success_tone(const RunFigures& runs);
/// A number or a dash for none.
[[nodiscard]] std::string rate_text(std::uint64_t all, double rate);
[[nodiscard]] std::string duration_text(const Spread& spread, double Spread::* which);

}  // namespace weir::report
