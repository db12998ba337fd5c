#include <CLI/CLI.hpp>
#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/detach.h"
#include "cli/pipeline_run.h"
#include "cli/run_job.h"
#include "cli/settings.h"
#include "cli/tenant.h"
#include "cli/tools.h"
#include "cli/usage.h"
#include "store/history.h"
#include "tool/tool.h"

namespace weir::cli {
namespace {

struct RunOptions {
  std::string pipeline;
  std::string input = "{}";
  std::vector<std::string> set;
  std::string mode;
  std::string id;
  bool detach = false;
  bool registered = false;
  HowToRun how;
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

/// Whether there are events of the run.
Result<bool> is_known(const log::StoreDirectory& store, const project::RunKey& run) {
  bool is_there = false;
  WEIR_TRY(store::read_run(store, run, [&](const event::EventView&) -> Result<void> {
    is_there = true;
    return {};
  }));
  return is_there;
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
  WEIR_TRY(auto found, options.registered ? find_registered(options.pipeline, settings, known_tools)
                                          : find_pipeline(options.pipeline, settings, known_tools));
  WEIR_TRY(auto params, given_params(found.file.definition.params, options.set));
  return Asked{.payload = std::move(payload),
               .settings = std::move(settings),
               .pipeline = std::move(found),
               .params = std::move(params)};
}

int complain_of_id(const std::string& id) {
  complain({ErrorCode::kInvalidInput, "--id: '" + id + "' is no run's id: a UUID is expected"});
  return kWrongUsage;
}

int execute(const RunOptions& options, const Invocation& invocation) {
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
  std::optional<RunId> id;
  if (!options.id.empty()) {
    id = RunId::parse(options.id);
    if (!id) return complain_of_id(options.id);
  }
  const auto store = invocation.create_store();
  if (!store) return complain(store.error());
  auto tenant = tenant_of(invocation, asked->settings);
  if (id) {
    const auto known = is_known(*store, {*id, tenant});
    if (!known) return complain(known.error());
    if (*known && !options.detach) {
      return complain({ErrorCode::kConflict, "run " + id->text() + " is there already"});
    }
    if (*known) return std::printf("%s\n", id->text().c_str()), kDone;
  }
  RunJob job{.settings = std::move(asked->settings),
             .file = std::move(asked->pipeline.file),
             .path = std::move(asked->pipeline.path),
             .payload = std::move(asked->payload),
             .params = std::move(asked->params),
             .execution_mode = options.mode,
             .tenant_id = std::move(tenant),
             .run_id = id,
             .registry = std::move(asked->pipeline.registry)};
  return options.detach ? run_detached(std::move(job), options.how, *store)
                        : run_job(std::move(job), options.how, *store);
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
  command->add_option("--mode", options->mode,
                      "The execution mode: one of the pipeline's, which says what tools it calls");
  command->add_flag("--detach", options->detach,
                    "Print the run's id when it has begun, and let it run on by itself");
  command->add_option(
      "--id", options->id,
      "The run's id, a UUID (default: a new one); with --detach a run that is there "
      "already is not begun again");
  command->add_flag("--registered", options->registered,
                    "The pipeline is one of the registry: no file is meant");
  add_tenant(*command, invocation);
  add_how_to_run(*command, options->how);
  command->footer("Example: weir run pipeline.yaml");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return execute(*options, invocation); };
  });
}

}  // namespace weir::cli
