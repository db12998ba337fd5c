// following_process STORE record [PAUSE_MS]
//                                      records in small segments until it is killed, or standard
//                                      input ends, with a pause after each commit; says what was
//                                      acknowledged: "committed RUN_ID N"
// following_process STORE follow NAME COMMITS
//                                      follows from the cursor NAME, says "event WRITER LINE", and
//                                      ends after so many commits, or when standard input ends and
//                                      nothing is left. The cursor is kept now and then, and at
//                                      the end.

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "log/cursor.h"
#include "log/follower.h"
#include "record/recorder.h"

namespace {

using weir::event::Field;
using weir::event::Type;

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(9);
}

template <class T>
T must(weir::Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

bool input_ended(int pause_ms = 0) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, pause_ms) > 0;
}

int record(const weir::log::StoreDirectory& store, int pause_ms) {
  weir::record::Recorder recorder(
      store, {.commit_interval = std::chrono::milliseconds(1), .log = {.segment_bytes = 30'000}});
  const auto run = must(recorder.begin({.run_id = weir::RunId::make(weir::system_clock().now()),
                                        .pipeline_type = "dag",
                                        .pipeline_id = "p",
                                        .pipeline_version = "1"}));
  constexpr std::int64_t kOfCommit = 5;
  for (std::int64_t number = 1; !input_ended(number % kOfCommit == 1 ? pause_ms : 0); ++number) {
    run->emit(Type::kLog, {{Field::kMessage, "an event"}});
    if (number % kOfCommit != 0) continue;
    must(run->flush());
    std::printf("committed %s %lld\n", run->id().text().c_str(), static_cast<long long>(number));
    std::fflush(stdout);
  }
  return 0;
}

int follow(const weir::log::StoreDirectory& store, const char* name, long commits) {
  auto registered = must(weir::log::read_cursor(store, name));
  if (registered.restarted) std::printf("restarted %s\n", registered.restarted->c_str());
  auto follower = must(weir::log::Follower::open(
      store, std::move(registered.cursor), [](const weir::log::FollowProblem& problem) {
        die(problem.segment.file_name() + ": " + std::to_string(problem.offset) + ": " +
            problem.reason);
      }));
  for (long count = 0; count < commits;) {
    const bool last = input_ended();
    if (last) follower.look();
    const auto commit = must(follower.next(std::chrono::milliseconds(last ? 0 : 50)));
    if (!commit && last) break;
    if (!commit) continue;
    for (auto lines = commit->lines; !lines.empty();) {
      const auto line = lines.substr(0, lines.find('\n') + 1);
      std::printf("event %s %.*s", commit->segment.writer.c_str(), static_cast<int>(line.size()),
                  line.data());
      lines.remove_prefix(line.size());
    }
    std::fflush(stdout);
    constexpr long kKeptEach = 20;
    if (++count % kKeptEach == 0) must(weir::log::write_cursor(store, name, follower.cursor()));
  }
  must(weir::log::write_cursor(store, name, follower.cursor()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto store = must(weir::log::StoreDirectory::create(argv[1]));
  if (std::strcmp(argv[2], "record") == 0) return record(store, argc > 3 ? std::atoi(argv[3]) : 0);
  if (argc < 5) return 2;
  return follow(store, argv[3], std::strtol(argv[4], nullptr, 10));
}
