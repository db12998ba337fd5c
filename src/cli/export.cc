#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exports.h"
#include "cli/interrupt.h"
#include "cli/run_list.h"
#include "cli/usage.h"
#include "event/observed.h"
#include "export/bulk_sender.h"
#include "export/format.h"
#include "report/moment.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct ExportOptions {
  std::string format;
  NamedRun run;
  std::string since;
  std::optional<Timestamp> begun_since;
  std::string output;
  config::Export target;
  std::vector<std::string> headers;
  std::optional<std::string> cursor;
  std::optional<double> sampling;
  bool follow = false;
  bool grpc = false;
};

/// Which events: those of a run, of a tenant, of runs that began late enough.
class WantedEvents {
 public:
  WantedEvents(std::optional<std::string> tenant, std::optional<project::RunKey> run,
               std::optional<Timestamp> since)
      : tenant_(std::move(tenant)), run_(std::move(run)), since_(since) {}

  [[nodiscard]] bool has(const event::EventView& event) {
    if (run_) {
      if (project::RunKey::of(event) == *run_) return true;
      // What a process of Weir says of the run stands in the trace, too; what other runs say of it
      // is theirs.
      return is_of_process(event) && run_->may_be_meant_by(event) &&
             event.text(event::Field::kTargetRunId) == run_->run_id.text();
    }
    if (tenant_ && event.text(event::Field::kTenantId) != *tenant_) return false;
    if (!since_) return true;
    // A run's events come in their order: the first decides.
    const auto [at, is_new] = begun_late_.try_emplace(project::RunKey::of(event), false);
    if (is_new) at->second = event.timestamp() >= *since_;
    return at->second;
  }

 private:
  [[nodiscard]] static bool is_of_process(const event::EventView& event) {
    return event.text(event::Field::kPipelineId) == event::kOwnPipeline &&
           event.text(event::Field::kPipelineType) == event::kObserved;
  }

  const std::optional<std::string> tenant_;
  const std::optional<project::RunKey> run_;
  const std::optional<Timestamp> since_;
  std::unordered_map<project::RunKey, bool> begun_late_;
};

/// A file, or standard output.
class Output {
 public:
  [[nodiscard]] static Result<Output> open(const std::string& path) {
    if (path.empty() || path == "-") return Output(stdout, "standard output");
    auto* file = std::fopen(path.c_str(), "wbe");
    if (file == nullptr) return fail_errno("open " + path);
    return Output(file, path);
  }
  [[nodiscard]] Result<void> write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
    return fail_errno("write " + name_);
  }
  [[nodiscard]] Result<void> close() {
    auto* file = std::exchange(file_, nullptr);
    const int status = file == stdout ? std::fflush(file) : std::fclose(file);
    return status == 0 ? Result<void>() : fail_errno("write " + name_);
  }

  Output(Output&& other) noexcept
      : file_(std::exchange(other.file_, nullptr)), name_(std::move(other.name_)) {}
  Output& operator=(Output&&) = delete;
  ~Output() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }

 private:
  Output(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}
  std::FILE* file_;
  std::string name_;
};

/// Errors: kInvalidInput of what is named and is not there.
Result<WantedEvents> wanted_events(const ExportOptions& options, const log::StoreDirectory& store) {
  std::optional<project::RunKey> key;
  if (!options.run.name.empty()) {
    WEIR_TRY(const auto run, find_run(store, options.run));
    key = run.key();
  }
  return WantedEvents(options.run.tenant, std::move(key), options.begun_since);
}

/// Nothing is held but what the format holds.
Result<void> write_events(const ExportOptions& options, const log::StoreDirectory& store,
                          WantedEvents wanted, exporting::FormatWriter& writer) {
  std::optional<RunId> run;
  if (!options.run.name.empty()) {
    WEIR_TRY(run, find_run_id(store, options.run));
  }
  const auto read = store::read_lines(
      store, run, [&](const event::EventView& event, std::string_view line) -> Result<void> {
        return wanted.has(event) ? writer.add(event, line) : Result<void>();
      });
  if (!read) return std::unexpected(read.error());
  warn_of_damage(read->bad);
  return writer.end();
}

