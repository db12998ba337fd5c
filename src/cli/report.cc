#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/priority.h"
#include "cli/command.h"
#include "cli/run_list.h"
#include "cli/usage.h"
#include "export/metrics_files.h"
#include "report/figures.h"
#include "report/metrics_document.h"
#include "report/moment.h"
#include "report/recorded_metrics.h"
#include "report/report_json.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct ReportOptions {
  std::string kind = "summary";
  std::string what;
  std::string since;
  std::string until;
  std::string pipeline;
  std::optional<std::string> tenant;
  std::string format;
  std::string output;
  std::optional<std::size_t> limit;
  bool json = false;
};

constexpr std::size_t kRecentErrors = 10;
constexpr std::size_t kTracedEvents = 10'000;

/// The format that is named, else that of the file's ending; text of one without. Errors:
/// kInvalidInput (another ending).
Result<std::string> report_format(const ReportOptions& options) {
  if (options.json && !options.format.empty() && options.format != "json") {
    return fail(ErrorCode::kInvalidInput, "--json and --format " + options.format + " exclude");
  }
  if (options.json) return "json";
  if (!options.format.empty()) return options.format;
  static const std::map<std::string, std::string> formats = {
      {"", "text"},     {".txt", "text"},  {".md", "md"},           {".html", "html"},
      {".htm", "html"}, {".json", "json"}, {".prom", "prometheus"}, {".parquet", "parquet"}};
  const auto ending = std::filesystem::path(options.output).extension().string();
  if (const auto found = formats.find(ending); found != formats.end()) return found->second;
  return fail(ErrorCode::kInvalidInput, "--output " + options.output +
                                            ": .txt, .md, .html, .json, .prom or .parquet says " +
                                            "what it is to be, or --format");
}

/// What is asked for that the kind does not have. Errors: kInvalidInput.
Result<void> check_report(const ReportOptions& options, const std::string& format) {
  const auto& kind = options.kind;
  const auto refuse = [](std::string why) {
    return fail(ErrorCode::kInvalidInput, std::move(why));
  };
  if (kind == "trace" && options.what.empty()) {
    return refuse("trace of what? Example: weir report trace last");
  }
  if (!options.what.empty() && kind != "trace" && kind != "daily" && kind != "agents") {
    return refuse("unexpected argument '" + options.what + "'");
  }
  const bool has_window = !options.since.empty() || !options.until.empty();
  if (has_window && (kind == "daily" || kind == "trace")) {
    return refuse(kind == "daily" ? "a daily summary is of one day: weir report daily 2026-01-05"
                                  : "a trace is of all that happened, without --since or --until");
  }
  if (options.tenant == "" && kind != "trace") return refuse("--tenant: a name is expected");
  if (options.limit && kind != "errors" && kind != "trace") {
    return refuse("--limit is for errors and trace");
  }
  if ((format == "prometheus" || format == "parquet") && kind != "metrics") {
    return refuse("--format " + format + " is for metrics: weir report metrics --format " + format);
  }
  if (format == "parquet" && options.output.empty()) {
    return refuse("--format parquet needs --output FILE");
  }
  return {};
}

/// Of what is no data.
ReportFormat public_format(const std::string& format) {
  if (format == "md") return ReportFormat::kMarkdown;
  return format == "html" ? ReportFormat::kHtml : ReportFormat::kText;
}

/// With what it had to leave out, which standard error says, too.
std::string json_text(json::Object report, const report::Source& source) {
  json::Array problems;
  for (const auto& place : source.bad->all()) {
    if (place.is_whole) continue;
    json::Object one;
    one.set("file", place.file.string());
    one.set("offset", place.offset);
    one.set("reason", place.reason);
    problems.emplace_back(std::move(one));
  }
  report.set("problems", std::move(problems));
  return json::to_pretty_text(report) + "\n";
}

template <class Report>
Result<std::string> rendered(Result<Report> report, const report::Source& source,
                             const std::string& format) {
  if (!report) return std::unexpected(std::move(report).error());
  if (format == "json") return json_text(report::to_json(*report), source);
  return render(*report, public_format(format));
}

/// Of a workflow or a run by its id, or of the run that a person means.
Result<WorkflowTrace> trace_of(const report::Source& source, const ReportOptions& options) {
  const auto limit = options.limit.value_or(kTracedEvents);
  auto named = report::workflow_trace(source, options.what, limit, options.tenant);
  if (!named && named.error().code == ErrorCode::kNotFound) {
    WEIR_TRY(const auto run, find_run(source.store, {options.what, options.tenant}));
    return report::workflow_trace(source, run.state.run_id.text(), limit, run.tenant_id);
  }
  std::vector<std::string> tenants;
  for (const auto& run : named ? named->runs : std::vector<TracedRun>()) {
    if (run.run_id == options.what) tenants.push_back(run.tenant_id);
  }
  if (tenants.size() > 1) return of_several("a run " + options.what, std::move(tenants));
  return named;
}

