#include "tool/command.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

#include "tool/process_tree.h"

namespace weir::tool {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// A stream of the command on its way to ours. Reads on only when everything is written, so that
/// the command waits for a slow reader as it would without us.
///
///   from ──► pending ──► to
///      └───► lines
class Passage {
 public:
  Passage(int to, const char* name, const LineHandler& on_line)
      : to_(to), name_(name), lines_(on_line) {}

  void open(Descriptor from) {
    from_ = std::move(from);
    make_nonblocking(from_);
  }
  [[nodiscard]] bool is_open() const { return from_.is_open() || is_pending(); }
  [[nodiscard]] pollfd watched() const {
    return is_pending() ? pollfd{to_, POLLOUT, 0} : pollfd{from_.number(), POLLIN, 0};
  }
  void go_on() {
    if (is_pending()) {
      write();
    } else {
      read();
    }
  }

  /// What is in the pipe now is still passed on, and no more.
  void close_soon() {
    if (!from_.is_open()) return;
    int waiting = 0;
    ::ioctl(from_.number(), FIONREAD, &waiting);
    last_bytes_ = static_cast<std::size_t>(std::max(waiting, 0));
    if (last_bytes_ == 0) close_after_last();
  }
  void drop() {
    from_.close();
    pending_.clear();
  }
  void finish() { lines_.finish(); }

  /// After close_soon: somebody may have gone on to print.
  [[nodiscard]] bool was_held() const { return held_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  [[nodiscard]] bool is_pending() const { return !pending_.empty(); }

  void read() {
    char buffer[1 << 16];
    const auto got = ::read(from_.number(), buffer,
                            std::min(sizeof buffer, last_bytes_.value_or(sizeof buffer)));
    if (got == 0) from_.close();
    if (got <= 0) return;
    pending_.assign(buffer, static_cast<std::size_t>(got));
    written_ = 0;
    lines_.add(pending_);
    if (!last_bytes_) return;
    *last_bytes_ -= pending_.size();
    if (last_bytes_ == 0) close_after_last();
  }

  void close_after_last() {
    char byte = 0;
    held_ = ::read(from_.number(), &byte, 1) != 0;
    from_.close();
  }

  /// A pipe that can be written takes PIPE_BUF bytes without waiting, and nobody may wait here:
  /// signals are to be sent on.
  void write() {
    const auto size = std::min<std::size_t>(pending_.size() - written_, PIPE_BUF);
    const auto written = ::write(to_, pending_.data() + written_, size);
    if (written >= 0) {
      written_ += static_cast<std::size_t>(written);
      if (written_ == pending_.size()) pending_.clear();
    } else if (errno != EAGAIN && errno != EINTR) {
      if (errno != EPIPE) error_ = fail_errno(std::string(name_) + " cannot be written").error();
      drop();  // the command gets what our stream would have given it for EPIPE: SIGPIPE
    }
  }

  const int to_;
  const char* const name_;
  Descriptor from_;
  std::string pending_;
  std::size_t written_ = 0;  // of pending_
  std::optional<std::size_t> last_bytes_;
  bool held_ = false;
  LineSplitter lines_;
  std::optional<Error> error_;
};

/// A started command, from its start to its end.
class Command {
 public:
  explicit Command(const CommandRequest& request)
      : request_(request),
        out_(STDOUT_FILENO, "standard output", request.on_output_line),
        error_(STDERR_FILENO, "standard error", request.on_error_line) {}

  Result<void> start();
  Result<CommandResult> run();

 private:
  void take_signal();
  void take_stop();
  void let_go_on() const;
  void end();
  [[nodiscard]] int poll_timeout_ms() const;
  void handle_deadlines();
  [[nodiscard]] bool is_done() const { return exited_ && !out_.is_open() && !error_.is_open(); }