int write_output(const ExportOptions& options, const log::StoreDirectory& store,
                 WantedEvents wanted) {
  auto output = Output::open(options.output);
  if (!output) {
    complain(Error(output.error()).within("the export cannot be written"));
    return kFailed;
  }
  const auto* format = exporting::find_format(options.format);
  WEIR_CHECK(format != nullptr);
  const auto writer =
      format->make([&output](std::string_view bytes) { return output->write(bytes); });
  auto written = write_events(options, store, std::move(wanted), *writer);
  if (written) written = output->close();
  return written ? kDone : complain(written.error());
}

/// Sends the spans of what is there.
class SendingWriter final : public exporting::SpanFormatWriter {
 public:
  SendingWriter(exporting::SendRequest send, std::stop_token stop)
      : sender_(
            std::move(send),
            {.on_problem = [](const std::string& problem) { say("weir: %s\n", problem.c_str()); }}),
        stop_(std::move(stop)) {}
  [[nodiscard]] const exporting::SenderStatistics& statistics() const {
    return sender_.statistics();
  }

 private:
  Result<void> put(project::Span&& span) override {
    constexpr std::size_t kBatch = 512;
    spans_.push_back(std::move(span));
    return spans_.size() < kBatch ? Result<void>() : end_spans();
  }
  Result<void> end_spans() override {
    auto sent = sender_.send(spans_, stop_);
    spans_.clear();
    return sent;
  }

  exporting::SpanSender sender_;
  const std::stop_token stop_;
  std::vector<project::Span> spans_;
};

int send_documents(const ExportOptions& options, const log::StoreDirectory& store,
                   WantedEvents wanted) {
  const InterruptStop interrupt("");
  const auto writer = exporting::BulkWriter::make(
      {.endpoint = options.target.endpoint,
       .headers = {options.target.headers.begin(), options.target.headers.end()}},
      {.on_problem = [](const std::string& problem) { say("weir: %s\n", problem.c_str()); }},
      interrupt.token());
  if (!writer) {
    complain(writer.error());
    return kWrongUsage;
  }
  const auto sent = write_events(options, store, std::move(wanted), **writer);
  if (!sent) return complain(sent.error());
  const auto& statistics = (*writer)->statistics();
  say("weir: %s sent, %s there before\n", text::count(statistics.created, "document").c_str(),
      std::to_string(statistics.there).c_str());
  return statistics.refused == 0 ? kDone : kFailed;
}

int send_spans(const ExportOptions& options, const log::StoreDirectory& store,
               WantedEvents wanted) {
  auto transport = transport_of(options.target);
  if (!transport) {
    complain(transport.error());
    return kWrongUsage;
  }
  const InterruptStop interrupt("");
  SendingWriter writer(*std::move(transport), interrupt.token());
  const auto sent = write_events(options, store, std::move(wanted), writer);
  const auto& statistics = writer.statistics();
  if (!sent) return complain(sent.error());
  say("weir: %s sent\n", text::count(statistics.sent, "span").c_str());
  return statistics.refused == 0 ? kDone : kFailed;
}

/// Until Ctrl-C: what ends, and what has ended since it was here before.
int follow_runs(const ExportOptions& options, const log::StoreDirectory& store) {
  const InterruptStop interrupt("");
  const auto exporter = start_export(options.target, store);
  if (!exporter) {
    complain(exporter.error());
    return exporter.error().code == ErrorCode::kInvalidInput ? kWrongUsage : kStoreFailed;
  }
  while (exporting::wait_or_stop(std::chrono::hours(1), interrupt.token())) {
  }
  return kDone;
}

