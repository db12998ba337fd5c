#include <csignal>
#include <cstring>

#include "plugins/failure.h"
#include "plugins/plugins.h"
#include "plugins/process_streams.h"
#include "tool/payload.h"
#include "tool/process.h"

namespace weir::plugins {
namespace {

using tool::Failure;

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
    auto request = make_request(call, input);
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
  const tool::ToolSpec spec_{
      .plugin_id = "process",
      .tool_id = "run",
      .settings = {{.name = "command", .kind = tool::Setting::Kind::kStrings, .required = true}},
      .streams = tool::Streams::kOneEach};
};

}  // namespace

std::unique_ptr<tool::Tool> make_process_run(const artifact::ArtifactStore& artifacts) {
  return std::make_unique<ProcessRun>(artifacts);
}

}  // namespace weir::plugins
