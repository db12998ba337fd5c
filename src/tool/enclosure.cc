#include "tool/enclosure.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "tool/payload.h"

namespace weir::tool {
namespace {

/// What a program that starts with nothing expects.
constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";

/// How long a supervisor that lives takes to say what a call used.

Result<std::filesystem::path> make_temporary_folder() {
  std::error_code error;
  auto pattern = std::filesystem::temp_directory_path(error);
  if (error) pattern = "/tmp";
  auto text = (pattern / "weir-plugin-XXXXXX").string();
  if (::mkdtemp(text.data()) == nullptr) return fail_errno("mkdtemp " + text);
  return text;
}

/// A path in a manifest begins in its folder; a name is looked for where programs are.
std::string program_of(const Plugin& plugin) {
  const auto& program = plugin.manifest.command.front();
  if (!program.contains('/')) return program;
  return (plugin.folder / program).lexically_normal().string();
}

}  // namespace

Result<Enclosure> Enclosure::make(const Plugin& plugin) {
  Enclosure made;
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return fail_errno("socketpair");
  }
  made.ours_ = Descriptor(sockets[0]);
  made.theirs_ = Descriptor(sockets[1]);
  auto policy = plugin.policy;
  if (policy.confines()) {
    WEIR_TRY(made.temporary_, make_temporary_folder());
    policy.temporary = made.temporary_;
  }
  made.command_ = {plugin.weir.string(), std::string(kSuperviseCommand), to_json(policy),
                   program_of(plugin)};
  const auto& words = plugin.manifest.command;
  made.command_.insert(made.command_.end(), words.begin() + 1, words.end());
  return made;
}

Enclosure::Enclosure(Enclosure&& other) noexcept
    : command_(std::move(other.command_)),
      temporary_(std::exchange(other.temporary_, {})),
      ours_(std::move(other.ours_)),
      theirs_(std::move(other.theirs_)) {}

Enclosure::~Enclosure() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

Environment Enclosure::environment(const Plugin& plugin, const Environment& of_call) const {
  Environment environment = of_call;
  environment.emplace_back("WEIR_PLUGIN_ID", plugin.manifest.id);
  if (!plugin.policy.confines()) return environment;
  environment.emplace_back("PATH", kPath);
  environment.emplace_back("HOME", temporary_.string());
  environment.emplace_back("TMPDIR", temporary_.string());
  environment.emplace_back("LANG", "C.UTF-8");
  if (plugin.policy.trust != config::Trust::kPartner) return environment;
  for (const auto& name : plugin.manifest.permissions.environment) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    std::erase_if(environment, [&](const auto& variable) { return variable.first == name; });
    environment.emplace_back(name, value);
  }
  return environment;
}

void Enclosure::say(std::string_view word) const {
  static_cast<void>(::send(ours_.number(), word.data(), word.size(), MSG_NOSIGNAL));
}

Report Enclosure::end_call(std::chrono::milliseconds patience) const {
  say(kCallEnded);
  return receive(patience);
}

Report Enclosure::receive(std::chrono::milliseconds patience) const {
  pollfd watched{ours_.number(), POLLIN, 0};
  std::array<char, 1 << 14> buffer{};
  ssize_t got = 0;
  if (::poll(&watched, 1, static_cast<int>(patience.count())) > 0) {
    const auto receive = [&] {
      return ::recv(ours_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    };
    got = receive();
    // It ended without hearing us; what it said before comes after this error.
    if (got < 0 && errno == ECONNRESET) got = receive();
  }
  if (got <= 0) return {.message = "its supervisor ended without a word"};
  auto report = report_from_json({buffer.data(), static_cast<std::size_t>(got)});
  if (!report) return {.message = "its supervisor cannot be understood: " + report.error().message};
  return *std::move(report);
}

void warn_of_refused_files(const Call& call, const Report& report) {
  if (report.refused_files.empty() || !report.violation.empty() || !call.log) return;
  const auto message = "it opened what it may not have, and was refused: '" +
                       text::join(report.refused_files, "', '") + "'";
  call.log({.level = event::Level::kWarning, .message = message, .logger = "plugin"});
}

std::optional<Failure> failure_of(const Report& report) {
  const auto with_usage = [&](std::unexpected<Failure> failed) {
    failed.error().usage = report.usage;
    failed.error().exit_code = report.exit_code;
    return failed.error();
  };
  if (!report.started) {
    return with_usage(fail_with("PluginNotStarted", "it could not be started: " + report.message));
  }
  if (!report.violation.empty()) {
    return with_usage(fail_for_limit(report.violation, report.message));
  }
  if (report.signal) {
    return with_usage(fail_with("ProcessSignalled", "it was ended by signal " +
                                                        std::to_string(*report.signal) + " (" +
                                                        ::sigdescr_np(*report.signal) + ")"));
  }
  if (!report.exit_code) return with_usage(fail_with("PluginDied", report.message));
  if (*report.exit_code == 0) return {};
  return with_usage(
      fail_with("ProcessExited", "it exited with code " + std::to_string(*report.exit_code)));
}

}  // namespace weir::tool