Result<std::string> metrics_of_store(const report::Source& source, const ReportScope& scope,
                                     const std::string& format) {
  WEIR_TRY(const auto metrics, report::recorded_metrics(source, scope));
  const auto now = source.clock.now();
  if (format == "prometheus") return exporting::to_prometheus(metrics, now);
  if (format == "json") return json_text(exporting::to_json(metrics, now), source);
  if (format == "parquet") return exporting::to_parquet(metrics);
  if (format == "text") return exporting::metrics_report(metrics, now);
  return report::render_metrics(metrics, now, public_format(format));
}

/// Which runs; of a day, the day's. Errors: kInvalidInput.
Result<ReportScope> scope_of(const ReportOptions& options, Timestamp now) {
  ReportScope scope;
  if (options.kind == "daily") {
    WEIR_TRY(const auto moment, moment_of("DATE", options.what, now));
    scope = report::day_of(moment.value_or(now));
  } else {
    WEIR_TRY(scope.since, moment_of("--since", options.since, now));
    WEIR_TRY(scope.until, moment_of("--until", options.until, now));
  }
  scope.pipeline_id = options.pipeline;
  scope.tenant_id = options.tenant.value_or("");
  WEIR_TRY(report::window_of(scope, now));
  return scope;
}

Result<std::string> make_report(const report::Source& source, const ReportOptions& options,
                                const ReportScope& scope, const std::string& format) {
  if (options.kind == "metrics") return metrics_of_store(source, scope, format);
  if (options.kind == "agents") {
    return rendered(report::agents(source, options.what, scope), source, format);
  }
  if (options.kind == "errors") {
    const auto limit = options.limit.value_or(kRecentErrors);
    return rendered(report::recent_errors(source, limit, scope), source, format);
  }
  if (options.kind == "trace") return rendered(trace_of(source, options), source, format);
  if (options.kind == "daily")
    return rendered(report::daily_summary(source, scope), source, format);
  return rendered(report::summary(source, scope), source, format);
}

int wrong_usage(const Error& error) {
  std::fprintf(stderr, "weir: %s\n", error.message.c_str());
  return kWrongUsage;
}

int report_command(const ReportOptions& options, const Invocation& invocation) {
  const auto format = report_format(options);
  if (!format) return wrong_usage(format.error());
  if (const auto fits = check_report(options, *format); !fits) return wrong_usage(fits.error());
  const auto scope = scope_of(options, system_clock().now());
  if (!scope) return wrong_usage(scope.error());
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  set_thread_priority(Priority::kAsking);
  compact_when_due(*store);
  const report::Source source{.store = *store, .bad = std::make_shared<store::BadPlaces>()};
  auto text = make_report(source, options, *scope, *format);
  if (!text) {
    // What a person named and the store does not have is no fault of the store.
    if (text.error().code == ErrorCode::kNotFound) text.error().code = ErrorCode::kInvalidInput;
    return complain_of_name(text.error());
  }
  warn_of_damage(source.bad->all());
  if (options.output.empty() || options.output == "-") {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return kDone;
  }
  const auto written = write_file_durably(options.output, *text);
  if (written) return kDone;
  complain(Error(written.error()).within("the report cannot be written"));
  return kFailed;
}

}  // namespace

void add_report(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = app.add_subcommand("report", "Say how runs, nodes, agents and errors have been");
  expect_word(
      command->add_option("kind", options->kind,
                          "What: summary (default), daily, agents, errors, trace or metrics"),
      {"summary", "daily", "agents", "errors", "trace", "metrics"});
  command->add_option(
      "what", options->what,
      "daily: the date (default: today); agents: one agent; trace: a workflow's id, "
      "or a run: last, its id, or a beginning or end of it");
  command->add_option("--since", options->since,
                      "Runs begun since then: 24h (default), 7d, 2026-01-05, today, … in UTC");
  command->add_option("--until", options->until, "Runs begun before then (default: now)");
  command->add_option("--pipeline", options->pipeline, "Only this pipeline");
  add_whose(*command, "runs", options->tenant);
  expect_number(command->add_option("--limit", options->limit,
                                    "errors: how many (default: 10); trace: how many events "
                                    "(default: 10000)"),
                1, 10'000'000);
  expect_word(command->add_option("--format", options->format,
                                  "text (default), md, html or json; metrics also as prometheus or "
                                  "parquet"),
              {"text", "md", "html", "json", "prometheus", "parquet"});
  command->add_flag("--json", options->json, "Short for --format json");
  command->add_option("-o,--output", options->output,
                      "Write it to a file, whose ending says the format");
  command->footer("Example: weir report --since 7d --output week.html");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return report_command(*options, invocation); };
  });
}

}  // namespace weir::cli
