#include "record/hook_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/descriptor.h"

namespace weir::record {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// A file without a name that holds the input: unlike a pipe it takes all of it at once, however
/// slowly the program reads, and a program that does not read raises no SIGPIPE.
Result<Descriptor> make_input(std::string_view input) {
  Descriptor file(::memfd_create("weir-hook-input", MFD_CLOEXEC));
  if (!file.is_open()) return fail_errno("memfd_create");
  while (!input.empty()) {
    const auto written = ::write(file.number(), input.data(), input.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write the input of a command");
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.number(), 0, SEEK_SET) < 0) return fail_errno("lseek");
  return file;
}

/// Our environment with the request's variables in it.
std::vector<std::string> environment_of(const HookCommand& request) {
  std::vector<std::string> all;
  all.reserve(request.environment.size());
  for (const auto& [name, value] : request.environment) {
    all.emplace_back(name).append("=").append(value);
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    const bool is_replaced =
        std::any_of(request.environment.begin(), request.environment.end(),
                    [&](const auto& variable) { return variable.first == name; });
    if (!is_replaced) all.emplace_back(text);
  }
  return all;
}

/// As exec wants it: a null at the end, and char*, though nothing is changed.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnSettings {
  SpawnSettings(int in, int error) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT, SIGCHLD}) {
      sigaddset(&signals, signal);
    }
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

/// A started program, from its start to its end.
class Child {
 public:
  Result<void> start(const HookCommand& request);
  Result<HookCommandEnd> wait(const HookCommand& request);

 private:
  void kill_group() const { ::kill(-process_, SIGKILL); }
  void read_errors();
  void reap();

  pid_t process_ = -1;
  Descriptor error_, exit_;
  HookCommandEnd end_;
};

Result<void> Child::start(const HookCommand& request) {
  WEIR_TRY(const auto input, make_input(request.input));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("pipe");
  error_ = Descriptor(ends[0]);
  const Descriptor error_in(ends[1]);
  // Only our end must not block; the flag belongs to the end, so the program's can be cleared.
  ::fcntl(error_in.number(), F_SETFL, 0);

  auto arguments = request.command;
  auto environment = environment_of(request);
  const SpawnSettings settings(input.number(), error_in.number());
  const int failure =
      ::posix_spawnp(&process_, arguments[0].c_str(), &settings.actions, &settings.attributes,
                     pointers_to(arguments).data(), pointers_to(environment).data());
  if (failure != 0) {
    errno = failure;
    return fail_errno("cannot run '" + arguments[0] + "'");
  }
  exit_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
  if (exit_.is_open()) return {};
  auto error = fail_errno("pidfd_open (it needs Linux 5.3)");
  reap();
  return error;
}

Result<HookCommandEnd> Child::wait(const HookCommand& request) {
  Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(request.stop, [&] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop.number(), &one, sizeof one));
  });
  const auto deadline = SteadyClock::now() + request.timeout;
  bool killed = false;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    const auto timeout_ms = std::clamp<std::int64_t>(left, 0, 1 << 30);
    // poll ignores negative descriptors: those that are closed or of no interest any more.
    std::array<pollfd, 3> watched = {pollfd{exit_.number(), POLLIN, 0},
                                     pollfd{error_.number(), POLLIN, 0},
                                     pollfd{killed ? -1 : stop.number(), POLLIN, 0}};
    const int ready =
        ::poll(watched.data(), watched.size(), killed ? -1 : static_cast<int>(timeout_ms));
    if (ready < 0 && errno != EINTR) {
      auto error = fail_errno("poll");
      reap();
      return error;
    }
    if (ready > 0 && watched[1].revents != 0) read_errors();
    if (ready > 0 && watched[0].revents != 0) break;
    if (killed) continue;
    end_.stopped = ready > 0 && watched[2].revents != 0;
    end_.timed_out = !end_.stopped && SteadyClock::now() >= deadline;
    killed = end_.stopped || end_.timed_out;
    if (killed) kill_group();
  }
  reap();
  read_errors();
  return std::move(end_);
}

/// What is there, of which the end is kept; not for ever, when it is written as fast.
void Child::read_errors() {
  char buffer[1 << 12];
  for (int reads = 0; reads < 64 && error_.is_open(); ++reads) {
    const auto got = ::read(error_.number(), buffer, sizeof buffer);
    if (got == 0) error_.close();
    if (got <= 0) return;
    auto& kept = end_.error_output;
    kept.append(buffer, static_cast<std::size_t>(got));
    if (kept.size() > kMaxErrorOutput) kept.erase(0, kept.size() - kMaxErrorOutput);
  }
}

/// Kills what is left of the group and takes the exit status, in this order: as long as the program
/// is not reaped, no other process can have its number.
void Child::reap() {
  kill_group();
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
}

}  // namespace

Result<HookCommandEnd> run_command(const HookCommand& command) {
  WEIR_CHECK(!command.command.empty());
  Child child;
  WEIR_TRY(child.start(command));
  return child.wait(command);
}

}  // namespace weir::record
