#include <csignal>
#include <cstring>

#include "config/names.h"
#include "plugins/failure.h"
#include "plugins/plugins.h"
#include "plugins/process_streams.h"
#include "tool/payload.h"
#include "tool/process.h"
#include "tool/recorded_lines.h"

namespace weir::plugins {
namespace {

using tool::Failure;
using Kind = tool::Setting::Kind;

/// What Weir tells a program of its call stays what Weir says.
config::Names env_names() {
  auto names = config::variable_names();
  names.what += " that may be set: letters, digits and '_', no digit first, and not WEIR_…";
  names.pattern = "^(?!WEIR_)[A-Za-z_][A-Za-z0-9_]*$";
  names.accepts = [is_name = names.accepts](std::string_view name) {
    return is_name(name) && !name.starts_with("WEIR_");
  };
  return names;
}

/// In the place of variables of these names.
void set_variables(const json::Object& texts, tool::Environment& environment) {
  for (const auto& [name, text, position] : texts) {
    std::erase_if(environment, [&](const auto& variable) { return variable.first == name; });
    environment.emplace_back(name, *text.string());
  }
}

/// What a command prints is its output, too, which is kept as a whole when the command has ended:
/// its lines are there for whoever follows it, and for when it dies with Weir.
constexpr std::size_t kMaxRecordedLines = std::size_t{1} << 20;

constexpr std::string_view kCommandNotes =
    R"(- **Input:** the payload as one JSON object on standard input. The environment is Weir's own, with
  `WEIR_RUN_ID`, `WEIR_NODE_ID`, `WEIR_STORE`, `WEIR_IDEMPOTENCY_KEY` and the trace (`TRACEPARENT`). The working
  directory is the folder of the pipeline file.
- **Output:** one JSON object on standard output, at most 16 MiB; nothing at all counts as `{}`. What it does with a
  [stream](pipeline.md#streams) is said there.
- **Lines:** each line on standard output and on standard error becomes a `log` event at once, of the logger `stdout`
  or `stderr`, each in its own order, the two as they were read; of standard output the first MiB. What a stream takes
  is not among them. They are masked as messages are: what the [redaction](redaction.md) of an output knows by a path of keys, it
  does not know there. `loggers: {stdout: {level: error}}` in `weir.yaml` leaves them out.
- **Failures:** `ProcessExited` (any code but 0), `ProcessSignalled`, `ProcessNotStarted`, `InputTooLarge`,
  `OutputTooLarge`, `OutputNotUtf8`, `OutputNotJson`, `StreamFailed`. What it printed then is kept as an artifact.

A secret belongs in `env`: everybody who has an account on the machine can read the words of a command, in `ps`
for example, and only its own user (and root) its environment.

```yaml
  - id: publish
    plugin_id: process
    tool_id: run
    with:
      command: [./publish.sh, "${params.day}"]
      env: {API_KEY: "${secrets.API_KEY}", LANG: C}
```
)";

tool::ToolSpec command_spec() {
  return {.plugin_id = "process",
          .tool_id = "run",
          .settings = {{.name = "command",
                        .kind = Kind::kStrings,
                        .required = true,
                        .doc = "a program, found on `PATH` or by a path with a `/`, and its "
                               "arguments; no shell reads them"},
                       {.name = "env",
                        .kind = Kind::kStringsByName,
                        .doc = "variables of its environment beside those that it has anyway, by "
                               "their names: letters, digits and `_`, no digit first. `WEIR_…` "
                               "are Weir's own",
                        .names = env_names()}},
          .about = "Runs a command of your own.",
          .notes = std::string(kCommandNotes),
          .streams = tool::Streams::kOneEach};
}

class ProcessRun final : public tool::Tool {
 public:
  explicit ProcessRun(const artifact::ArtifactStore& artifacts) : artifacts_(artifacts) {}

  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] std::expected<tool::Output, Failure> run(const tool::Call& call) override {
    const auto input = json::to_text(call.payload);
    if (input.size() > tool::kMaxPayloadBytes) {
      return failure(call, "InputTooLarge",
                     "its input has " + std::to_string(input.size()) + " bytes, the limit is " +
                         std::to_string(tool::kMaxPayloadBytes));
    }
    tool::RecordedLines recorded(
        call, {.logger = "stdout", .told_by = "process.run", .max_bytes = kMaxRecordedLines});
    auto request = make_request(call, input);
    request.on_output_line = [&](std::string_view line, bool more) { recorded.add(line, more); };
    std::optional<LineFeed> feed;
    std::optional<LineSink> sink;
    if (const auto* stream = call.stream_in()) {
      auto& lines = feed.emplace(*stream);
      request.on_input = [&lines](Descriptor to) { lines.start(std::move(to)); };
    }
    if (const auto* stream = call.stream_out()) {
      auto& lines = sink.emplace(*stream);
      request.on_output = [&lines](std::string_view bytes) { return lines.add(bytes); };
    }
    auto result = tool::run_process(request);
    if (sink) sink->finish();
    const auto feed_error = feed ? feed->finish() : std::nullopt;
    if (!result) return failure(call, "ProcessNotStarted", result.error().message);
    if (result->output_held) warn_of_held_output(call);
    auto output = outcome_of(call, *result, sink ? &*sink : nullptr, feed_error);
    if (!output) output.error().usage = result->usage;
    if (!output && !result->output.empty()) keep_output(call, result->output, output.error());
    return output;
  }

