#include "tool/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace weir::tool {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void make_nonblocking(const Descriptor& descriptor) {
  ::fcntl(descriptor.number(), F_SETFL, O_NONBLOCK);
}

/// A write to a program that reads no more gives EPIPE, and not the signal, in this thread.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

/// What exec needs, made before the fork: after it only async-signal-safe calls are allowed.
struct ExecArguments {
  std::vector<std::string> command_text;
  std::vector<char*> command;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;  // exec wants char*, and changes nothing

  /// Whether the request gives this variable another value.
  static bool is_replaced(std::string_view entry, const ProcessRequest& request) {
    const auto name = entry.substr(0, entry.find('='));
    return std::any_of(request.environment.begin(), request.environment.end(),
                       [&](const auto& variable) { return variable.first == name; });
  }

  explicit ExecArguments(const ProcessRequest& request) : command_text(request.command) {
    for (auto& word : command_text) command.push_back(word.data());
    command.push_back(nullptr);
    for (const auto& [name, value] : request.environment) {
      environment_text.push_back(name);
      environment_text.back().append("=").append(value);
    }
    for (auto& text : environment_text) environment.push_back(text.data());
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!is_replaced(*entry, request)) environment.push_back(*entry);
    }
    environment.push_back(nullptr);
  }
};

/// In the child: never returns. What failed is told through `report`, which exec closes.
[[noreturn]] void become(const ProcessRequest& request, const ExecArguments& arguments, int in,
                         int out, int error, int report, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(in, 0) >= 0 && ::dup2(out, 1) >= 0 && ::dup2(error, 2) >= 0 &&
      (request.folder.empty() || ::chdir(request.folder.c_str()) == 0)) {
    ::execvpe(arguments.command[0], arguments.command.data(), arguments.environment.data());
  }
  const int number = errno;
  static_cast<void>(!::write(report, &number, sizeof number));
  ::_exit(127);
}

/// Cuts a stream into lines.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<void(std::string_view, bool)>& on_line)
      : on_line_(on_line) {}

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto newline = bytes.find('\n');
      const auto piece = bytes.substr(0, newline);
      const auto room = kMaxLogLine - line_.size();
      line_.append(piece.substr(0, room));
      if (piece.size() > room) {
        bytes.remove_prefix(room);
        tell(true);
      } else if (newline == std::string_view::npos) {
        return;
      } else {
        bytes.remove_prefix(newline + 1);
        tell(false);
      }
    }
  }
  void finish() {
    if (!line_.empty()) tell(false);
  }

 private:
  void tell(bool continues) {
    std::string_view line = line_;
    if (!continues && line.ends_with('\r')) line.remove_suffix(1);
    if (on_line_) on_line_(line, continues);
    line_.clear();
  }
  const std::function<void(std::string_view, bool)>& on_line_;
  std::string line_;
};

/// A started program, from its start to its end.
class Child {
 public:
  explicit Child(const ProcessRequest& request)
      : request_(request), lines_(request.on_error_line) {}

  Result<void> start();
  Result<ProcessResult> run();

 private:
  void send_input();
  void read_output();
  void read_errors();
  void end_group(int signal) const { ::kill(-process_, signal); }
  void request_end();
  [[nodiscard]] int poll_timeout_ms() const;
  [[nodiscard]] bool is_done() const { return exited_ && !out_.is_open() && !error_.is_open(); }
  void handle_deadlines();
  void reap();

  const ProcessRequest& request_;
  LineSplitter lines_;
  pid_t process_ = -1;
  Descriptor in_, out_, error_, exit_;
  std::size_t sent_ = 0;
  bool exited_ = false;
  std::optional<SteadyClock::time_point> kill_at_;   // SIGTERM was sent
  std::optional<SteadyClock::time_point> close_at_;  // it exited, but somebody holds its pipes
  ProcessResult result_;
};