/// What the options say together. Errors: kInvalidInput.
Result<void> complete(ExportOptions& options) {
  const bool sends = !options.target.endpoint.empty();
  const auto refuse = [](std::string why) {
    return fail(ErrorCode::kInvalidInput, std::move(why));
  };
  const bool is_bulk = options.format == "elasticsearch";
  if (sends && options.format != "otlp" && !is_bulk) {
    return refuse("--endpoint is for otlp and elasticsearch");
  }
  if (is_bulk && (options.follow || options.grpc)) {
    return refuse("--follow and --grpc are for otlp");
  }
  if (sends && !options.output.empty()) return refuse("--endpoint and --output exclude");
  if (!sends && (options.follow || options.grpc || !options.headers.empty())) {
    return refuse("--follow, --grpc and --header need --endpoint");
  }
  if (!options.follow && (options.cursor || options.sampling)) {
    return refuse("--name and --sampling need --follow");
  }
  if (options.cursor && options.cursor->empty()) return refuse("--name: a name is expected");
  if (options.follow && (!options.run.name.empty() || !options.since.empty())) {
    return refuse("--follow goes on from its cursor, without --run and --since");
  }
  for (const auto& header : options.headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return refuse("--header: 'Name: value' is expected");
    }
    const auto value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    options.target.headers[header.substr(0, colon)] = header.substr(value);
  }
  if (!options.since.empty()) {
    options.begun_since = report::parse_moment(options.since, system_clock().now());
    if (!options.begun_since) {
      return refuse("--since '" + options.since +
                    "': 24h, 7d, today or 2026-01-05 03:00 is expected");
    }
  }
  options.target.tenant = options.run.tenant.value_or("");
  options.target.name = options.cursor.value_or("otlp");
  if (options.sampling) options.target.sampling = *options.sampling;
  if (options.grpc) options.target.protocol = config::ExportProtocol::kGrpc;
  return {};
}

int export_events(ExportOptions& options, const Invocation& invocation) {
  if (const auto completed = complete(options); !completed) {
    complain(completed.error());
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  if (options.follow) return follow_runs(options, *store);
  auto wanted = wanted_events(options, *store);
  if (!wanted) return complain_of_name(wanted.error());
  if (!options.target.endpoint.empty()) {
    const bool is_bulk = options.format == "elasticsearch";
    return is_bulk ? send_documents(options, *store, *std::move(wanted))
                   : send_spans(options, *store, *std::move(wanted));
  }
  return write_output(options, *store, *std::move(wanted));
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& format : exporting::formats()) names.emplace_back(format.name);
  return names;
}

std::string format_help() {
  std::string help = "Formats:";
  for (const auto& format : exporting::formats()) {
    help.append("\n  ").append(format.name).append(": ").append(format.doc);
  }
  return help.append("\nExample: weir export chrome --run last --output trace.json");
}

}  // namespace

void add_export(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ExportOptions>();
  auto* command =
      app.add_subcommand("export", "Write events or spans in the format of another system");
  expect_word(command->add_option("format", options->format, "What to write")->required(),
              format_names());
  command->add_option("--run", options->run.name, "Only this run: its id, a part of it, or `last`");
  add_whose(*command, "events", options->run.tenant);
  command->add_option("--since", options->since,
                      "Only runs begun since then: 24h, 7d, 2026-01-05, today, … in UTC");
  command->add_option("-o,--output", options->output, "The file; standard output if absent");
  command->add_option("--endpoint", options->target.endpoint,
                      "otlp, elasticsearch: send it to this URL, and say how many there were");
  command->add_flag("--grpc", options->grpc, "--endpoint: over gRPC; without it over HTTP");
  command
      ->add_option("--header", options->headers,
                   "With every request, as 'Name: value'; may be given more than once")
      ->allow_extra_args(false);
  command->add_flag("-f,--follow", options->follow,
                    "Go on with the runs that end, until Ctrl-C, and from there the next time");
  command->add_option("--name", options->cursor,
                      "--follow: of the cursor that is kept in the store (default: otlp)");
  command
      ->add_option("--sampling", options->sampling,
                   "--follow: which part of the traces without an error is sent (default: 0.1)")
      ->check(CLI::Range(0.0, 1.0));
  command->footer(format_help());
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return export_events(*options, invocation); };
  });
}

}  // namespace weir::cli
