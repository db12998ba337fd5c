#include "tool/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "base/text.h"
#include "tool/confine.h"
#include "tool/opened_files.h"
#include "tool/process_tree.h"
#include "tool/start.h"

namespace weir::tool {
namespace {

/// How often it looks at what the plugin uses.
constexpr std::chrono::milliseconds kTick{10};
/// Of the files that a call was refused, so many are named.
constexpr std::size_t kMaxNamed = 5;

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

class Supervisor {
 public:
  Supervisor(Policy policy, char** command)
      : policy_(std::move(policy)), command_(command), opened_({}, FileAccess(policy_)) {}

  /// Returns when the plugin could not be started.
  void run();

 private:
  Result<void> start();
  [[noreturn]] void become_plugin(const Descriptor& complaints, int listener_to, pid_t supervisor);
  void watch();
  void hear_of_call();
  void take_signals();
  void take_control();
  void reap();
  void count(pid_t process, const rusage& usage);
  void look();
  void check(std::uint64_t memory_bytes);
  void begin_call();
  [[nodiscard]] double cpu_ms() const { return reaped_cpu_ms_ + living_cpu_ms_ - cpu_before_ms_; }
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] Usage transfers() const;
  void explain_end(Report& report) const;
  void send(const Report& report) const;
  [[noreturn]] void stop(std::string_view type, std::string message);
  [[noreturn]] static void end_all();

  const Policy policy_;
  char** const command_;
  pid_t plugin_ = -1;
  Descriptor signals_;
  OpenedFiles opened_;
  std::chrono::steady_clock::time_point next_look_;
  std::vector<std::string> refused_;  // files that it opened since the last call, and may not have
  bool forbidden_call_ = false;       // of a process that we have reaped
  double reaped_cpu_ms_ = 0;
  double living_cpu_ms_ = 0;
  double cpu_before_ms_ = 0;
  std::uint64_t peak_bytes_ = 0;
  std::uint64_t our_bytes_ = 0;  // the kernel counts what a process had of us before it was itself
  Usage reaped_;                 // what those that ended read and wrote
  Usage before_;
};

void Supervisor::run() {
  if (auto started = start(); !started) {
    const Report report{.message = started.error().message, .started = false};
    return send(report);
  }
  watch();
}

Result<void> Supervisor::start() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  signals_ = Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  // The control socket tells when weir dies; the thread that started us may end before.
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  WEIR_TRY(auto complaints, make_pipe());
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return fail_errno("socketpair");
  }
  const Descriptor listener_from(sockets[0]), listener_to(sockets[1]);
  rusage ours{};
  ::getrusage(RUSAGE_SELF, &ours);
  our_bytes_ = static_cast<std::uint64_t>(ours.ru_maxrss) << 10;
  const auto supervisor = ::getpid();
  plugin_ = ::fork();
  if (plugin_ < 0) return fail_errno("fork");
  if (plugin_ == 0) become_plugin(complaints.write, listener_to.number(), supervisor);
  complaints.write.close();
  std::string complaint;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(complaints.read.number(), buffer.data(), buffer.size())) > 0) {
    complaint.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (!complaint.empty()) return fail(ErrorCode::kUnavailable, std::move(complaint));
  opened_ = OpenedFiles(receive_listener(listener_from.number()), FileAccess(policy_));
  // Its streams must end when it ends.
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing.number() < 0) return fail_errno("open /dev/null");
  for (const int stream : {0, 1, 2}) ::dup2(nothing.number(), stream);
  return {};
}

void Supervisor::become_plugin(const Descriptor& complaints, int listener_to, pid_t supervisor) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::string complaint;
  if (auto confined = confine(policy_, supervisor); !confined) {
    complaint = confined.error().message;
  } else {
    send_listener(listener_to, *confined);
    confined->close();
    ::execvp(command_[0], command_);
    complaint = "cannot run '" + std::string(command_[0]) + "': " + std::strerror(errno);
    if (errno == EACCES && policy_.confines()) {
      complaint +=
          "; a confined plugin needs it and its folder to be readable for all, and of other "
          "programs has those in /usr";
    }
  }
  static_cast<void>(!::write(complaints.number(), complaint.data(), complaint.size()));
  ::_exit(127);
}

