#include "report/documents.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"
#include "report/format.h"

namespace weir::report {
namespace {

using Kind = Column::Kind;

std::string dollars(double cost) {
  if (cost == 0) return "–";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), cost < 0.1 ? "$%.4f" : "$%.2f", cost);
  return text.data();
}

std::string or_dash(const std::optional<double>& number) {
  return number ? short_number(*number) : "–";
}

Tile run_tile(const RunFigures& runs) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t number, const char* word) {
    if (number > 0) parts.push_back(grouped(number) + " " + word);
  };
  add(runs.failed, "failed");
  add(runs.cancelled, "cancelled");
  add(runs.running, "running");
  add(runs.interrupted, "interrupted");
  return {.label = "Runs", .value = grouped(runs.total), .note = text::join(parts)};
}

Section agents_section(const std::vector<AgentStats>& agents) {
  return {.title = "Agents", .blocks = {agents_table(agents)}};
}

Tiles day_tiles(const DailySummary& report) {
  const auto& runs = report.runs;
  const auto ended = runs.ended();
  return {
      {run_tile(runs),
       {.label = "Success rate",
        .value = rate_text(ended, runs.success_rate()),
        .note = "of " + counted(ended, "run") + " that ended",
        .tone = ended == 0        ? Tone::kPlain
                : runs.failed > 0 ? Tone::kBad
                                  : Tone::kGood},
       {.label = "Average duration", .value = duration_text(runs.duration_ms, &Spread::average)},
       {.label = "Active workflows", .value = grouped(report.workflows)}}};
}

std::string where_of(const EventEntry& entry) {
  auto place = entry.pipeline_id;
  if (!entry.node_id.empty()) place += " / " + entry.node_id;
  if (entry.attempt > 1) place += ", attempt " + std::to_string(entry.attempt);
  if (!entry.agent_id.empty()) place += ", agent " + entry.agent_id;
  return place;
}

Tone tone_of(const EventEntry& entry) {
  if (entry.level == "ERROR" || entry.level == "FATAL") return Tone::kBad;
  if (entry.level == "WARNING") return Tone::kWarn;
  return entry.level == "DEBUG" ? Tone::kMuted : Tone::kPlain;
}

std::string said(const EventEntry& entry) {
  return entry.error_type.empty()
             ? entry.text
             : entry.error_type + (entry.text.empty() ? "" : ": ") + entry.text;
}

std::string after(Timestamp begin, Timestamp at) {
  const auto ms = std::chrono::duration<double, std::milli>(at - begin).count();
  return (ms < 0 ? "−" : "+") + text::duration(std::abs(ms));
}

std::vector<Cell> event_row(const EventEntry& entry, Timestamp begin) {
  return {{.text = after(begin, entry.at), .tone = Tone::kMuted},
          {.text = entry.event_type, .tone = tone_of(entry)},
          {.text = entry.node_id.empty() ? entry.agent_id : entry.node_id},
          {.text = entry.duration_ms ? text::duration(*entry.duration_ms) : ""},
          {.text = said(entry)}};
}

std::string error_title(const EventEntry& entry) {
  if (!entry.error_type.empty()) return entry.error_type;
  return entry.agent_id.empty() ? entry.event_type : "Agent " + entry.agent_id;
}

Table context_table(const ErrorEntry& error) {
  Table table{.columns = {{"time", Kind::kNumber},
                          {"event"},
                          {"node or agent"},
                          {"took", Kind::kNumber},
                          {"what it says"}}};
  for (const auto& entry : error.before) table.rows.push_back(event_row(entry, error.error.at));
  table.rows.push_back(event_row(error.error, error.error.at));
  for (const auto& entry : error.after) table.rows.push_back(event_row(entry, error.error.at));
  return table;
}

Tone state_tone(const std::string& state) {
  if (state == "completed") return Tone::kGood;
  if (state == "failed") return Tone::kBad;
  return state == "running" ? Tone::kPlain : Tone::kWarn;
}

/// It tells runs of one day apart; their beginnings are equal.
std::string id_end(const std::string& run_id) {
  constexpr std::size_t kShown = 8;
  return run_id.size() <= kShown ? run_id : run_id.substr(run_id.size() - kShown);
}

