#include "cli/run_job.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/keeping.h"
#include "cli/nested_pipelines.h"
#include "cli/pipeline_run.h"
#include "cli/problems.h"
#include "cli/progress.h"
#include "cli/recording.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "cli/tools.h"
#include "cli/usage.h"
#include "engine/lost_run.h"
#include "engine/registry_events.h"
#include "engine/run_place.h"
#include "pipeline/execution_modes.h"
#include "pipeline/registry.h"
#include "project/run_state.h"
#include "store/history.h"

namespace weir::cli {
namespace {

/// The last words of the node that failed, from the record.
void print_last_lines(const log::StoreDirectory& store, const engine::RunReport& report) {
  project::RunState state;
  const auto read = store::read_run(store, report.run_id, [&](const event::EventView& event) {
    state.apply(event);
    return Result<void>();
  });
  const auto* node = read ? state.find_node(report.failed_node_id) : nullptr;
  if (node == nullptr || node->last_log_lines.empty()) return;
  say("  its last lines:\n");
  for (const auto& line : node->last_log_lines) {
    say("    | %s\n", text::printable(line).c_str());
  }
}

void print_summary(const HowToRun& how, const pipeline::Definition& definition,
                   const log::StoreDirectory& store, const engine::RunReport& report) {
  const bool coloured = is_coloured(stderr);
  const auto run = report.run_id.text();
  const auto took = text::duration(report.duration_ms);
  switch (report.outcome) {
    case pipeline::RunOutcome::kCompleted:
      if (!report.failed_node_id.empty()) {
        say("%s: node '%s' failed: %s\n",
            paint(coloured, Colour::kYellow, definition.id + " completed in part").c_str(),
            report.failed_node_id.c_str(), text::printable(report.failure.message).c_str());
        break;
      }
      if (how.quiet) return;
      say("%s: %s in %s, run %s\n",
          paint(coloured, Colour::kGreen, definition.id + " completed").c_str(),
          text::count(definition.nodes.size(), "node").c_str(), took.c_str(), run.c_str());
      return;
    case pipeline::RunOutcome::kFailed:
      say("%s after %s: %s: %s\n", paint(coloured, Colour::kRed, definition.id + " failed").c_str(),
          took.c_str(), report.failure.type.c_str(),
          text::printable(report.failure.message).c_str());
      print_last_lines(store, report);
      break;
    case pipeline::RunOutcome::kCancelled:
      say("%s after %s\n", paint(coloured, Colour::kYellow, definition.id + " cancelled").c_str(),
          took.c_str());
      break;
  }
  for (const auto& [node, message] : report.undo_failures) {
    say("  not undone: node '%s': %s\n", node.c_str(), text::printable(message).c_str());
  }
  say("  look closer: weir show %s\n", run.c_str());
}

json::Value printed_result(const HowToRun& how, const pipeline::Definition& definition,
                           engine::RunReport& report) {
  if (!how.all_outputs) return std::move(report.result);
  json::Object outputs;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    if (report.outputs[i]) outputs.set(definition.nodes[i].id.text, *report.outputs[i]);
  }
  return outputs;
}

int refuse(engine::Engine& engine, const pipeline::Definition& definition,
           const std::vector<Problem>& problems, const std::string& file,
           const std::string& tenant_id) {
  const auto text = to_text(problems, file);
  say("%s\n", text.c_str());
  const auto refused = engine.record_refusal(definition, "ValidationError", text, tenant_id);
  if (!refused) return complain(refused.error());
  say("weir: nothing was run: %s\n", text::count(problems.size(), "problem").c_str());
  return kFailed;
}

using BoundParams = std::expected<json::Object, std::vector<Problem>>;

/// What is wrong with the file; if nothing is, what keeps this run of it from being what it says.
std::vector<Problem> reasons_to_refuse(const pipeline::File& file, const tool::Registry& tools,
                                       const NestedPipelines& nested, const Secrets& secrets,
                                       const BoundParams& params, const std::string& mode) {
  auto problems = pipeline::problems_of(file, tools);
  problems.insert(problems.end(), nested.problems().begin(), nested.problems().end());
  pipeline::sort_problems(problems);
  if (!problems.empty()) return problems;
  problems.insert(problems.end(), secrets.problems.begin(), secrets.problems.end());
  const auto of_mode = pipeline::mode_problems(file.definition, mode);
  problems.insert(problems.end(), of_mode.begin(), of_mode.end());
  if (!params) problems.insert(problems.end(), params.error().begin(), params.error().end());
  return problems;
}

std::string mode_of(const RunJob& job) {
  if (job.owned != nullptr) return job.owned->recorded.execution_mode;
  return job.execution_mode.empty() ? engine::execution_mode_around() : job.execution_mode;
}

/// Of all pipelines that may run: the recorder must know them before anything is recorded.
Secrets secrets_of(const RunJob& job, const NestedPipelines& nested,
                   const log::StoreDirectory& store, const artifact::ArtifactStore& artifacts) {
  std::vector<const pipeline::Definition*> definitions = {&job.file.definition};
  for (const auto& one : nested.all()) definitions.push_back(&one->file.definition);
  std::vector<pipeline::Definition> lost;
  if (job.owned != nullptr) lost = engine::definitions_below(store, artifacts, job.owned->recorded);
  for (const auto& one : lost) definitions.push_back(&one);
  return fetch_secrets(definitions, job.settings, config::process_environment());
}

/// What the registry has and, unless it is refused, that a run of it begins. What cannot be
/// recorded here fails the run itself, which says so.
void tell_of_registry(const RunJob& job, const std::optional<RunId>& run,
                      const tool::Registry& tools, const artifact::ArtifactStore& artifacts,
                      record::Recorder& recorder) {
  if (job.registry == nullptr) return;
  const auto* entry = job.registry->find(job.file.definition.id);
  if (run && entry != nullptr) {
    static_cast<void>(engine::record_fetched(*entry, *run, recorder, job.tenant_id));
  }
  static_cast<void>(
      engine::record_registry(*job.registry, tools, recorder, artifacts, job.tenant_id));
}

/// A recorded run that cannot go on stays as it is.
int leave(const std::vector<Problem>& problems, const std::string& file) {
  say("%s\nweir: the run was not resumed: %s\n", to_text(problems, file).c_str(),
      text::count(problems.size(), "problem").c_str());
  return kFailed;
}

/// Tells the person how the run ended: the exit code.
int conclude(const HowToRun& how, const pipeline::Definition& definition,
             const log::StoreDirectory& store, engine::RunReport& report) {
  print_summary(how, definition, store, report);
  if (const auto& lost = report.record_error) {
    say("weir: the record of this run is incomplete: %s\n", lost->message.c_str());
  }
  if (report.outcome != pipeline::RunOutcome::kCompleted) return kFailed;
  std::printf("%s\n", json::to_pretty_text(printed_result(how, definition, report)).c_str());
  return kDone;
}

}  // namespace