void Supervisor::watch() {
  using std::chrono::ceil, std::chrono::milliseconds, std::chrono::steady_clock;
  while (true) {
    std::array<pollfd, 3> watched = {pollfd{signals_.number(), POLLIN, 0},
                                     pollfd{kControl, POLLIN, 0},
                                     pollfd{opened_.number(), POLLIN, 0}};
    const auto left = ceil<milliseconds>(next_look_ - steady_clock::now()).count();
    ::poll(watched.data(), watched.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 10)));
    // A program opens many files while it starts: they must not wait for a look at /proc each.
    if ((watched[2].revents & POLLIN) != 0) {
      hear_of_call();
    } else if (watched[2].revents != 0) {
      opened_.close();  // nobody is left who could open any; before Linux 6.11 `take` would wait
    }
    // Who ended is counted before those who live: nothing is then missed between.
    if (watched[0].revents != 0) take_signals();
    if (watched[1].revents != 0 || steady_clock::now() >= next_look_) {
      look();
      next_look_ = steady_clock::now() + kTick;
    }
    if (watched[1].revents != 0) take_control();
  }
}

void Supervisor::hear_of_call() {
  using Attempt = FileAccess::Attempt;
  const auto refused = opened_.take();
  if (refused && !refused->call.empty()) {
    stop(kPolicyDenied,
         "it made a system call that an untrusted plugin may not make: " + refused->call);
  }
  if (!refused || refused->how == Attempt::kUsual) return;
  auto path = refused->path.string();
  if (refused->how == Attempt::kForbidden && policy_.trust == config::Trust::kUntrusted) {
    stop(kPolicyDenied, "it opened '" + path + "', a file that it may not have");
  }
  if (refused_.size() < kMaxNamed && std::ranges::find(refused_, path) == refused_.end()) {
    refused_.push_back(std::move(path));
  }
}

/// The plugin gets the other signals itself, and goes when it wants to or is killed.
void Supervisor::take_signals() {
  signalfd_siginfo info{};
  bool has_ended = false;
  while (::read(signals_.number(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) has_ended = true;
  }
  if (has_ended) reap();
}

void Supervisor::take_control() {
  std::array<char, 64> buffer{};
  const auto got = ::recv(kControl, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) end_all();  // weir has died, or does not want it any more
  const std::string_view word(buffer.data(), static_cast<std::size_t>(got));
  if (word == kCallBegins) begin_call();
  if (word == kCallEnded) {
    send({.usage = usage(), .refused_files = std::exchange(refused_, {})});
  }
}

void Supervisor::begin_call() {
  look();
  cpu_before_ms_ += cpu_ms();
  peak_bytes_ = 0;
  before_ = transfers();
}

void Supervisor::reap() {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    const auto process = info.si_pid;
    Usage moved;
    add_transfers(process, moved);
    int status = 0;
    rusage used{};
    ::wait4(process, &status, 0, &used);
    reaped_.read_bytes = reaped_.read_bytes.value_or(0) + moved.read_bytes.value_or(0);
    reaped_.written_bytes = reaped_.written_bytes.value_or(0) + moved.written_bytes.value_or(0);
    count(process, used);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) forbidden_call_ = true;
    info = {};
    if (process != plugin_) continue;
    plugin_ = -1;
    living_cpu_ms_ = 0;  // what it left behind is killed now
    Report report;
    if (WIFEXITED(status)) report.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) report.signal = WTERMSIG(status);
    report.usage = usage();
    report.refused_files = refused_;
    explain_end(report);
    send(report);
    end_all();
  }
}

void Supervisor::count(pid_t, const rusage& usage) {
  reaped_cpu_ms_ += milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
  const auto bytes = static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  if (bytes > our_bytes_) peak_bytes_ = std::max(peak_bytes_, bytes);
}

