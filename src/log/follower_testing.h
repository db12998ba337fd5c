#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/troubled_files.h"
#include "log/follower.h"
#include "log/log_writer.h"

/// For the tests of the follower: a log that it follows, and what it says.
namespace weir::log::testing_support {

using namespace std::chrono_literals;

// Long enough for a loaded machine; nothing waits for it to pass.
inline constexpr auto kSoon = 20s;

inline StoreDirectory fresh_store(FileSystem& files = local_files()) {
  return *StoreDirectory::create(testing::TempDir() + "weir-" + std::to_string(random_bits()),
                                 files);
}

inline void commit(LogWriter& writer, const std::vector<std::string>& events) {
  std::string lines;
  for (const auto& event : events) lines += event + "\n";
  ASSERT_TRUE(writer.commit(lines, events.size()));
}

inline LogWriter writer_to(const StoreDirectory& store, std::uint64_t segment_bytes = 1U << 20) {
  return {store, system_clock(), {.segment_bytes = segment_bytes}};
}

inline std::vector<std::string> split(std::string_view lines) {
  std::vector<std::string> events;
  for (; !lines.empty(); lines.remove_prefix(events.back().size() + 1)) {
    events.emplace_back(lines.substr(0, lines.find('\n')));
  }
  return events;
}

/// Nobody tells it anything: it has to look.
inline Result<FolderWatch> no_watch(const std::filesystem::path&) {
  return fail(ErrorCode::kIo, "no inotify here");
}

/// A follower and what it has said.
struct Following {
  explicit Following(const StoreDirectory& store, Cursor from = {}, FollowerOptions options = {})
      : follower(*Follower::open(
            store, std::move(from), [this](const FollowProblem& one) { problems.push_back(one); },
            std::move(options))) {}
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  /// Everything that is there now.
  std::vector<std::string> rest() {
    std::vector<std::string> events;
    follower.look();
    while (const auto commit = *follower.next(0ms)) take(*commit, events);
    return events;
  }
  /// The events of the next commit, for which it waits.
  std::vector<std::string> one() {
    std::vector<std::string> events;
    const auto commit = follower.next(kSoon);
    if (!commit || !*commit) return {"nothing came"};
    take(**commit, events);
    return events;
  }
  void take(const FollowedCommit& commit, std::vector<std::string>& events) {
    const auto found = split(commit.lines);
    EXPECT_EQ(found.size(), commit.events);
    EXPECT_LE(commit.begin + commit.lines.size(), commit.end);
    EXPECT_EQ(follower.cursor().of(commit.segment.writer),
              (Position{.segment = commit.segment.number, .offset = commit.end}));
    events.insert(events.end(), found.begin(), found.end());
  }

  std::vector<FollowProblem> problems;
  Follower follower;
};

inline void append(const StoreDirectory& store, const SegmentName& name, std::string_view bytes) {
  auto file = File::open_to_change(store.segment(name));
  ASSERT_TRUE(file && file->write_at(*file->size(), bytes));
}

/// Counts what is open, fails when it is told to, and lets things happen in between.
class CountedFiles final : public TroubledFiles {
 public:
  std::function<void()> after_size;  // once
  int open_now = 0;
  int most_open = 0;
  bool refuses = false;

  int open(const char* path, int flags) override {
    if (refuses) {
      errno = EMFILE;
      return -1;
    }
    const int file = TroubledFiles::open(path, flags);
    if (file >= 0) most_open = std::max(most_open, ++open_now);
    return file;
  }
  int close(int file) override {
    --open_now;
    return TroubledFiles::close(file);
  }
  // 10 000 of them take their time, and lose nothing here.
  int fdatasync(int) override { return 0; }
  int fsync(int) override { return 0; }
  std::int64_t size(int file) override {
    const auto size = TroubledFiles::size(file);
    if (after_size) std::exchange(after_size, {})();
    return size;
  }
};

}  // namespace weir::log::testing_support
