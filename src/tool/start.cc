#include "tool/start.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

namespace weir::tool {
namespace {

/// What exec needs, made before the fork: after it only async-signal-safe calls are allowed.
struct ExecArguments {
  std::vector<std::string> command_text;
  std::vector<char*> command;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;  // exec wants char*, and changes nothing

  /// Whether the program is given another value of this variable.
  static bool is_replaced(std::string_view entry, const Environment& variables) {
    const auto name = entry.substr(0, entry.find('='));
    return std::any_of(variables.begin(), variables.end(),
                       [&](const auto& variable) { return variable.first == name; });
  }

  explicit ExecArguments(const Program& program) : command_text(program.command) {
    for (auto& word : command_text) command.push_back(word.data());
    command.push_back(nullptr);
    for (const auto& [name, value] : program.environment) {
      environment_text.push_back(name);
      environment_text.back().append("=").append(value);
    }
    for (auto& text : environment_text) environment.push_back(text.data());
    const bool is_alone = program.variables == Program::Variables::kAlone;
    for (char** entry = environ; *entry != nullptr && !is_alone; ++entry) {
      if (!is_replaced(*entry, program.environment)) environment.push_back(*entry);
    }
    environment.push_back(nullptr);
  }
};

/// A NUL ends a text for exec. Nothing is cut off in silence, and no value of a variable is shown.
Result<void> check_texts(const Program& program) {
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::kInvalidInput,
                "cannot run '" + program.command[0] + "': " + what + " has a NUL in it");
  };
  for (std::size_t i = 0; i < program.command.size(); ++i) {
    if (program.command[i].contains('\0')) return refuse("argument " + std::to_string(i));
  }
  for (const auto& [name, value] : program.environment) {
    if (name.contains('\0') || value.contains('\0')) return refuse("the variable '" + name + "'");
  }
  return {};
}

/// In the child: gives it its control descriptor. `report` is moved out of the way.
bool has_control(const Program& program, int& report) {
  if (program.control < 0) return true;
  if (report == kControl) report = ::fcntl(report, F_DUPFD_CLOEXEC, kControl + 1);
  if (program.control == kControl) return ::fcntl(kControl, F_SETFD, 0) == 0;  // dup2 would not
  return report >= 0 && ::dup2(program.control, kControl) >= 0;
}

/// In the child: what has a process group of its own gets no other descriptor of ours, as a
/// server's sockets. Kernels before 5.11 cannot do that at once, and then it does not happen.
bool closes_rest(const Program& program) {
  if (program.standing == Program::Standing::kOwn) {
    const unsigned first = program.control < 0 ? kControl : kControl + 1;
    static_cast<void>(::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC));
  }
  return true;
}

/// In the child: never returns. What failed is told through `report`, which exec closes.
[[noreturn]] void become(const Program& program, const ExecArguments& arguments, int report,
                         pid_t parent) {
  if (program.standing == Program::Standing::kOwn) {
    ::setpgid(0, 0);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(program.in, 0) >= 0 && ::dup2(program.out, 1) >= 0 && ::dup2(program.error, 2) >= 0 &&
      has_control(program, report) && closes_rest(program) &&
      (program.folder.empty() || ::chdir(program.folder.c_str()) == 0)) {
    ::execvpe(arguments.command[0], arguments.command.data(), arguments.environment.data());
  }
  const int number = errno;
  static_cast<void>(!::write(report, &number, sizeof number));
  ::_exit(127);
}

std::unexpected<Error> fail_exec(const Program& program, int number) {
  const auto where = program.folder.empty() ? std::string() : " in " + program.folder.string();
  errno = number;
  auto failed = fail_errno("cannot run '" + program.command[0] + "'" + where);
  if (failed.error().code != ErrorCode::kNotFound) failed.error().code = ErrorCode::kInvalidInput;
  return failed;
}

}  // namespace

void add_transfers(pid_t process, Usage& usage) {
  std::ifstream file("/proc/" + std::to_string(process) + "/io");
  std::string name;
  std::int64_t bytes = 0;
  while (file >> name >> bytes) {
    if (name == "rchar:") usage.read_bytes = bytes;
    if (name == "wchar:") usage.written_bytes = bytes;
  }
}

Result<Started> start(const Program& program) {
  WEIR_CHECK(!program.command.empty());
  WEIR_TRY(check_texts(program));
  WEIR_TRY(auto report, make_pipe());
  const ExecArguments arguments(program);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) return fail_errno("fork");
  if (process == 0) become(program, arguments, report.write.number(), parent);
  report.write.close();
  int failure = 0;
  ssize_t got = 0;
  while ((got = ::read(report.read.number(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (got == sizeof failure) {
    ::waitpid(process, nullptr, 0);
    return fail_exec(program, failure);
  }
  Descriptor exit(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!exit.is_open()) {
    auto error = fail_errno("pidfd_open (it needs Linux 5.3)");
    ::kill(program.standing == Program::Standing::kOwn ? -process : process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    return error;
  }
  return Started{.process = process, .exit = std::move(exit)};
}

End reap(const Started& started) {
  int status = 0;
  rusage usage{};
  End end;
  add_transfers(started.process, end.usage);  // while it is a zombie
  if (::wait4(started.process, &status, 0, &usage) < 0) return end;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
  };
  end.usage.cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
  end.usage.memory_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  return end;
}

}  // namespace weir::tool
