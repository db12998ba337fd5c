#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/pipeline_run.h"
#include "cli/problems.h"
#include "cli/progress.h"
#include "cli/recording.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "cli/tools.h"
#include "cli/usage.h"
#include "engine/engine.h"
#include "pipeline/not_yet_run.h"
#include "pipeline/registry.h"
#include "project/run_state.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct RunOptions {
  std::string pipeline;
  std::string input = "{}";
  std::vector<std::string> set;
  int jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  bool all_outputs = false;
  bool quiet = false;
};

/// A word that is not even the beginning of JSON: who wrote it did not know what belongs here.
std::unexpected<Error> fail_by_word() {
  return fail(ErrorCode::kInvalidInput,
              "--input: a JSON object, @FILE or - (standard input) is expected, as in "
              "--input '{\"day\": 3}'");
}

/// The initial payload: JSON as it is, @FILE, or - for standard input. Errors: kInvalidInput.
Result<json::Object> read_input(const std::string& argument) {
  std::string text = argument;
  std::string where = "--input";
  if (argument.starts_with('@') || argument == "-") {
    const auto path = argument == "-" ? std::string("/dev/stdin") : argument.substr(1);
    where = argument == "-" ? "standard input" : path;
    auto read = read_file(path, tool::kMaxPayloadBytes);
    if (!read) return fail(ErrorCode::kInvalidInput, "--input: " + read.error().message);
    text = std::move(*read);
  }
  if (text.size() > tool::kMaxPayloadBytes) {
    return fail(ErrorCode::kInvalidInput,
                where + ": more than " + std::to_string(tool::kMaxPayloadBytes) + " bytes");
  }
  auto value = json::parse(text);
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool starts_as_json =
      first != std::string::npos && (text[first] == '{' || text[first] == '[');
  if (!value && where == "--input" && !starts_as_json) return fail_by_word();
  if (!value) return std::unexpected(std::move(value).error().within(where));
  if (value->object() == nullptr) {
    return fail(ErrorCode::kInvalidInput,
                where + ": a payload is a JSON object, this is " + std::string(value->kind()));
  }
  json::Object payload;
  payload.update(*value->object());  // of a key given twice, the last value
  return payload;
}

/// The last words of the node that failed, from the record.
void print_last_lines(const log::StoreDirectory& store, const engine::RunReport& report) {
  project::RunState state;
  const auto read = store::read_run(store, report.run_id, [&](const event::EventView& event) {
    state.apply(event);
    return Result<void>();
  });
  const auto* node = read ? state.find_node(report.failed_node_id) : nullptr;
  if (node == nullptr || node->last_log_lines.empty()) return;
  std::fprintf(stderr, "  its last lines:\n");
  for (const auto& line : node->last_log_lines) {
    std::fprintf(stderr, "    | %s\n", text::printable(line).c_str());
  }
}

void print_summary(const RunOptions& options, const pipeline::Definition& definition,
                   const log::StoreDirectory& store, const engine::RunReport& report) {
  const bool coloured = is_coloured(stderr);
  const auto run = report.run_id.text();
  const auto took = text::duration(report.duration_ms);
  switch (report.outcome) {
    case pipeline::RunOutcome::kCompleted:
      if (!report.failed_node_id.empty()) {
        std::fprintf(stderr, "%s: node '%s' failed: %s\n",
                     paint(coloured, Colour::kYellow, definition.id + " completed in part").c_str(),
                     report.failed_node_id.c_str(), text::printable(report.failure.message).c_str());
        break;
      }
      if (options.quiet) return;
      std::fprintf(stderr, "%s: %s in %s, run %s\n",
                   paint(coloured, Colour::kGreen, definition.id + " completed").c_str(),
                   text::count(definition.nodes.size(), "node").c_str(), took.c_str(), run.c_str());
      return;
    case pipeline::RunOutcome::kFailed:
      std::fprintf(stderr, "%s after %s: %s: %s\n",
                   paint(coloured, Colour::kRed, definition.id + " failed").c_str(), took.c_str(),
                   report.failure.type.c_str(), text::printable(report.failure.message).c_str());
      print_last_lines(store, report);
      break;
    case pipeline::RunOutcome::kCancelled:
      std::fprintf(stderr, "%s after %s\n",
                   paint(coloured, Colour::kYellow, definition.id + " cancelled").c_str(),
                   took.c_str());
      break;
  }
  std::fprintf(stderr, "  look closer: weir show %s\n", run.c_str());
}

json::Value printed_result(const RunOptions& options, const pipeline::Definition& definition,
                           engine::RunReport& report) {
  if (!options.all_outputs) return std::move(report.result);
  json::Object outputs;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    if (report.outputs[i]) outputs.set(definition.nodes[i].id.text, *report.outputs[i]);
  }
  return outputs;
}

int refuse(engine::Engine& engine, const pipeline::Definition& definition,
           const std::vector<Problem>& problems, const std::string& file) {
  const auto text = to_text(problems, file);
  std::fprintf(stderr, "%s\n", text.c_str());
  const auto refused = engine.record_refusal(definition, "ValidationError", text);
  if (!refused) return complain(refused.error());
  std::fprintf(stderr, "weir: nothing was run: %s\n",
               text::count(problems.size(), "problem").c_str());
  return kFailed;
}

using BoundParams = std::expected<json::Object, std::vector<Problem>>;