Table traced_runs(const WorkflowTrace& trace) {
  Table table{.columns = {{"run", Kind::kCode},
                          {"pipeline"},
                          {"state"},
                          {"started (UTC)"},
                          {"took", Kind::kNumber}}};
  for (const auto& run : trace.runs) {
    table.rows.push_back({{.text = run.run_id},
                          {.text = run.pipeline_id},
                          {.text = run.state, .tone = state_tone(run.state)},
                          {.text = moment(run.started_at)},
                          {.text = run.duration_ms ? text::duration(*run.duration_ms) : "–"}});
  }
  return table;
}

}  // namespace

Tone success_tone(const RunFigures& runs) {
  constexpr double kWell = 0.9;
  if (runs.ended() == 0) return Tone::kPlain;
  if (runs.completed == runs.ended()) return Tone::kGood;
  return runs.success_rate() >= kWell ? Tone::kWarn : Tone::kBad;
}

std::string rate_text(std::uint64_t all, double rate) { return all == 0 ? "–" : percent(rate); }

std::string duration_text(const Spread& spread, double Spread::* which) {
  return spread.count == 0 ? "–" : text::duration(spread.*which);
}

std::vector<std::pair<std::string, std::string>> facts_of(const ReportWindow& window) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"Runs begun", moment(window.since) + " to " + moment(window.until)}};
  if (!window.pipeline_id.empty()) facts.emplace_back("Pipeline", window.pipeline_id);
  if (!window.tenant_id.empty()) facts.emplace_back("Tenant", window.tenant_id);
  facts.emplace_back("Made", moment(window.made_at));
  return facts;
}

Table agents_table(const std::vector<AgentStats>& agents) {
  Table table{.columns = {{"agent"},
                          {"runs", Kind::kNumber},
                          {"success", Kind::kNumber},
                          {"failed", Kind::kNumber},
                          {"partial", Kind::kNumber},
                          {"timeout", Kind::kNumber},
                          {"average", Kind::kNumber},
                          {"p95", Kind::kNumber},
                          {"tokens", Kind::kNumber},
                          {"cost", Kind::kNumber}},
              .empty = "No agent ran in this window."};
  for (const auto& agent : agents) {
    table.rows.push_back(
        {{.text = agent.agent_id},
         {.text = grouped(agent.runs)},
         {.text = percent(agent.success_rate()),
          .tone = agent.success == agent.runs ? Tone::kGood : Tone::kPlain},
         {.text = grouped(agent.failure), .tone = agent.failure > 0 ? Tone::kBad : Tone::kMuted},
         {.text = grouped(agent.partial), .tone = agent.partial > 0 ? Tone::kWarn : Tone::kMuted},
         {.text = grouped(agent.timeout), .tone = agent.timeout > 0 ? Tone::kBad : Tone::kMuted},
         {.text = duration_text(agent.duration_ms, &Spread::average)},
         {.text = duration_text(agent.duration_ms, &Spread::p95)},
         {.text = grouped(agent.input_tokens + agent.output_tokens)},
         {.text = dollars(agent.cost_usd)}});
  }
  return table;
}

Table errors_table(std::uint64_t total, const std::vector<ErrorCount>& by_type) {
  Table table{.columns = {{"type"}, {"count", Kind::kNumber}, {"last (UTC)", Kind::kNumber}},
              .empty = "No error in this window."};
  std::uint64_t shown = 0;
  const double most = by_type.empty() ? 1 : static_cast<double>(by_type.front().count);
  for (const auto& error : by_type) {
    shown += error.count;
    table.rows.push_back(
        {{.text = error.type, .tone = Tone::kBad, .bar = static_cast<double>(error.count) / most},
         {.text = grouped(error.count)},
         {.text = moment(error.last_at)}});
  }
  if (shown < total) table.note = "… and " + grouped(total - shown) + " of other types.";
  return table;
}

Tiles artifact_tiles(const ArtifactCounts& artifacts) {
  return {{{.label = "Created", .value = grouped(artifacts.created)},
           {.label = "Pending review",
            .value = grouped(artifacts.pending),
            .tone = artifacts.pending > 0 ? Tone::kWarn : Tone::kPlain},
           {.label = "Approved",
            .value = grouped(artifacts.approved),
            .tone = artifacts.approved > 0 ? Tone::kGood : Tone::kPlain},
           {.label = "Rejected",
            .value = grouped(artifacts.rejected),
            .tone = artifacts.rejected > 0 ? Tone::kBad : Tone::kPlain}}};
}

