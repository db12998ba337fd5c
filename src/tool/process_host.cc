#include "base/text.h"
#include "tool/enclosure.h"
#include "tool/payload.h"
#include "tool/plugin.h"
#include "tool/process.h"

namespace weir::tool {
namespace {

/// A variable may have 128 KiB in Linux; this is less, so that the failure is ours to explain.
constexpr std::size_t kMaxSettings = std::size_t{64} << 10;
/// To say what it used: its time is over.
constexpr std::chrono::milliseconds kPatienceBeforeKill{200};

class ProcessHost final : public PluginHost {
 public:
  explicit ProcessHost(Plugin plugin) : plugin_(std::move(plugin)) {}

  [[nodiscard]] std::expected<Output, Failure> call(std::string_view tool_id,
                                                    const Call& call) override {
    const auto input = json::to_text(call.payload);
    const auto settings = json::to_text(call.with);
    if (input.size() > kMaxPayloadBytes || settings.size() > kMaxSettings) {
      return fail_with("InputTooLarge", "its input has " + std::to_string(input.size()) +
                                            " bytes and its settings " +
                                            std::to_string(settings.size()) + ", the limits are " +
                                            std::to_string(kMaxPayloadBytes) + " and " +
                                            std::to_string(kMaxSettings));
    }
    auto enclosure = Enclosure::make(plugin_);
    if (!enclosure) return fail_with("PluginNotStarted", enclosure.error().message);
    auto request = request_for(*enclosure, call);
    request.environment.emplace_back("WEIR_TOOL_ID", tool_id);
    request.environment.emplace_back("WEIR_WITH", settings);
    request.input = input;
    std::optional<Report> before_kill;
    request.on_kill = [&] { before_kill = enclosure->end_call(kPatienceBeforeKill); };
    auto result = run_process(request);
    enclosure->theirs().close();  // now its end can be seen
    if (!result) return fail_with("PluginNotStarted", result.error().message);
    const auto report =
        before_kill ? *before_kill : enclosure->receive(std::chrono::milliseconds(0));
    warn_of_refused_files(call, report);
    return read(call, *result, report);
  }

 private:
  ProcessRequest request_for(Enclosure& enclosure, const Call& call) const {
    const auto& limits = plugin_.policy.limits;
    ProcessRequest request{
        .command = enclosure.command(),
        .folder = plugin_.folder,
        .environment = enclosure.environment(plugin_, environment_of(call)),
        .control = enclosure.theirs().number(),
        .stop = call.stop,
        .on_error_line = [&call](std::string_view line, bool continues) {
          if (call.log) call.log({.message = line, .logger = "stderr", .continues = continues});
        }};
    if (plugin_.policy.confines()) request.variables = Program::Variables::kAlone;
    if (limits.output_bytes) {
      request.max_output_bytes = *limits.output_bytes;
      request.max_error_bytes = limits.output_bytes;
    }
    request.max_time = limits.time;
    return request;
  }

  static Environment environment_of(const Call& call) {
    auto environment = call.environment ? call.environment() : Environment();
    if (!call.idempotency_key.empty()) {
      environment.emplace_back("WEIR_IDEMPOTENCY_KEY", call.idempotency_key);
    }
    return environment;
  }

  /// Of one that failed nothing that it printed is an answer, and all of it may say why.
  static void tell_output(const Call& call, std::string_view output) {
    if (!call.log) return;
    LineSplitter lines([&call](std::string_view line, bool continues) {
      call.log({.message = line, .logger = "stdout", .continues = continues});
    });
    lines.add(output);
    lines.finish();
  }

  std::expected<Output, Failure> read(const Call& call, const ProcessResult& result,
                                      const Report& report) const {
    const auto with_usage = [&](std::unexpected<Failure> failed) {
      tell_output(call, result.output);
      failed.error().usage = report.usage;
      failed.error().exit_code = report.exit_code;
      return failed;
    };
    if (result.output_too_large) {
      return with_usage(fail_for_limit(
          kOutputLimit,
          "it printed more than " +
              std::to_string(plugin_.policy.limits.output_bytes.value_or(kMaxPayloadBytes)) +
              " bytes, its limit, and was stopped"));
    }
    if (result.timed_out) {
      const auto limit = static_cast<double>(
          plugin_.policy.limits.time.value_or(std::chrono::milliseconds(0)).count());
      return with_usage(fail_for_limit(kTimeout, "it took longer than " + text::duration(limit) +
                                                     ", its limit, and was stopped"));
    }
    if (result.stopped) return with_usage(fail_with("Cancelled", "it was asked to stop"));
    if (auto failure = failure_of(report)) {
      tell_output(call, result.output);
      return std::unexpected(*std::move(failure));
    }
    auto output = read_output(result.output, report.usage, call);
    if (!output) return with_usage(std::unexpected(std::move(output).error()));
    output->exit_code = report.exit_code;
    return output;
  }

  const Plugin plugin_;
};

}  // namespace

std::unique_ptr<PluginHost> make_process_host(Plugin plugin) {
  return std::make_unique<ProcessHost>(std::move(plugin));
}

}  // namespace weir::tool
