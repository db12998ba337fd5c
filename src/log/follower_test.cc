// Long: every promise of one class, with the log that they are made about.
#include "log/follower.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <list>
#include <random>
#include <thread>
#include <utility>

#include "base/id.h"
#include "base/troubled_files.h"
#include "log/log_writer.h"
#include "log/sealing.h"

namespace weir::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Long enough for a loaded machine; nothing waits for it to pass.
constexpr auto kSoon = 20s;

StoreDirectory fresh_store(FileSystem& files = local_files()) {
  return *StoreDirectory::create(testing::TempDir() + "weir-" + std::to_string(random_bits()),
                                 files);
}

void commit(LogWriter& writer, const std::vector<std::string>& events) {
  std::string lines;
  for (const auto& event : events) lines += event + "\n";
  ASSERT_TRUE(writer.commit(lines, events.size()));
}

LogWriter writer_to(const StoreDirectory& store, std::uint64_t segment_bytes = 1U << 20) {
  return {store, system_clock(), {.segment_bytes = segment_bytes}};
}

std::vector<std::string> split(std::string_view lines) {
  std::vector<std::string> events;
  for (; !lines.empty(); lines.remove_prefix(events.back().size() + 1)) {
    events.emplace_back(lines.substr(0, lines.find('\n')));
  }
  return events;
}

/// Nobody tells it anything: it has to look.
Result<FolderWatch> no_watch(const std::filesystem::path&) {
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

void append(const StoreDirectory& store, const SegmentName& name, std::string_view bytes) {
  auto file = File::open_to_change(store.segment(name));
  ASSERT_TRUE(file && file->write_at(*file->size(), bytes));
}

TEST(Follower, DeliversWhatIsThereAndThenWhatComes) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  commit(writer, {"a", "b"});
  Following following(store);
  EXPECT_THAT(following.one(), ElementsAre("a", "b"));
  commit(writer, {"c"});
  EXPECT_THAT(following.one(), ElementsAre("c"));
  auto other = writer_to(store);
  commit(other, {"x"});
  EXPECT_THAT(following.one(), ElementsAre("x"));
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_THAT(following.problems, IsEmpty());
}

TEST(Follower, LooksForItselfWhereTheKernelTellsNothing) {
  const auto store = fresh_store();
  Following following(store, {}, {.look_interval = 1ms, .watch = no_watch});
  auto writer = writer_to(store, 1);
  for (const char* event : {"a", "b", "c"}) {
    commit(writer, {event});
    EXPECT_THAT(following.one(), ElementsAre(event));
  }
}

// A kernel that has lost count says so, and nothing else.
TEST(Follower, LooksAtEverythingWhenTheKernelHasLostCount) {
  const auto store = fresh_store();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  Descriptor telling(ends[1]);
  Following following(store, {},
                      {.look_interval = 1h, .watch = [&](const auto&) -> Result<FolderWatch> {
                         return FolderWatch(Descriptor(ends[0]));
                       }});
  auto writer = writer_to(store);
  commit(writer, {"a"});
  EXPECT_FALSE(*following.follower.next(0ms));  // nobody has told it
  telling.close();
  EXPECT_THAT(following.one(), ElementsAre("a"));
}

TEST(Follower, BeginsAtTheEndOfTheLogWhenItIsToldTo) {
  const auto store = fresh_store();
  auto ended = writer_to(store), writer = writer_to(store, 1);
  commit(ended, {"old"});
  ended.close();
  for (const char* event : {"one", "two", "three"}) commit(writer, {event});
  Following following(store, *end_of_log(store));
  EXPECT_THAT(following.rest(), IsEmpty());
  commit(writer, {"new"});
  EXPECT_THAT(following.rest(), ElementsAre("new"));
  EXPECT_THAT(following.problems, IsEmpty());
}

TEST(Follower, GoesOnFromACursorWithoutLossOrRepetition) {
  const auto store = fresh_store();
  auto writer = writer_to(store, 200);  // two commits a segment
  std::vector<std::string> written, read;
  for (int i = 0; i < 20; ++i) {
    written.push_back("event " + std::to_string(i));
    commit(writer, {written.back()});
  }
  Cursor cursor;
  while (read.size() < written.size()) {
    Following following(store, *Cursor::parse(cursor.text()));
    const auto events = following.one();
    read.insert(read.end(), events.begin(), events.end());
    cursor = following.follower.cursor();
  }
  EXPECT_EQ(read, written);
}

TEST(Follower, LeavesOutWritersThatNobodyWants) {
  const auto store = fresh_store();
  auto wanted = writer_to(store), other = writer_to(store);
  Following following(store, {},
                      {.wants = [&](std::string_view writer) { return writer == wanted.name(); }});
  commit(other, {"other"});
  commit(wanted, {"wanted"});
  EXPECT_THAT(following.rest(), ElementsAre("wanted"));
  EXPECT_FALSE(following.follower.cursor().positions.contains(other.name()));
}

