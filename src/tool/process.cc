#include "tool/process.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "tool/start.h"

namespace weir::tool {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// A started program, from its start to its end.
class Child {
 public:
  explicit Child(const ProcessRequest& request)
      : request_(request),
        output_lines_(request.on_output_line),
        error_lines_(request.on_error_line) {}

  Result<void> start();
  Result<ProcessResult> run();

 private:
  void send_input();
  void read_output();
  void read_errors();
  void end_group(int signal) const { ::kill(-started_.process, signal); }
  void request_end();
  [[nodiscard]] int poll_timeout_ms() const;
  [[nodiscard]] bool is_done() const { return exited_ && !out_.is_open() && !error_.is_open(); }
  void handle_deadlines();
  void end();

  const ProcessRequest& request_;
  LineSplitter output_lines_;
  LineSplitter error_lines_;
  Started started_;
  Descriptor in_, out_, error_;
  std::size_t sent_ = 0;
  std::size_t error_bytes_ = 0;
  bool exited_ = false;
  std::optional<SteadyClock::time_point> end_at_;    // its time is over
  std::optional<SteadyClock::time_point> kill_at_;   // SIGTERM was sent
  std::optional<SteadyClock::time_point> close_at_;  // it exited, but somebody holds its pipes
  ProcessResult result_;
};

Result<void> Child::start() {
  WEIR_TRY(auto in, make_pipe());
  WEIR_TRY(auto out, make_pipe());
  WEIR_TRY(auto error, make_pipe());
  WEIR_TRY(started_, tool::start({.command = request_.command,
                                  .environment = request_.environment,
                                  .folder = request_.folder,
                                  .in = in.read.number(),
                                  .out = out.write.number(),
                                  .error = error.write.number(),
                                  .control = request_.control,
                                  .variables = request_.variables}));
  if (request_.max_time) end_at_ = SteadyClock::now() + *request_.max_time;
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  error_ = std::move(error.read);
  for (const auto* ours : {&out_, &error_}) make_nonblocking(*ours);
  if (request_.on_input) {
    request_.on_input(std::move(in_));
  } else {
    make_nonblocking(in_);
  }
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
    std::array<pollfd, 5> watched = {pollfd{in_.number(), POLLOUT, 0},
                                     pollfd{out_.number(), POLLIN, 0},
                                     pollfd{error_.number(), POLLIN, 0},
                                     pollfd{exited_ ? -1 : started_.exit.number(), POLLIN, 0},
                                     pollfd{result_.stopped ? -1 : stop.number(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), poll_timeout_ms()) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (watched[0].revents != 0) send_input();
    // Of what came since: mostly a program says on its errors what it does, and then prints.
    if (watched[2].revents != 0) read_errors();
    if (watched[1].revents != 0) read_output();
    if (watched[3].revents != 0) end();
    if (watched[4].revents != 0) {
      result_.stopped = true;
      request_end();
    }
    handle_deadlines();
  }
  output_lines_.finish();
  error_lines_.finish();
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
  if (request_.on_output) {
    if (!request_.on_output({buffer, static_cast<std::size_t>(got)})) out_.close();
    return;
  }
  const auto room = request_.max_output_bytes - result_.output.size();
  const std::string_view taken(buffer, std::min(room, static_cast<std::size_t>(got)));
  result_.output.append(taken);
  output_lines_.add(taken);
  if (static_cast<std::size_t>(got) > room && !result_.output_too_large) {
    result_.output_too_large = true;
    request_end();
  }
}

void Child::read_errors() {
  char buffer[1 << 16];
  const auto got = ::read(error_.number(), buffer, sizeof buffer);
  if (got == 0) error_.close();
  if (got <= 0) return;
  const auto room = request_.max_error_bytes.value_or(SIZE_MAX) - error_bytes_;
  const auto taken = std::min(room, static_cast<std::size_t>(got));
  error_bytes_ += taken;
  error_lines_.add({buffer, taken});
  if (static_cast<std::size_t>(got) > room && !result_.output_too_large) {
    result_.output_too_large = true;
    request_end();
  }
}

void Child::request_end() {
  end_group(SIGTERM);
  if (!kill_at_) kill_at_ = SteadyClock::now() + kGrace;
}

int Child::poll_timeout_ms() const {
  auto deadline = kill_at_;
  for (const auto& other : {end_at_, close_at_}) {
    if (other && (!deadline || *other < *deadline)) deadline = other;
  }
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Child::handle_deadlines() {
  const auto now = SteadyClock::now();
  if (end_at_ && now >= *end_at_) {
    result_.timed_out = true;
    end_at_.reset();
    request_end();
  }
  if (kill_at_ && now >= *kill_at_) {
    if (!exited_ && request_.on_kill) request_.on_kill();
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

void Child::end() {
  const auto end = reap(started_);
  result_.exit_code = end.exit_code;
  result_.signal = end.signal;
  result_.usage = end.usage;
  exited_ = true;
  end_at_.reset();
  in_.close();
  close_at_ = SteadyClock::now() + kGrace;
}

}  // namespace

Result<ProcessResult> run_process(const ProcessRequest& request) {
  WEIR_CHECK(!request.command.empty());
  Child child(request);
  WEIR_TRY(child.start());
  return child.run();
}

}  // namespace weir::tool
