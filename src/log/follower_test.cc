#include "log/follower.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "log/follower_testing.h"
#include "log/sealing.h"

namespace weir::log {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

}  // namespace
}  // namespace weir::log
