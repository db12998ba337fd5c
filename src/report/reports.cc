#include <exception>
#include <utility>

#include "embed/log_queries.h"
#include "embed/state.h"
#include "report/documents.h"
#include "report/figures.h"
#include "report/html.h"
#include "report/metrics_state.h"
#include "report/recorded_metrics.h"
#include "report/report_json.h"
#include "store/history.h"
#include "weir/report.h"

namespace weir {

struct Reports::State {
  log::StoreDirectory store;
  std::shared_ptr<store::BadPlaces> bad = std::make_shared<store::BadPlaces>();

  [[nodiscard]] report::Source source() const { return {.store = store, .bad = bad}; }
};

namespace {

/// Our code does not throw, but what it stands on can.
template <class Ask>
auto answer(const Ask& ask) noexcept -> StatusOr<typename decltype(ask())::value_type> {
  try {
    auto result = ask();
    if (!result) return embed::to_status(result.error());
    return *std::move(result);
  } catch (const std::exception& exception) {
    return Status(StatusCode::kUnavailable, exception.what());
  }
}

template <class Report>
std::string render_report(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::kText:
      return report::to_text(report::to_document(report));
    case ReportFormat::kMarkdown:
      return report::to_markdown(report::to_document(report));
    case ReportFormat::kHtml:
      return report::to_html(report::to_document(report));
    case ReportFormat::kJson:
      break;
  }
  return json::to_pretty_text(report::to_json(report)) + "\n";
}

}  // namespace

Reports::Reports(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

StatusOr<Reports> Reports::open(const std::filesystem::path& store) noexcept {
  auto directory = log::StoreDirectory::open(store);
  if (!directory) return embed::to_status(directory.error());
  return Reports(std::make_shared<State>(State{.store = *std::move(directory)}));
}

StatusOr<SummaryReport> Reports::summary(const ReportScope& scope) const noexcept {
  return answer([&] { return report::summary(state_->source(), scope); });
}

StatusOr<DailySummary> Reports::daily_summary(std::optional<Timestamp> moment,
                                              const std::string& tenant_id) const noexcept {
  return answer([&] {
    auto day = report::day_of(moment.value_or(system_clock().now()));
    day.tenant_id = tenant_id;
    return report::daily_summary(state_->source(), day);
  });
}

StatusOr<AgentReport> Reports::agents(const std::string& agent_id,
                                      const ReportScope& scope) const noexcept {
  return answer([&] { return report::agents(state_->source(), agent_id, scope); });
}

StatusOr<ErrorReport> Reports::recent_errors(std::size_t limit,
                                             const ReportScope& scope) const noexcept {
  return answer([&] { return report::recent_errors(state_->source(), limit, scope); });
}

StatusOr<WorkflowTrace> Reports::workflow_trace(const std::string& id,
                                                std::size_t limit) const noexcept {
  return answer([&] { return report::workflow_trace(state_->source(), id, limit); });
}

StatusOr<std::vector<ArtifactVersion>> Reports::artifact_history(
    const ArtifactScope& scope) const noexcept {
  return answer([&] { return report::artifact_history(state_->source(), scope); });
}

StatusOr<MetricsManager> Reports::metrics(const ReportScope& scope) const noexcept {
  return answer([&]() -> Result<MetricsManager> {
    WEIR_TRY(auto recorded, report::recorded_metrics(state_->source(), scope));
    auto state = std::make_shared<report::MetricsState>();
    state->metrics = std::move(recorded);
    return MetricsManager(std::move(state));
  });
}

StatusOr<LogEntries> Reports::query_logs(const LogQuery& query) const noexcept {
  return answer([&]() -> Result<LogEntries> {
    WEIR_TRY(const auto asked, embed::to_internal(query));
    WEIR_TRY(auto entries, record::query_logs(store::all_events(state_->store), asked));
    return embed::to_public(std::move(entries));
  });
}

StatusOr<LogSummary> Reports::log_summary(const std::string& run_id) const noexcept {
  return answer([&]() -> Result<LogSummary> {
    LogQuery query;
    query.run_id = run_id;
    WEIR_TRY(const auto asked, embed::to_internal(query));
    WEIR_TRY(auto summary, record::get_summary(store::all_events(state_->store), asked.run_id));
    summary.log_file = state_->store.log();
    return embed::to_public(std::move(summary));
  });
}

std::vector<std::string> Reports::problems() const {
  std::vector<std::string> all;
  for (const auto& place : state_->bad->all()) all.push_back(place.text());
  return all;
}

std::string render(const SummaryReport& report, ReportFormat format) {
  return render_report(report, format);
}
std::string render(const DailySummary& report, ReportFormat format) {
  return render_report(report, format);
}
std::string render(const AgentReport& report, ReportFormat format) {
  return render_report(report, format);
}
std::string render(const ErrorReport& report, ReportFormat format) {
  return render_report(report, format);
}
std::string render(const WorkflowTrace& trace, ReportFormat format) {
  return render_report(trace, format);
}

}  // namespace weir
