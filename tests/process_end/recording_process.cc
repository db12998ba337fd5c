// recording_process STORE ENDING DURABILITY: a process that records and ends in one of the ways
// that the recorder makes promises about. What it prints is what it was promised:
//
//   run RUN_ID            it records this run
//   emitted RUN_ID N      `emit` has returned for the events 1 to N
//   committed RUN_ID N    `flush` has returned for them
//   aged RUN_ID N         they are older than the longest that an event waits for its commit
//
// Endings: return, exit, abort, fault, fault_in_text, fault_in_emit, fork, until_killed,
// killed_later. Durabilities: memory, batch, commit.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>

#include "record/recorder.h"

namespace {

using weir::event::Field;
using weir::event::Type;
using weir::record::Recorder;
using weir::record::Run;

constexpr int kThreads = 3;

weir::record::Durability durability = weir::record::Durability::kBatch;

/// Of each thread: those of commit wait for the disk, each of them.
int events_of_thread() { return durability == weir::record::Durability::kCommit ? 50 : 3000; }
std::int64_t events_of_all() { return std::int64_t{kThreads} * events_of_thread(); }

void say(const char* what, const Run& run, std::int64_t number) {
  char line[128];
  const int size = std::snprintf(line, sizeof line, "%s %s %lld\n", what, run.id().text().c_str(),
                                 static_cast<long long>(number));
  if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(size)) != size) ::_exit(9);
}

std::unique_ptr<Run> begin(Recorder& recorder) {
  auto run = recorder.begin({.run_id = weir::RunId::make(weir::system_clock().now()),
                             .pipeline_type = "dag",
                             .pipeline_id = "p",
                             .pipeline_version = "1",
                             .trace_id = weir::TraceId::make(),
                             .durability = durability});
  if (!run) {
    std::fprintf(stderr, "%s\n", run.error().message.c_str());
    std::exit(8);
  }
  say("run", **run, 0);
  return std::move(*run);
}

void emit_some(Run& run, std::string_view text = "an event") {
  run.emit(Type::kLog, {{Field::kMessage, text}});
}

/// From several threads at once; they have ended when it returns.
void emit_many(Run& run) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&run] {
      for (int event = 0; event < events_of_thread(); ++event) emit_some(run);
    });
  }
  for (auto& thread : threads) thread.join();
  say("emitted", run, events_of_all());
}

/// Far longer than an event waits for its commit (0.2 s), since the machine may be busy.
[[noreturn]] void be_killed_later(const Run& run) {
  std::this_thread::sleep_for(std::chrono::seconds(2));
  say("aged", run, events_of_all());
  ::raise(SIGKILL);
  std::abort();
}

[[noreturn]] void fault() {
  *reinterpret_cast<volatile int*>(8) = 0;  // NOLINT: the point of it
  std::abort();
}

/// While its thread says an event: the text cannot be read. No number is taken yet.
[[noreturn]] void fault_in_text(Run& run) {
  std::thread([&run] { emit_some(run, {reinterpret_cast<const char*>(8), 100}); }).join();
  std::abort();
}

/// A clock that faults on a thread that wants it to.
class FaultyClock final : public weir::Clock {
 public:
  static thread_local bool faults;
  [[nodiscard]] weir::Timestamp now() const override {
    if (faults) fault();
    return weir::system_clock().now();
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return weir::system_clock().monotonic();
  }
};
thread_local bool FaultyClock::faults = false;

/// The clock is read when the event has its number.
[[noreturn]] void fault_in_emit(Run& run) {
  std::thread([&run] {
    FaultyClock::faults = true;
    emit_some(run);
  }).join();
  std::abort();
}

[[noreturn]] void record_until_killed(Run& run) {
  for (std::int64_t number = 1;; ++number) {
    emit_some(run);
    if (durability == weir::record::Durability::kCommit) say("emitted", run, number);
    if (number % 10 != 0) continue;
    if (!run.flush()) ::_exit(7);
    say("committed", run, number);
  }
}

int fork_and_record(Recorder& recorder, Run& run) {
  emit_many(run);
  const auto child = ::fork();
  if (child == 0) {
    emit_some(run, "of a run that is the parent's");
    if (run.flush()) ::_exit(6);  // it was not recorded, and must not be said to be
    if (!run.lost().stop_requested()) ::_exit(8);
    auto own = begin(recorder);
    emit_many(*own);
    own.reset();
    std::exit(0);
  }
  emit_some(run);
  int status = 0;
  ::waitpid(child, &status, 0);
  emit_some(run);
  say("emitted", run, events_of_all() + 2);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto store = weir::log::StoreDirectory::create(argv[1]);
  if (!store) return 3;
  const std::string ending = argv[2];
  const std::map<std::string, weir::record::Durability> durabilities = {
      {"memory", weir::record::Durability::kMemory},
      {"batch", weir::record::Durability::kBatch},
      {"commit", weir::record::Durability::kCommit}};
  durability = durabilities.at(argv[3]);
  // Never destroyed but by `return`: what ends in other ways leaves them as they are.
  static const FaultyClock clock;
  weir::record::RecorderOptions options;
  if (ending == "fault_in_emit") options.clock = &clock;
  auto* recorder = new Recorder(*store, options);  // NOLINT
  auto* run = begin(*recorder).release();
  if (ending == "until_killed") record_until_killed(*run);
  if (ending == "fork") return fork_and_record(*recorder, *run);
  emit_many(*run);
  if (ending == "killed_later") be_killed_later(*run);
  if (ending == "exit") std::exit(0);
  if (ending == "abort") std::abort();
  if (ending == "fault") fault();
  if (ending == "fault_in_text") fault_in_text(*run);
  if (ending == "fault_in_emit") fault_in_emit(*run);
  delete run;       // NOLINT
  delete recorder;  // NOLINT
  return 0;
}
