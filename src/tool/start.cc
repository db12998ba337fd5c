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
#include <cstdlib>
#include <fstream>

#include "tool/launcher/told.h"
#include "tool/launcher_image.h"

namespace weir::tool {
namespace {

/// What exec needs, made before the fork: after it only async-signal-safe calls are allowed.
struct ExecArguments {
  std::vector<std::string> command_text;
  std::vector<char*> command;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;  // exec wants char*, and changes nothing
  std::string report = "0000000000", path;
  std::vector<char*> launcher;

  /// Whether the program is given another value of this variable.
  static bool is_replaced(std::string_view entry, const Environment& variables) {
    const auto name = entry.substr(0, entry.find('='));
    return std::any_of(variables.begin(), variables.end(),
                       [&](const auto& variable) { return variable.first == name; });
  }

  explicit ExecArguments(const Program& program) : command_text(program.command) {
    constexpr std::string_view kSelf = "/proc/self/";  // of the launcher it would be the launcher
    if (command_text[0].starts_with(kSelf)) {
      command_text[0].replace(0, kSelf.size(), "/proc/" + std::to_string(::getpid()) + "/");
    }
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
    const char* places = std::getenv("PATH");
    path = places != nullptr ? places : "/bin:/usr/bin";
    static char name[] = "weir-launcher", own[] = "1", ours[] = "0";
    launcher = {name, report.data(), program.standing == Program::Standing::kOwn ? own : ours,
                path.data()};
    launcher.insert(launcher.end(), command.begin(), command.end());
  }

  /// In the child, where nothing may be allocated.
  void name_report(int descriptor) {
    for (auto digit = report.rbegin(); digit != report.rend(); ++digit) {
      *digit = static_cast<char>('0' + descriptor % 10);
      descriptor /= 10;
    }
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

void tell(int report, const Told& told) { static_cast<void>(!::write(report, &told, sizeof told)); }

/// In the child: returns where the launcher cannot be executed.
void become_launcher(ExecArguments& arguments, int report) {
  if (::fcntl(report, F_SETFD, 0) != 0) return;
  arguments.name_report(report);
  ::execveat(launcher(), "", arguments.launcher.data(), arguments.environment.data(),
             AT_EMPTY_PATH);
  ::fcntl(report, F_SETFD, FD_CLOEXEC);
}

/// In the child: what has a process group of its own gets signals as if nothing was ever set. Of
/// ours what is ignored stays so, and no handler runs in the child, which has our memory.
void forget_handlers(bool is_own) {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    if (is_own || action.sa_handler != SIG_IGN) ::signal(signal, SIG_DFL);
  }
}

/// In the child: never returns. Who runs the program, and what failed, is told through `report`,
/// which the program has not.
[[noreturn]] void become(const Program& program, ExecArguments& arguments, int report,
                         pid_t parent) {
  const bool is_own = program.standing == Program::Standing::kOwn;
  if (is_own) ::setpgid(0, 0);
  forget_handlers(is_own);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(program.in, 0) >= 0 && ::dup2(program.out, 1) >= 0 && ::dup2(program.error, 2) >= 0 &&
      has_control(program, report) && closes_rest(program) &&
      (program.folder.empty() || ::chdir(program.folder.c_str()) == 0)) {
    become_launcher(arguments, report);
    tell(report, {.process = ::getpid()});
    ::execvpe(arguments.command[0], arguments.command.data(), arguments.environment.data());
  }
  tell(report, {.error = errno});
  ::_exit(127);
}

/// The child has this process's memory until it is another program, so that none is copied, and the
/// thread waits for that.
pid_t begin(const Program& program, ExecArguments& arguments, int report) {
  const pid_t parent = ::getpid();
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours runs in the child
  // NOLINTNEXTLINE(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork)
  const pid_t child = ::vfork();
  if (child == 0) become(program, arguments, report, parent);
  const int failure = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = failure;
  return child;
}

void collect(pid_t process) {
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// What is told until nobody can tell any more: the program runs, or does not.
Told hear(int report) {
  Told all, told;
  ssize_t got = 0;
  while ((got = ::read(report, &told, sizeof told)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof told) break;
    if (told.process != 0) all.process = told.process;
    if (told.error != 0) all.error = told.error;
  }
  return all;
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
  ExecArguments arguments(program);
  static_cast<void>(launcher());  // made before the child is
  const pid_t child = begin(program, arguments, report.write.number());
  if (child < 0) return fail_errno("fork");
  report.write.close();
  const auto [process, failure] = hear(report.read.number());
  if (process != child) collect(child);  // the launcher has done its work
  if (failure != 0 || process == 0) {
    if (process != 0) collect(process);
    const bool has_no_process = process == 0 && (failure == EAGAIN || failure == ENOMEM);
    if (has_no_process || failure == 0) {
      errno = failure != 0 ? failure : ECHILD;
      return fail_errno("a process for '" + program.command[0] + "'");
    }
    return fail_exec(program, failure);
  }
  Descriptor exit(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!exit.is_open()) {
    auto error = fail_errno("pidfd_open (it needs Linux 5.3)");
    ::kill(program.standing == Program::Standing::kOwn ? -process : process, SIGKILL);
    collect(process);
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