 private:
  static tool::ProcessRequest make_request(const tool::Call& call, std::string_view input) {
    tool::ProcessRequest request{
        .folder = call.folder,
        .environment = call.environment(),
        .input = input,
        .stop = call.stop,
        .on_error_line = [&call](std::string_view line, bool continues) {
          call.log({.message = line, .logger = "stderr", .continues = continues});
        }};
    for (const auto& word : *call.with.find("command")->array()) {
      request.command.push_back(*word.string());
    }
    if (const auto* env = call.with.find("env")) {
      set_variables(*env->object(), request.environment);
    }
    return request;
  }

  /// `sink`: null when it writes no stream.
  static std::expected<tool::Output, Failure> outcome_of(const tool::Call& call,
                                                         const tool::ProcessResult& result,
                                                         const LineSink* sink,
                                                         const std::optional<Error>& feed_error) {
    const auto sink_error = sink != nullptr ? sink->error() : std::optional<Error>();
    for (const auto& error : {feed_error, sink_error}) {
      if (error) return failure(call, "StreamFailed", error->message);
    }
    // Nobody needs its lines any more: how it took that does not matter.
    if (sink != nullptr && sink->is_closed()) {
      return tool::Output{.payload = {}, .usage = result.usage, .exit_code = result.exit_code};
    }
    return read_output(call, result);
  }

  static void warn_of_held_output(const tool::Call& call) {
    const auto message =
        "the command ended, but what it started in the background kept its output open; after " +
        std::to_string(tool::kGrace.count()) + " s its process group was killed";
    call.log({.level = event::Level::kWarning, .message = message, .logger = "process.run"});
  }

  static std::expected<tool::Output, Failure> read_output(const tool::Call& call,
                                                          const tool::ProcessResult& result) {
    if (result.output_too_large) {
      return failure(call, "OutputTooLarge",
                     "it printed more than the limit of " + std::to_string(tool::kMaxPayloadBytes) +
                         " bytes and was stopped");
    }
    if (result.signal) {
      return failure(call, "ProcessSignalled",
                     "it was ended by signal " + std::to_string(*result.signal) + " (" +
                         ::sigdescr_np(*result.signal) + ")");
    }
    if (result.exit_code != 0) {
      auto exited = failure(call, "ProcessExited",
                            "it exited with code " + std::to_string(result.exit_code.value_or(-1)));
      exited.error().exit_code = result.exit_code;
      return exited;
    }
    auto output = tool::read_output(result.output, result.usage, call);
    if (!output) return failure(call, output.error().type, output.error().message);
    output->exit_code = result.exit_code;
    return output;
  }

  /// Nothing that a failed node printed is lost.
  void keep_output(const tool::Call& call, std::string_view output, Failure& failure) const {
    const auto hash = artifacts_.put(output);
    if (!hash) return;
    call.kept({.name = std::string(call.node_id) + ".stdout",
               .hash = *hash,
               .size_bytes = output.size(),
               .rows = {}});
    failure.message += " (what it printed is artifact " + hash->text() + ")";
  }

  const artifact::ArtifactStore& artifacts_;
  const tool::ToolSpec spec_ = command_spec();
};

}  // namespace

std::unique_ptr<tool::Tool> make_process_run(const artifact::ArtifactStore& artifacts) {
  return std::make_unique<ProcessRun>(artifacts);
}

}  // namespace weir::plugins