/// What is wrong with the file; if nothing is, what keeps this run of it from being what it says.
std::vector<Problem> reasons_to_refuse(const pipeline::File& file, const tool::Registry& tools,
                                       const Secrets& secrets, const BoundParams& params) {
  auto problems = pipeline::problems_of(file, tools);
  if (!problems.empty()) return problems;
  problems = pipeline::not_yet_run(file.definition);
  problems.insert(problems.end(), secrets.problems.begin(), secrets.problems.end());
  if (!params) problems.insert(problems.end(), params.error().begin(), params.error().end());
  return problems;
}

/// What is to be run.
struct Asked {
  json::Object payload;
  config::Config settings;
  FoundPipeline pipeline;
  json::Object params;
};

/// Before there is a store: a mistyped name leaves nothing behind. Errors are of the words.
Result<Asked> what_is_asked(const RunOptions& options, config::Config settings,
                            const tool::Registry& known_tools) {
  WEIR_TRY(auto payload, read_input(options.input));
  WEIR_TRY(auto found, find_pipeline(options.pipeline, settings, known_tools));
  WEIR_TRY(auto params, given_params(found.file.definition.params, options.set));
  return Asked{.payload = std::move(payload),
               .settings = std::move(settings),
               .pipeline = std::move(found),
               .params = std::move(params)};
}

/// Tells the person how the run ended: the exit code.
int conclude(const RunOptions& options, const pipeline::Definition& definition,
             const log::StoreDirectory& store, engine::RunReport& report) {
  print_summary(options, definition, store, report);
  if (const auto& lost = report.record_error) {
    std::fprintf(stderr, "weir: the record of this run is incomplete: %s\n", lost->message.c_str());
  }
  if (report.outcome != pipeline::RunOutcome::kCompleted) return kFailed;
  std::printf("%s\n", json::to_pretty_text(printed_result(options, definition, report)).c_str());
  return kDone;
}

int execute(const RunOptions& options, const Invocation& invocation) {
  const InterruptStop interrupt;
  auto configured = load_settings(invocation);
  if (!configured) return kWrongUsage;
  const artifact::ArtifactStore unused("");  // what these tools would write, they never do
  tool::Registry known_tools;
  if (!add_tools(*configured, unused, known_tools)) return kWrongUsage;
  auto asked = what_is_asked(options, *std::move(configured), known_tools);
  if (!asked) {
    complain(asked.error());
    return kWrongUsage;
  }
  auto& settings = asked->settings;
  const auto& [file, named_path] = asked->pipeline;
  const auto secrets = fetch_secrets(file.definition, settings, config::process_environment());
  for (const auto& [name, value] : secrets.values) {
    if (!value.empty()) settings.redaction.policy.literals.push_back(value);
  }
  const auto store = invocation.create_store();
  if (!store) return complain(store.error());
  const artifact::ArtifactStore artifacts(store->artifacts());
  tool::Registry tools;
  if (!add_tools(settings, artifacts, tools)) return kWrongUsage;
  const auto recording = Recording::start(settings, *store);
  if (!recording) return complain(recording.error());
  auto& recorder = (*recording)->recorder();
  engine::Engine engine(recorder, artifacts, tools, recorder.redactor());

  std::error_code error;
  const auto path = std::filesystem::absolute(named_path, error);
  if (error) return complain({ErrorCode::kIo, named_path.string() + ": " + error.message()});
  auto params = pipeline::bind(file.definition.params, asked->params);
  if (const auto problems = reasons_to_refuse(file, tools, secrets, params); !problems.empty()) {
    return refuse(engine, file.definition, problems, named_path.string());
  }

  auto report = [&] {
    std::optional<Progress> progress;
    if (!options.quiet) progress.emplace(file.definition);
    return engine.run({.definition = file.definition,
                       .definition_text = file.text,
                       .folder = path.parent_path(),
                       .payload = std::move(asked->payload),
                       .params = *std::move(params),
                       .secret = [&](const std::string& name) { return secrets.find(name); },
                       .jobs = options.jobs,
                       .durability = durability(settings),
                       .on_log_failure = on_log_failure(settings),
                       .loggers = &(*recording)->loggers(),
                       .stop = interrupt.token(),
                       .on_update =
                           [&](const engine::NodeUpdate& update) {
                             if (progress) progress->update(update);
                           }});
  }();
  if (!report) return complain(report.error());
  return conclude(options, file.definition, *store, *report);
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Run a pipeline, record it, and print its result");
  command
      ->add_option("pipeline", options->pipeline,
                   "The pipeline's file, .json, .yaml or .yml, or its id in the registry")
      ->required();
  command->add_option(
      "--input", options->input,
      "The initial payload, a JSON object: the text itself, @FILE, or - for standard input");
  command
      ->add_option("--set", options->set,
                   "A parameter of the pipeline, NAME=VALUE: JSON of its type, or else text")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  expect_number(command->add_option("--jobs", options->jobs,
                                    "Nodes that may run at a time (default: the processors)"),
                1, 1024);
  command->add_flag("--all-outputs", options->all_outputs, "Print every node's output by its id");
  command->add_flag("--quiet", options->quiet, "No progress, only errors and the result");
  command->footer("Example: weir run pipeline.yaml");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return execute(*options, invocation); };
  });
}

}  // namespace weir::cli