Document to_document(const DailySummary& report) {
  Document document{.title = "Daily summary, " + report.date, .facts = facts_of(report.window)};
  document.sections.push_back({.title = "Overview", .blocks = {day_tiles(report)}});
  document.sections.push_back(agents_section(report.agents));
  document.sections.push_back({.title = "Errors: " + grouped(report.errors),
                               .blocks = {errors_table(report.errors, report.errors_by_type)}});
  document.sections.push_back({.title = "Artifacts", .blocks = {artifact_tiles(report.artifacts)}});
  return document;
}

Document to_document(const AgentReport& report) {
  Document document{.title = "Agents", .facts = facts_of(report.window)};
  document.facts.front().first = "Ended";
  document.sections.push_back({.title = "", .blocks = {agents_table(report.agents)}});
  for (const auto& agent : report.agents) {
    const auto versions = text::join(agent.versions), models = text::join(agent.models);
    document.sections.push_back(
        {.title = agent.agent_id,
         .blocks = {Tiles{{{.label = "Duration, median",
                            .value = duration_text(agent.duration_ms, &Spread::median),
                            .note = "longest " + duration_text(agent.duration_ms, &Spread::max)},
                           {.label = "Tokens read", .value = grouped(agent.input_tokens)},
                           {.label = "Tokens written", .value = grouped(agent.output_tokens)},
                           {.label = "Citations a run", .value = or_dash(agent.citations)},
                           {.label = "Words a run", .value = or_dash(agent.words)},
                           {.label = "Completeness",
                            .value = agent.completeness ? percent(*agent.completeness) : "–",
                            .note = agent.uncertain_areas == 0
                                        ? ""
                                        : counted(agent.uncertain_areas, "uncertain area")}}},
                    Paragraph{.text = "Last run " + moment(agent.last_run_at) +
                                      (versions.empty() ? "" : ", versions " + versions) +
                                      (models.empty() ? "" : ", models " + models) + ".",
                              .tone = Tone::kMuted}}});
  }
  return document;
}

Document to_document(const ErrorReport& report) {
  Document document{.title = "Recent errors", .facts = facts_of(report.window)};
  document.facts.front().first = "Happened";
  if (report.errors.empty()) {
    document.sections.push_back(
        {.title = "",
         .blocks = {Paragraph{.text = "No error in this window.", .tone = Tone::kGood}}});
  } else if (report.errors.size() < report.total) {
    document.subtitle =
        "The newest " + grouped(report.errors.size()) + " of " + grouped(report.total);
  }
  for (const auto& error : report.errors) {
    const auto& entry = error.error;
    document.sections.push_back(
        {.title = error_title(entry),
         .blocks = {
             Paragraph{.text = entry.text, .tone = Tone::kBad},
             Paragraph{.text = moment(entry.at) + ", " + where_of(entry) + ", run " + entry.run_id,
                       .tone = Tone::kMuted},
             context_table(error)}});
  }
  return document;
}

Document to_document(const WorkflowTrace& trace) {
  Document document{.title = "Trace of " + trace.id, .facts = {{"Made", moment(trace.made_at)}}};
  document.sections.push_back(
      {.title = counted(trace.runs.size(), "run"), .blocks = {traced_runs(trace)}});
  Table table{.columns = {{"time", Kind::kNumber},
                          {"event"},
                          {"node or agent"},
                          {"took", Kind::kNumber},
                          {"what it says"}},
              .empty = "Nothing happened."};
  const bool names_runs = trace.runs.size() > 1;
  if (names_runs) table.columns.insert(table.columns.begin() + 1, {"run", Kind::kCode});
  const auto begin = trace.events.empty() ? Timestamp() : trace.events.front().at;
  for (const auto& entry : trace.events) {
    auto row = event_row(entry, begin);
    if (names_runs) row.insert(row.begin() + 1, {.text = id_end(entry.run_id)});
    table.rows.push_back(std::move(row));
  }
  if (trace.events.size() < trace.total_events) {
    table.note = "… and " + grouped(trace.total_events - trace.events.size()) + " more events.";
  }
  document.sections.push_back(
      {.title = counted(trace.total_events, "event"), .blocks = {std::move(table)}});
  return document;
}

}  // namespace weir::report