/// An end that is a limit's, of which the kernel was the keeper.
void Supervisor::explain_end(Report& report) const {
  const auto says = [&](std::string_view type, std::string message) {
    report.violation = type;
    report.message = std::move(message);
  };
  constexpr int kShellSaysSigsys = 128 + SIGSYS;
  const auto& limits = policy_.limits;
  if (limits.memory_bytes && peak_bytes_ > *limits.memory_bytes) {
    says(kOutOfMemory, "it had " + mebibytes(peak_bytes_) + " of memory, its limit is " +
                           mebibytes(*limits.memory_bytes));
  } else if (limits.cpu &&
             (report.signal == SIGXCPU || cpu_ms() > static_cast<double>(limits.cpu->count()))) {
    says(kCpuLimit, "it used more processor time than its limit of " +
                        std::to_string(limits.cpu->count()) + " ms");
  } else if (policy_.confines() && (forbidden_call_ || report.exit_code == kShellSaysSigsys)) {
    says(
        kPolicyDenied,
        "it made a system call that an untrusted plugin may not make, such as one for the network, "
        "for other processes or for mounts, and was killed for it");
  } else if (policy_.confines() && report.signal == SIGXFSZ) {
    says(kPolicyDenied, "it wrote a file of more than 1 GiB");
  } else if (!refused_.empty() && report.exit_code != 0) {
    says(kPolicyDenied, "it failed after it had opened '" + text::join(refused_, "', '") +
                            "', which it may not have");
  }
}

void Supervisor::look() {
  constexpr std::int64_t kAnyNumber = 100'000;
  const auto enough = policy_.limits.processes.value_or(kAnyNumber);
  const auto now = usage_of_descendants(::getpid(), enough);
  living_cpu_ms_ = static_cast<double>(now.cpu.count());
  peak_bytes_ = std::max(peak_bytes_, now.memory_bytes);
  if (now.processes > enough) {
    stop(kPolicyDenied,
         "it was more than " + std::to_string(enough) + " processes at once, its limit");
  }
  check(now.memory_bytes);
}

void Supervisor::check(std::uint64_t memory_bytes) {
  const auto& limits = policy_.limits;
  if (limits.memory_bytes && memory_bytes > *limits.memory_bytes) {
    stop(kOutOfMemory, "it had " + mebibytes(memory_bytes) + " of memory, its limit is " +
                           mebibytes(*limits.memory_bytes));
  }
  if (limits.cpu && cpu_ms() > static_cast<double>(limits.cpu->count())) {
    stop(kCpuLimit, "it used more processor time than its limit of " +
                        std::to_string(limits.cpu->count()) + " ms");
  }
}

Usage Supervisor::transfers() const {
  Usage living;
  if (plugin_ > 0) add_transfers(plugin_, living);
  return {.read_bytes = living.read_bytes.value_or(0) + reaped_.read_bytes.value_or(0),
          .written_bytes = living.written_bytes.value_or(0) + reaped_.written_bytes.value_or(0)};
}

Usage Supervisor::usage() const {
  auto usage = transfers();
  usage.cpu_ms = std::max(cpu_ms(), 0.0);
  // Of a plugin that was there too short to be looked at, and had less than we have: not known.
  if (peak_bytes_ > 0) usage.memory_bytes = static_cast<std::int64_t>(peak_bytes_);
  usage.read_bytes = usage.read_bytes.value_or(0) - before_.read_bytes.value_or(0);
  usage.written_bytes = usage.written_bytes.value_or(0) - before_.written_bytes.value_or(0);
  return usage;
}

void Supervisor::send(const Report& report) const {
  const auto text = to_json(report);
  static_cast<void>(::send(kControl, text.data(), text.size(), MSG_NOSIGNAL));
}

void Supervisor::stop(std::string_view type, std::string message) {
  send({.violation = std::string(type), .message = std::move(message), .usage = usage()});
  end_all();
}

/// All of the group, with ourselves: one signal, which nobody can run away from by forking.
void Supervisor::end_all() {
  ::kill(0, SIGKILL);
  ::_exit(1);
}

}  // namespace

int supervise(int argc, char** argv) {
  constexpr int kCannot = 125;
  if (argc < 2 || ::fcntl(kControl, F_SETFD, FD_CLOEXEC) != 0) return kCannot;
  ::close_range(kControl + 1, ~0U, 0);
  if (::getpgrp() != ::getpid()) ::setpgid(0, 0);
  auto policy = policy_from_json(argv[0]);
  if (!policy) return kCannot;
  Supervisor(*std::move(policy), argv + 1).run();
  return kCannot;
}

}  // namespace weir::tool
