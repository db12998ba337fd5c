#include "engine/exec.h"

#include <cstring>
#include <memory>

#include "tool/recorded_lines.h"

namespace weir::engine {
namespace {

/// The node of the run: its one call runs the command.
class CommandTool final : public tool::Tool {
 public:
  CommandTool(const ExecRequest& request, std::stop_source stop, tool::CommandHold& hold,
              std::optional<Result<tool::CommandResult>>& result)
      : request_(request), stop_(std::move(stop)), hold_(hold), result_(result) {}

  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call& call) override {
    const auto recorded = [&call](std::string_view logger) {
      return tool::RecordedLines(
          call, {.logger = logger, .told_by = "process.exec", .max_bytes = kMaxRecordedOutput});
    };
    auto output = recorded("stdout");
    auto errors = recorded("stderr");
    result_ = tool::run_command(
        {.command = request_.command,
         .environment = call.environment(),
         .signals = request_.signals,
         .on_first_signal = [this](int) { stop_.request_stop(); },
         .stop = call.stop,
         .hold = &hold_,
         .on_output_line = [&](std::string_view line, bool more) { output.add(line, more); },
         .on_error_line = [&](std::string_view line, bool more) { errors.add(line, more); }});
    const auto& result = *result_;
    if (!result) return failure("ProcessNotStarted", result.error().message, {});
    say_what_was_lost(call, *result);
    const auto& end = result->end;
    if (end.exit_code == 0) return tool::Output{.payload = {}, .usage = end.usage, .exit_code = 0};
    if (end.signal) {
      return failure("ProcessSignalled",
                     "it was ended by signal " + std::to_string(*end.signal) + " (" +
                         ::sigdescr_np(*end.signal) + ")",
                     end);
    }
    return failure("ProcessExited",
                   "it exited with code " + std::to_string(end.exit_code.value_or(-1)), end);
  }

 private:
  static std::unexpected<tool::Failure> failure(std::string type, std::string message,
                                                const tool::End& end) {
    return std::unexpected(tool::Failure{.type = std::move(type),
                                         .message = std::move(message),
                                         .exit_code = end.exit_code,
                                         .usage = end.usage});
  }

  static void say_what_was_lost(const tool::Call& call, const tool::CommandResult& result) {
    const auto warn = [&](std::string_view message) {
      call.log({.level = event::Level::kWarning, .message = message, .logger = "process.exec"});
    };
    if (result.output_error) warn(result.output_error->message);
    if (result.output_held) {
      warn(
          "the command ended, but what it started in the background kept its output open: what it "
          "prints from here on is neither passed on nor recorded");
    }
  }

  const ExecRequest& request_;
  std::stop_source stop_;
  tool::CommandHold& hold_;
  std::optional<Result<tool::CommandResult>>& result_;
  const tool::ToolSpec spec_{.plugin_id = "process", .tool_id = "exec", .settings = {}};
};

/// JSON without its secrets.
std::string masked(const event::Redactor& redactor, const std::string& text) {
  std::string out = text;
  event::RedactionCounts unused;
  redactor.redact_json(text, event::TextKind::kField, out, unused);
  return out;
}

bool is_secret(const event::Redactor& redactor, std::string_view name) {
  std::string unused;
  event::RedactionCounts counts;
  return redactor.redact_text(name, event::TextKind::kField, unused, counts);
}

pipeline::Definition make_definition(const ExecRequest& request, const event::Redactor& redactor) {
  json::Array words;
  for (const auto& word : request.command) words.emplace_back(word);
  pipeline::Definition definition;
  definition.name = request.name.empty()
                        ? std::filesystem::path(request.command.front()).filename().string()
                        : request.name;
  definition.id = make_id(definition.name);
  definition.on_log_failure = pipeline::OnLogFailure::kContinue;
  auto& node = definition.nodes.emplace_back();
  // The recorder masks what the pipeline is called; a node's id is in many places.
  node.id.text = is_secret(redactor, definition.id) ? make_id("") : definition.id;
  node.plugin_id.text = "process";
  node.tool_id.text = "exec";
  node.with.set("command", std::move(words));
  definition.entry_nodes = {{node.id.text}};
  definition.output_nodes = {{node.id.text}};
  return definition;
}

SignalPolicy policy_for_command(const ExecRequest& request) {
  auto policy = request.signal_policy;
  for (const auto* type : {"approve", "deny", "retry-step", "retry-run", "skip-step",
                           "update-params", "inject-override", "update-target"}) {
    policy.unsupported[type] = "weir exec runs one command: this is for pipelines";
  }
  return policy;
}

/// In the form of a pipeline file.
std::string to_text(const pipeline::Definition& definition, const std::filesystem::path& folder) {
  const auto& node = definition.nodes.front();
  json::Object settings = node.with;
  settings.set("folder", folder.string());
  json::Object node_object;
  node_object.set("id", node.id.text);
  node_object.set("plugin_id", node.plugin_id.text);
  node_object.set("tool_id", node.tool_id.text);
  node_object.set("with", std::move(settings));
  json::Array nodes;
  nodes.emplace_back(std::move(node_object));
  json::Object file;
  file.set("id", definition.id);
  file.set("name", definition.name);
  file.set("nodes", std::move(nodes));
  return json::to_pretty_text(file);
}

}  // namespace

std::string make_id(std::string_view name) {
  constexpr std::size_t kMaxId = 128;
  std::string id;
  for (const char c : name) {
    const bool continues_character = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (continues_character || id.size() == kMaxId) continue;
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '.';
    id += allowed ? c : '_';
  }
  return id.empty() ? "exec" : id;
}

ExecReport exec(record::Recorder& recorder, const artifact::ArtifactStore& artifacts,
                const ExecRequest& request) {
  std::optional<Result<tool::CommandResult>> result;
  const std::stop_source stop;
  tool::Registry tools;
  tool::CommandHold hold;
  tools.add(std::make_unique<CommandTool>(request, stop, hold, result));
  const auto& redactor = recorder.redactor();
  const auto definition = make_definition(request, redactor);
  std::error_code unknown;
  const auto folder = std::filesystem::current_path(unknown);
  const auto policy = policy_for_command(request);
  // Without it nobody can ask anything; the command runs.
  const auto signals = SignalFeed::start(recorder);
  LocalAdapter adapter(recorder, {.speaks = LocalAdapter::Speaks::kAfterInterval});
  Engine engine(recorder, artifacts, tools, redactor);
  auto run = engine.run({.definition = definition,
                         .definition_text = masked(redactor, to_text(definition, folder)),
                         .folder = folder,
                         .payload = {},
                         .tenant_id = request.tenant_id,
                         .signals = signals ? signals->get() : nullptr,
                         .signal_policy = &policy,
                         .on_pause = [&hold](bool is_paused) { hold.set(is_paused); },
                         .durability = request.durability,
                         .loggers = request.loggers,
                         .adapter = &adapter,
                         .stop = stop.get_token(),
                         .on_update = {}});
  return {.command = std::move(result), .run = std::move(run)};
}

}  // namespace weir::engine
