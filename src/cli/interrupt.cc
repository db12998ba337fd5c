#include "cli/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "cli/console.h"

namespace weir::cli {

InterruptStop::InterruptStop(std::string notice)
    : notice_(std::move(notice)), end_(::eventfd(0, EFD_CLOEXEC)) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // A blocked signal comes to the descriptor even if it is ignored, as nohup asks for.
  struct sigaction on_hangup{};
  ::sigaction(SIGHUP, nullptr, &on_hangup);
  if (on_hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
  thread_ = std::thread([this] { wait_for_signals(); });
}

InterruptStop::~InterruptStop() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(end_, &one, sizeof one));
  thread_.join();
  ::close(signals_);
  ::close(end_);
}

void InterruptStop::wait_for_signals() {
  ::pthread_setname_np(::pthread_self(), "weir-signals");
  while (true) {
    pollfd watched[] = {{signals_, POLLIN, 0}, {end_, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) continue;
    // A terminal that closes sends its hangup twice, by the shell and by the kernel: nobody is
    // impatient.
    if (stop_.stop_requested() && info.ssi_signo == SIGHUP) continue;
    if (stop_.stop_requested()) ::_exit(128 + static_cast<int>(info.ssi_signo));
    signal_ = static_cast<int>(info.ssi_signo);
    stop_.request_stop();
    say_text(notice_);
  }
}

}  // namespace weir::cli