HowToRun::HowToRun() : jobs(static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))) {}

void add_how_to_run(CLI::App& command, HowToRun& how) {
  expect_number(command.add_option("--jobs", how.jobs,
                                   "Nodes that may run at a time (default: the processors)"),
                1, 1024);
  command.add_flag("--all-outputs", how.all_outputs, "Print every node's output by its id");
  command.add_flag("--quiet", how.quiet, "No progress, only errors and the result");
  command.add_flag("--no-cache", how.no_cache, "Take no output out of the cache; keep this run's");
}

namespace {

/// What runs need beside the job.
struct Surroundings {
  const RunId& run_id;                ///< of the first run, if it is a new one
  const std::filesystem::path& path;  ///< of the file, absolute
  const json::Object& params;
  const Secrets& secrets;
  const engine::SubPipelines& sub_pipelines;
  Recording& recording;
  std::stop_token stop;
};

/// As often as people ask for it once more.
Result<engine::RunReport> run_until_done(engine::Engine& engine, const RunJob& job,
                                         const HowToRun& how, const Surroundings& around) {
  auto& recorder = around.recording.recorder();
  WEIR_TRY(const auto signals,
           engine::SignalFeed::start(recorder, job.owned ? job.owned->read_from : std::nullopt));
  const auto policy = signal_policy(job.settings);
  engine::LocalAdapter adapter(recorder, {.speaks = engine::LocalAdapter::Speaks::kAfterInterval});
  const auto& definition = job.file.definition;
  const auto run = [&](const std::string& previous_run_id, engine::OwnedRun* owned) {
    std::optional<Progress> progress;
    if (!how.quiet) progress.emplace(definition);
    return engine.run(
        {.definition = definition,
         .definition_text = job.file.text,
         .folder = around.path.parent_path(),
         .file = around.path,
         .payload = job.payload,
         .params = around.params,
         .secret = [&](const std::string& name) { return around.secrets.find(name); },
         .run_id = previous_run_id.empty() ? std::optional(around.run_id) : std::nullopt,
         .owned = owned,
         .rerun = job.rerun,
         .previous_run_id = previous_run_id,
         .execution_mode = job.execution_mode,
         .tenant_id = job.tenant_id,
         .signals = signals.get(),
         .signal_policy = &policy,
         .jobs = how.jobs,
         .looks_into_cache = !how.no_cache,
         .durability = durability(job.settings),
         .on_log_failure = on_log_failure(job.settings),
         .loggers = &around.recording.loggers(),
         .run_logger = how.run_logger,
         .adapter = &adapter,
         .stop = around.stop,
         .on_update =
             [&](const engine::NodeUpdate& update) {
               if (progress) progress->update(update);
             },
         .sub_pipelines = &around.sub_pipelines});
  };
  auto report = run({}, job.owned);
  while (report && report->wants_retry && !around.stop.stop_requested()) {
    say("%s: asked to run anew\n", definition.id.c_str());
    report = run(report->run_id.text(), nullptr);
  }
  return report;
}

int run_recorded(RunJob job, const HowToRun& how, const log::StoreDirectory& store) {
  const InterruptStop interrupt;
  auto& settings = job.settings;
  const auto& file = job.file;
  const artifact::ArtifactStore artifacts(store.artifacts());
  tool::Registry tools;
  if (!add_tools(settings, artifacts, tools)) return kWrongUsage;
  const auto nested = NestedPipelines::of(file.definition, settings, tools);
  if (!nested) return complain(nested.error());
  const auto secrets = secrets_of(job, *nested, store, artifacts);
  for (const auto& [name, value] : secrets.values) {
    if (!value.empty()) settings.redaction.policy.literals.push_back(value);
  }
  const auto sub_pipelines = nested->for_engine(store, artifacts);
  const auto recording = Recording::start(settings, store);
  if (!recording) return complain(recording.error());
  auto& recorder = (*recording)->recorder();
  engine::Engine engine(recorder, artifacts, tools, recorder.redactor());

  std::error_code error;
  const auto path = std::filesystem::absolute(job.path, error);
  if (error) return complain({ErrorCode::kIo, job.path.string() + ": " + error.message()});
  auto params = pipeline::bind(file.definition.params, job.params);
  const auto problems = reasons_to_refuse(file, tools, *nested, secrets, params, mode_of(job));
  if (!problems.empty()) {
    if (job.owned != nullptr) return leave(problems, job.path.string());
    tell_of_registry(job, {}, tools, artifacts, recorder);
    return refuse(engine, file.definition, problems, job.path.string(), job.tenant_id);
  }

  const auto run_id = job.run_id.value_or(RunId::make(recorder.clock().now()));
  tell_of_registry(job, run_id, tools, artifacts, recorder);
  auto report = run_until_done(engine, job, how,
                               {.run_id = run_id,
                                .path = path,
                                .params = *params,
                                .secrets = secrets,
                                .sub_pipelines = sub_pipelines,
                                .recording = **recording,
                                .stop = interrupt.token()});
  if (!report) return complain(report.error());
  return conclude(how, file.definition, store, *report);
}

}  // namespace

int run_job(RunJob job, const HowToRun& how, const log::StoreDirectory& store) {
  const auto settings = job.settings;
  const int code = run_recorded(std::move(job), how, store);
  keep_store(store, settings);
  return code;
}

}  // namespace weir::cli