  const CommandRequest& request_;
  Passage out_;
  Passage error_;
  Started started_;
  bool exited_ = false;
  bool signalled_ = false;
  bool impatient_ = false;  // signalled again: nothing is waited for
  bool asked_to_stop_ = false;
  std::optional<SteadyClock::time_point> kill_at_;   // it was asked to stop
  std::optional<SteadyClock::time_point> close_at_;  // it exited, but somebody holds its pipes
  CommandResult result_;
};

Result<void> Command::start() {
  WEIR_TRY(auto out, make_pipe());
  WEIR_TRY(auto error, make_pipe());
  WEIR_TRY(started_, tool::start({.command = request_.command,
                                  .environment = request_.environment,
                                  .folder = {},
                                  .standing = Program::Standing::kOurs,
                                  .out = out.write.number(),
                                  .error = error.write.number()}));
  if (request_.hold != nullptr) request_.hold->started(started_.process);
  out_.open(std::move(out.read));
  error_.open(std::move(error.read));
  return {};
}

Result<CommandResult> Command::run() {
  const WithoutSigpipe guard;
  const Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(request_.stop, [&] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop.number(), &one, sizeof one));
  });
  while (!is_done()) {
    std::array<pollfd, 5> watched = {out_.watched(), error_.watched(),
                                     pollfd{exited_ ? -1 : started_.exit.number(), POLLIN, 0},
                                     pollfd{request_.signals, POLLIN, 0},
                                     pollfd{asked_to_stop_ ? -1 : stop.number(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), poll_timeout_ms()) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (watched[0].revents != 0) out_.go_on();
    if (watched[1].revents != 0) error_.go_on();
    if (watched[2].revents != 0) end();
    if (watched[3].revents != 0) take_signal();
    if (watched[4].revents != 0) take_stop();
    handle_deadlines();
  }
  for (auto* passage : {&out_, &error_}) {
    passage->finish();
    if (passage->error()) result_.output_error = passage->error();
    result_.output_held = result_.output_held || passage->was_held();
  }
  return std::move(result_);
}

/// The others say something else, which is between the sender and the command.
bool asks_to_end(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; }

void Command::take_signal() {
  signalfd_siginfo info{};
  if (::read(request_.signals, &info, sizeof info) != sizeof info) return;
  const auto signal = static_cast<int>(info.ssi_signo);
  // What a terminal sends its whole foreground process group has got, but for a hangup: that is
  // for the leader of the session alone, which may be us.
  const bool has_it = info.ssi_code == SI_KERNEL && signal != SIGHUP;
  if (!asks_to_end(signal)) {
    if (!has_it && !exited_) ::kill(started_.process, signal);
    return;
  }
  const bool again = std::exchange(signalled_, true);
  if (!again && request_.on_first_signal) request_.on_first_signal(signal);
  if (exited_ || (again && signal != SIGHUP)) {
    impatient_ = true;
    if (exited_) close_at_ = SteadyClock::now();
    if (!exited_) ::kill(started_.process, SIGKILL);
    return;
  }
  if (!has_it) ::kill(started_.process, signal);
  let_go_on();
}

void Command::take_stop() {
  asked_to_stop_ = true;
  if (exited_ || signalled_) return;
  signal_tree(started_.process, SIGTERM);
  let_go_on();
  kill_at_ = SteadyClock::now() + kStopGrace;
}

/// What is held cannot end.
void Command::let_go_on() const {
  if (request_.hold != nullptr) request_.hold->set(false);
}

void Command::end() {
  if (request_.hold != nullptr) request_.hold->ended();
  kill_at_.reset();
  result_.end = reap(started_);
  exited_ = true;
  close_at_ = SteadyClock::now();
  if (!impatient_) *close_at_ += kOutputGrace;
}

int Command::poll_timeout_ms() const {
  const auto deadline = close_at_ ? close_at_ : kill_at_;  // never both
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Command::handle_deadlines() {
  if (kill_at_ && SteadyClock::now() >= *kill_at_) {
    kill_at_.reset();
    signal_tree(started_.process, SIGKILL);
  }
  if (!close_at_ || SteadyClock::now() < *close_at_) return;
  close_at_.reset();
  for (auto* passage : {&out_, &error_}) {
    if (impatient_) {
      passage->drop();
    } else {
      passage->close_soon();
    }
  }
}

}  // namespace

void CommandHold::set(bool is_held) {
  const std::lock_guard lock(mutex_);
  if (is_held_ == is_held) return;
  is_held_ = is_held;
  if (process_ > 0) signal_tree(process_, is_held ? SIGSTOP : SIGCONT);
}

void CommandHold::started(pid_t process) {
  const std::lock_guard lock(mutex_);
  process_ = process;
  if (is_held_) signal_tree(process_, SIGSTOP);
}

void CommandHold::ended() {
  const std::lock_guard lock(mutex_);
  process_ = -1;
}

Result<CommandResult> run_command(const CommandRequest& request) {
  WEIR_CHECK(!request.command.empty());
  Command command(request);
  WEIR_TRY(command.start());
  return command.run();
}

}  // namespace weir::tool
