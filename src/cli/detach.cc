#include "cli/detach.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "base/descriptor.h"
#include "cli/command.h"
#include "engine/run_loggers.h"
#include "store/history.h"

namespace weir::cli {
namespace {

/// Nobody reads, or writes, what stands here any more.
void give_up_stream(int number, int flags) {
  const Descriptor nothing(::open("/dev/null", flags | O_CLOEXEC));
  if (nothing.is_open()) ::dup2(nothing.number(), number);
}

/// In the process that runs: who waits is told of the run that has begun.
class Beginning final : public engine::RunLogger {
 public:
  explicit Beginning(Descriptor to) : to_(std::move(to)) {}

  void log_run_started(const engine::RunStarted& run) override {
    if (!to_.is_open()) return;  // one that it was asked to run anew
    static_cast<void>(!::write(to_.number(), run.run_id.data(), run.run_id.size()));
    to_.close();
    std::fflush(stderr);
    give_up_stream(STDERR_FILENO, O_WRONLY);
  }
  void log_run_completed(const engine::RunEnded&) override {}
  void log_run_failed(const engine::RunEnded&) override {}

 private:
  Descriptor to_;
};

std::optional<RunId> read_id(const Descriptor& from) {
  std::array<char, 64> text{};
  std::size_t size = 0;
  ssize_t got = 0;
  while ((got = ::read(from.number(), text.data() + size, text.size() - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  return RunId::parse({text.data(), size});
}

/// So that whoever is given the id finds it; a log that cannot be written is the run's to tell of.
void wait_until_recorded(const log::StoreDirectory& store, const RunId& run) {
  constexpr auto kPatience = std::chrono::seconds(5);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  bool is_there = false;
  while (!is_there && std::chrono::steady_clock::now() < give_up) {
    const auto read = store::read_run(store, run, [&](const event::EventView&) -> Result<void> {
      is_there = true;
      return {};
    });
    if (!read) return;
    if (!is_there) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

int run_detached(RunJob job, HowToRun how, const log::StoreDirectory& store) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return complain(fail_errno("pipe").error());
  Descriptor from(ends[0]), to(ends[1]);
  const auto child = ::fork();
  if (child < 0) return complain(fail_errno("fork").error());
  if (child == 0) {
    from.close();
    ::setsid();
    give_up_stream(STDIN_FILENO, O_RDONLY);
    give_up_stream(STDOUT_FILENO, O_WRONLY);
    Beginning beginning(std::move(to));
    how.quiet = true;
    how.run_logger = &beginning;
    ::_exit(run_job(std::move(job), how, store));
  }
  to.close();
  if (job.owned != nullptr) job.owned->lock.abandon();  // the run is the child's
  if (const auto run = read_id(from)) {
    wait_until_recorded(store, *run);
    std::printf("%s\n", run->text().c_str());
    return kDone;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

}  // namespace weir::cli
