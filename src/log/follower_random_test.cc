#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

#include "log/follower_testing.h"
#include "log/sealing.h"

namespace weir::log {
namespace {

using namespace testing_support;
using testing::IsEmpty;

/// Writers that write, begin segments, crash and are sealed as a seed decides, and what a follower
/// must have delivered.
class Schedule {
 public:
  explicit Schedule(unsigned seed) : chance_(seed), store_(fresh_store(files_)) {
    following_.emplace(store_, Cursor(), options());
  }

  void run() {
    for (int step = 0; step < 120; ++step) {
      switch (chance_() % 9) {
        case 0:
          if (writers_.size() < 6) {
            writers_.push_back(writer_to(store_, 150 + chance_() % 400));
          }
          break;
        case 1:
          crash();
          break;
        case 2:
          EXPECT_TRUE(seal_finished(store_));
          break;
        case 3:
        case 4:
          read(chance_() % 5);
          break;
        case 5:
          begin_again();
          break;
        default:
          write();
      }
    }
    read(1'000'000);
    for (const auto& [writer, events] : written_) EXPECT_EQ(read_[writer], events) << writer;
    EXPECT_EQ(read_.size(), written_.size());
    EXPECT_THAT(following_->problems, IsEmpty());
  }

 private:
  FollowerOptions options() {
    FollowerOptions options{.max_open = 1 + chance_() % 4};
    if (chance_() % 3 == 0) options.watch = no_watch;
    return options;
  }
  std::list<LogWriter>::iterator any_writer() {
    return std::next(writers_.begin(), static_cast<int>(chance_() % writers_.size()));
  }
  void write() {
    if (writers_.empty()) return;
    auto& writer = *any_writer();
    std::vector<std::string> events;
    for (std::size_t i = 0; i < 1 + chance_() % 3; ++i) {
      events.push_back("event " + std::to_string(next_++) + std::string(chance_() % 80, '.'));
    }
    commit(writer, events);
    auto& all = written_[writer.name()];
    all.insert(all.end(), events.begin(), events.end());
  }
  /// Of a writer, in the middle of a write.
  void crash() {
    if (writers_.empty()) return;
    const auto which = any_writer();
    const auto number = which->finished_segments() + 1;
    if (written_.contains(which->name())) {
      append(store_, {which->name(), number},
             std::string_view("half an event\n{\"log_commit\":{\"ev").substr(0, chance_() % 30));
    }
    writers_.erase(which);
  }
  void read(std::size_t commits) {
    following_->follower.look();
    for (std::size_t i = 0; i < commits; ++i) {
      const auto commit = *following_->follower.next(0ms);
      if (!commit) return;
      auto& events = read_[commit->segment.writer];
      const auto found = split(commit->lines);
      events.insert(events.end(), found.begin(), found.end());
    }
  }
  /// A new follower from where the last one was.
  void begin_again() {
    EXPECT_THAT(following_->problems, IsEmpty());
    const auto text = following_->follower.cursor().text();
    following_.emplace(store_, *Cursor::parse(text), options());
  }

  CountedFiles files_;
  std::mt19937 chance_;
  StoreDirectory store_;
  std::list<LogWriter> writers_;
  std::optional<Following> following_;
  int next_ = 0;
  std::map<std::string, std::vector<std::string>> written_, read_;  // by writer
};

TEST(Follower, DeliversEveryCommitOnceAndInOrderWhateverHappensToTheLog) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Schedule(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::log
