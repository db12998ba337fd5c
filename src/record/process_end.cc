#include "record/process_end.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <mutex>

#include "record/recorder.h"

namespace weir::record {
namespace {

constexpr int kSignals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};
constexpr std::chrono::milliseconds kMaxStopWait{2000};

/// More than these are recorded as well, but have only their destructors.
constexpr std::size_t kMaxRecorders = 64;

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): handlers have nothing else.
constinit std::array<std::atomic<Recorder*>, kMaxRecorders> recorders{};
std::mutex registry_mutex;  // for add and remove; a signal handler goes without
struct sigaction previous[NSIG];
thread_local pid_t writer_of = 0;  // a process; a thread that forks is none in the child
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

void sleep_a_millisecond() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

void LiveRecorders::mark_writer_thread() { writer_of = ::getpid(); }

void LiveRecorders::add(Recorder& recorder) {
  static std::once_flag installed;
  std::call_once(installed, install);
  const std::lock_guard lock(registry_mutex);
  for (auto& place : recorders) {
    if (place.load() != nullptr) continue;
    place.store(&recorder);
    return;
  }
}

void LiveRecorders::remove(Recorder& recorder) {
  const std::lock_guard lock(registry_mutex);
  for (auto& place : recorders) {
    if (place.load() == &recorder) place.store(nullptr);
  }
}

void LiveRecorders::install() {
  static_cast<void>(std::atexit(drain_at_exit));
  for (const int signal : kSignals) {
    struct sigaction action{};
    action.sa_handler = on_fatal_signal;
    action.sa_flags = SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, &previous[signal]);
  }
}

void LiveRecorders::drain_at_exit() {
  for (auto& place : recorders) {
    if (auto* recorder = place.load()) {
      static_cast<void>(recorder->stop(Recorder::AtStop::kDrain, kMaxStopWait));
    }
  }
}

/// Calls only what a signal handler may call: atomics, getpid, nanosleep, sigaction.
void LiveRecorders::on_fatal_signal(int signal) {
  const int error = errno;
  if (writer_of != ::getpid()) {
    for (auto& place : recorders) {
      if (auto* recorder = place.load()) recorder->crashing_.store(true);
    }
    for (int waited = 0; waited < kMaxStopWait.count(); ++waited) {
      bool all_drained = true;
      for (auto& place : recorders) {
        auto* recorder = place.load();
        const bool waits = recorder != nullptr && recorder->open_count_.load() > 0;
        all_drained = all_drained && (!waits || recorder->crash_drained_.load());
      }
      if (all_drained) break;
      sleep_a_millisecond();
    }
  }
  ::sigaction(signal, &previous[signal], nullptr);
  errno = error;
  // A fault comes again when its instruction is tried again; what was sent must be sent again. It
  // is blocked until this returns.
  ::raise(signal);
}

}  // namespace weir::record