TEST(Follower, DeliversNothingThatIsNotCommitted) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  commit(writer, {"a"});
  Following following(store);
  EXPECT_THAT(following.rest(), ElementsAre("a"));
  append(store, {writer.name(), 1}, "on its way\n");
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_EQ(following.follower.torn_bytes(), 0U);
  writer.close();  // a crash: nobody will commit it
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_EQ(following.follower.torn_bytes(), 11U);
  EXPECT_THAT(following.problems, IsEmpty());
}

// The position of a finished writer is in a segment that need not come: it is not opened again.
TEST(Follower, HasFinishedWithASegmentWhenItsLockIsFree) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  commit(writer, {"a"});
  Following following(store);
  EXPECT_THAT(following.rest(), ElementsAre("a"));
  EXPECT_EQ(following.follower.cursor().of(writer.name()).segment, 1U);
  writer.close();
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_EQ(following.follower.cursor().of(writer.name()), Position{.segment = 2});
  commit(writer, {"b"});
  EXPECT_THAT(following.one(), ElementsAre("b"));
}

TEST(Follower, ReadsSegmentsThatAreSealedUnderIt) {
  const auto store = fresh_store();
  auto writer = writer_to(store, 1);
  Following following(store);
  commit(writer, {"a"});
  EXPECT_THAT(following.one(), ElementsAre("a"));
  append(store, {writer.name(), 1}, "torn");
  commit(writer, {"b"});
  ASSERT_TRUE(seal_finished(store));
  EXPECT_THAT(following.rest(), ElementsAre("b"));
  writer.close();
  ASSERT_TRUE(seal_finished(store));
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_THAT(following.problems, IsEmpty());
}

TEST(Follower, ReportsDamageOnceWithItsPlaceAndGoesOn) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  for (const char* event : {"a", "b", "c"}) commit(writer, {event});
  const SegmentName name{writer.name(), 1};
  const auto second = read_file(store.segment(name), 1 << 20)->find("b\n");
  ASSERT_TRUE(File::open_to_change(store.segment(name))->write_at(second, "B"));
  Following following(store);
  EXPECT_THAT(following.rest(), ElementsAre("a", "c"));
  writer.close();
  EXPECT_THAT(following.rest(), IsEmpty());
  ASSERT_EQ(following.problems.size(), 1U);
  EXPECT_EQ(following.problems[0].segment, name);
  EXPECT_EQ(following.problems[0].offset, second);
}

TEST(Follower, ReportsALastCommitThatIsNotAsItWasWrittenWhenTheSegmentIsFinished) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  for (const char* event : {"a", "b"}) commit(writer, {event});
  const SegmentName name{writer.name(), 1};
  const auto second = read_file(store.segment(name), 1 << 20)->find("b\n");
  ASSERT_TRUE(File::open_to_change(store.segment(name))->write_at(second, "B"));
  Following following(store);
  EXPECT_THAT(following.rest(), ElementsAre("a"));
  EXPECT_THAT(following.problems, IsEmpty());
  writer.close();
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_THAT(following.rest(), IsEmpty());
  ASSERT_EQ(following.problems.size(), 1U);
  EXPECT_EQ(following.problems[0].offset, second);
  EXPECT_THAT(following.problems[0].reason, HasSubstr("nothing good follows"));
}

TEST(Follower, ReportsSegmentsThatWereRemovedBeforeItReadThem) {
  const auto store = fresh_store();
  auto writer = writer_to(store, 1);
  for (const char* event : {"a", "b", "c", "d", "e"}) commit(writer, {event});
  Following following(store);
  EXPECT_THAT(following.one(), ElementsAre("a"));
  for (const std::uint32_t number : {2U, 3U}) {
    std::filesystem::remove(store.segment({writer.name(), number}));
  }
  EXPECT_THAT(following.rest(), ElementsAre("d", "e"));
  ASSERT_EQ(following.problems.size(), 1U);
  EXPECT_EQ(following.problems[0].segment, (SegmentName{writer.name(), 2}));
  EXPECT_THAT(following.problems[0].reason, HasSubstr("up to number 3 were removed"));
}

TEST(Follower, ForgetsWritersThatAreGone) {
  const auto store = fresh_store();
  auto read = writer_to(store), half_read = writer_to(store), unread = writer_to(store, 1);
  commit(read, {"a"});
  commit(half_read, {"b"});
  Following following(store);
  EXPECT_THAT(following.rest().size(), 2U);
  read.close();
  EXPECT_THAT(following.rest(), IsEmpty());
  for (const char* event : {"c", "d"}) commit(unread, {event});
  const SegmentName gone{half_read.name(), 1};
  std::filesystem::remove(store.segment({read.name(), 1}));
  std::filesystem::remove(store.segment(gone));
  for (const std::uint32_t number : {1U, 2U}) {
    std::filesystem::remove(store.segment({unread.name(), number}));
  }
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_THAT(following.rest(), IsEmpty());
  EXPECT_EQ(following.follower.cursor(), Cursor());
  std::vector<SegmentName> reported;
  for (const auto& problem : following.problems) reported.push_back(problem.segment);
  EXPECT_THAT(reported, testing::UnorderedElementsAre(gone, SegmentName{unread.name(), 1}));
}