Result<void> Child::start() {
  WEIR_TRY(auto in, make_pipe());
  WEIR_TRY(auto out, make_pipe());
  WEIR_TRY(auto error, make_pipe());
  WEIR_TRY(auto report, make_pipe());
  const ExecArguments arguments(request_);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) return fail_errno("fork");
  if (process_ == 0) {
    become(request_, arguments, in.read.number(), out.write.number(), error.write.number(),
           report.write.number(), parent);
  }
  report.write.close();
  int failure = 0;
  ssize_t got = 0;
  while ((got = ::read(report.read.number(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (got == sizeof failure) {
    ::waitpid(process_, nullptr, 0);
    errno = failure;
    return fail_errno("cannot run '" + request_.command[0] + "' in " + request_.folder.string());
  }
  exit_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
  if (!exit_.is_open()) {
    auto error_now = fail_errno("pidfd_open (it needs Linux 5.3)");
    end_group(SIGKILL);
    ::waitpid(process_, nullptr, 0);
    return error_now;
  }
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  error_ = std::move(error.read);
  for (const auto* ours : {&in_, &out_, &error_}) make_nonblocking(*ours);
  return {};
}

Result<ProcessResult> Child::run() {
  const WithoutSigpipe guard;
  const Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(request_.stop, [&] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop.number(), &one, sizeof one));
  });
  send_input();
  while (!is_done()) {
    // poll ignores negative descriptors: those that are closed.
    std::array<pollfd, 5> watched = {
        pollfd{in_.number(), POLLOUT, 0}, pollfd{out_.number(), POLLIN, 0},
        pollfd{error_.number(), POLLIN, 0}, pollfd{exited_ ? -1 : exit_.number(), POLLIN, 0},
        pollfd{result_.stopped ? -1 : stop.number(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), poll_timeout_ms()) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (watched[0].revents != 0) send_input();
    if (watched[1].revents != 0) read_output();
    if (watched[2].revents != 0) read_errors();
    if (watched[3].revents != 0) reap();
    if (watched[4].revents != 0) {
      result_.stopped = true;
      request_end();
    }
    handle_deadlines();
  }
  lines_.finish();
  end_group(SIGKILL);  // what it left behind
  return std::move(result_);
}

void Child::send_input() {
  while (in_.is_open() && sent_ < request_.input.size()) {
    const auto written =
        ::write(in_.number(), request_.input.data() + sent_, request_.input.size() - sent_);
    if (written >= 0) {
      sent_ += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      break;  // EPIPE: it reads no more, which is its right
    }
  }
  in_.close();
}

void Child::read_output() {
  char buffer[1 << 16];
  const auto got = ::read(out_.number(), buffer, sizeof buffer);
  if (got == 0) out_.close();
  if (got <= 0) return;
  const auto room = request_.max_output_bytes - result_.output.size();
  result_.output.append(buffer, std::min(room, static_cast<std::size_t>(got)));
  if (static_cast<std::size_t>(got) > room && !result_.output_too_large) {
    result_.output_too_large = true;
    request_end();
  }
}

void Child::read_errors() {
  char buffer[1 << 16];
  const auto got = ::read(error_.number(), buffer, sizeof buffer);
  if (got == 0) error_.close();
  if (got > 0) lines_.add({buffer, static_cast<std::size_t>(got)});
}

void Child::request_end() {
  end_group(SIGTERM);
  if (!kill_at_) kill_at_ = SteadyClock::now() + kGrace;
}

int Child::poll_timeout_ms() const {
  auto deadline = kill_at_;
  if (close_at_ && (!deadline || *close_at_ < *deadline)) deadline = close_at_;
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Child::handle_deadlines() {
  const auto now = SteadyClock::now();
  if (kill_at_ && now >= *kill_at_) {
    end_group(SIGKILL);
    kill_at_.reset();
  }
  if (close_at_ && now >= *close_at_) {
    result_.output_held = true;
    end_group(SIGKILL);
    out_.close();
    error_.close();
  }
}

void Child::reap() {
  int status = 0;
  rusage usage{};
  if (::wait4(process_, &status, 0, &usage) < 0) return;
  exited_ = true;
  exit_.close();
  in_.close();
  close_at_ = SteadyClock::now() + kGrace;
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
  };
  result_.usage.cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
  result_.usage.memory_bytes = std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

Result<ProcessResult> run_process(const ProcessRequest& request) {
  WEIR_CHECK(!request.command.empty());
  Child child(request);
  WEIR_TRY(child.start());
  return child.run();
}

}  // namespace weir::tool