TEST(Follower, SaysWhenACursorIsBehindTheEndOfASegment) {
  const auto store = fresh_store();
  auto writer = writer_to(store);
  commit(writer, {"a"});
  writer.close();
  const auto size = std::filesystem::file_size(store.segment({writer.name(), 1}));
  Following following(store,
                      {{{writer.name(), {.segment = 1, .offset = size + 100}}, {"gone", {1, 5}}}});
  EXPECT_THAT(following.rest(), IsEmpty());
  ASSERT_EQ(following.problems.size(), 2U);
  EXPECT_EQ(following.problems[0].segment.writer, "gone");
  EXPECT_EQ(following.problems[1].offset, size);
  EXPECT_EQ(following.follower.torn_bytes(), 0U);
}

TEST(ThreadsFollower, IsWokenFromAnotherThread) {
  const auto store = fresh_store();
  Following following(store);
  std::thread waker([&] { following.follower.wake(); });
  EXPECT_FALSE(*following.follower.next(kSoon));
  waker.join();
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

TEST(Follower, HasOneFinishedSegmentOpenAtATime) {
  CountedFiles files;
  const auto store = fresh_store(files);
  constexpr std::size_t kWriters = 500, kSegments = 20;
  for (std::size_t i = 0; i < kWriters; ++i) {
    auto writer = writer_to(store, 1);
    for (std::size_t segment = 0; segment < kSegments; ++segment) commit(writer, {"an event"});
  }
  ASSERT_EQ(files.open_now, 0);
  files.most_open = 0;
  Following following(store);
  EXPECT_EQ(following.rest().size(), kWriters * kSegments);
  EXPECT_LE(files.most_open, 2);  // a segment and its lock
  EXPECT_EQ(files.open_now, 0);
  Following later(store, following.follower.cursor());
  files.most_open = 0;
  EXPECT_THAT(later.rest(), IsEmpty());
  EXPECT_EQ(files.most_open, 0);
  EXPECT_THAT(following.problems, IsEmpty());
}

TEST(Follower, FollowsMoreLiveWritersThanItKeepsOpen) {
  CountedFiles files;
  const auto store = fresh_store(files);
  std::vector<LogWriter> writers;
  for (int i = 0; i < 10; ++i) writers.push_back(writer_to(store));
  for (auto& writer : writers) commit(writer, {"first"});
  const int others = files.open_now;
  Following following(store, {}, {.max_open = 3});
  EXPECT_EQ(following.rest().size(), writers.size());
  for (int round = 0; round < 3; ++round) {
    for (auto& writer : writers) {
      commit(writer, {"event of " + writer.name()});
      EXPECT_THAT(following.one(), ElementsAre("event of " + writer.name()));
    }
  }
  EXPECT_LE(files.open_now, others + 3);
}

// The writer's last commit comes when the reader has just seen the end, and then the segment ends.
TEST(Follower, MissesNothingOfASegmentThatEndsWhileItsEndIsRead) {
  for (const bool another : {false, true}) {
    SCOPED_TRACE(another ? "by another segment" : "by its lock");
    CountedFiles files;
    const auto store = fresh_store();
    auto writer = writer_to(store, 200);
    commit(writer, {"a"});
    Following following(*StoreDirectory::open(store.root(), files));
    EXPECT_THAT(following.one(), ElementsAre("a"));
    files.after_size = [&] {
      commit(writer, {std::string(200, 'b')});
      if (another) return commit(writer, {"c"});
      writer.close();
    };
    auto expected = std::vector{std::string(200, 'b')};
    if (another) expected.emplace_back("c");
    EXPECT_EQ(following.rest(), expected);
    EXPECT_FALSE(files.after_size);
  }
}

TEST(Follower, GoesOnAfterAFailureToOpen) {
  CountedFiles files;
  const auto store = fresh_store(files);
  auto writer = writer_to(store);
  commit(writer, {"a"});
  Following following(store);
  files.refuses = true;
  EXPECT_THAT(following.follower.next(0ms).error().message, HasSubstr(writer.name()));
  files.refuses = false;
  EXPECT_THAT(following.rest(), ElementsAre("a"));
}

TEST(Remainder, CountsTheBytesAfterACursor) {
  const auto store = fresh_store();
  auto writer = writer_to(store, 1);
  Following following(store);
  EXPECT_EQ(remainder(store, {})->bytes, 0U);
  commit(writer, {"a"});
  EXPECT_THAT(following.one(), ElementsAre("a"));
  EXPECT_EQ(remainder(store, following.follower.cursor())->bytes, 0U);
  const auto size = std::filesystem::file_size(store.segment({writer.name(), 1}));
  for (const char* event : {"b", "c"}) commit(writer, {event});
  const auto rest = *remainder(store, following.follower.cursor());
  EXPECT_EQ(rest.bytes, 2 * size);
  EXPECT_EQ(rest.end.of(writer.name()), (Position{.segment = 3, .offset = size}));
  EXPECT_EQ(remainder(store, {}, [](std::string_view) { return false; })->bytes, 0U);
}

// ---- whatever happens to the log ---------------------------------------------------------------

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
