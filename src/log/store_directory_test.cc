#include "log/store_directory.h"

#include <gtest/gtest.h>

#include "log/run_lock.h"

namespace weir::log {
namespace {

std::filesystem::path fresh_root() {
  return testing::TempDir() + "weir-" + std::to_string(random_bits());
}

TEST(SegmentName, IsReadInItsOneSpelling) {
  const SegmentName name{.writer = "0123456789abcdef01234567", .number = 12};
  EXPECT_EQ(name.file_name(), "0123456789abcdef01234567-000012.jsonl");
  EXPECT_EQ(SegmentName::parse(name.file_name()), name);
  const SegmentName many{.writer = name.writer, .number = 1'234'567};
  EXPECT_EQ(SegmentName::parse(many.file_name()), many);
  for (const char* other :
       {"", ".jsonl", "0123456789abcdef01234567-000000.jsonl", "0123456789abcdef01234567-12.jsonl",
        "0123456789abcdef01234567-0000012.jsonl", "0123456789ABCDEF01234567-000012.jsonl",
        "0123456789abcdef01234567-+00012.jsonl", "0123456789abcdef01234567_000012.jsonl",
        "0123456789abcdef01234567-000012.json", "0123456789abcdef01234567-99999999999.jsonl"}) {
    EXPECT_FALSE(SegmentName::parse(other)) << other;
  }
}

TEST(StoreDirectory, RefusesANewerFormatAndChangesNothing) {
  const auto root = fresh_root();
  ASSERT_TRUE(StoreDirectory::create(root));
  ASSERT_TRUE(write_file_durably(root / "VERSION", "3\n"));
  EXPECT_EQ(StoreDirectory::open(root).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(StoreDirectory::create(root).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(*read_file(root / "VERSION", 10), "3\n");
}

TEST(StoreDirectory, MakesAnOlderStoreOneOfThisVersionWhenItIsWrittenTo) {
  const auto root = fresh_root();
  ASSERT_TRUE(StoreDirectory::create(root));
  ASSERT_TRUE(write_file_durably(root / "VERSION", "1\n"));
  ASSERT_TRUE(StoreDirectory::open(root));
  EXPECT_EQ(*read_file(root / "VERSION", 10), "1\n");
  ASSERT_TRUE(StoreDirectory::create(root));
  EXPECT_EQ(*read_file(root / "VERSION", 10), std::to_string(kFormatVersion) + "\n");
}

TEST(StoreDirectory, SaysThatThereIsNoStore) {
  EXPECT_EQ(StoreDirectory::open("/no/such/store").error().code, ErrorCode::kNotFound);
}

TEST(StoreDirectory, ListsSegmentsInOrderAndNothingElse) {
  const auto store = *StoreDirectory::create(fresh_root());
  const std::string early(24, '1'), late(24, '2');
  for (const auto& name : {late + "-000001.jsonl", early + "-000010.jsonl", early + "-000009.jsonl",
                           std::string("notes.jsonl")}) {
    ASSERT_TRUE(File::create(store.log() / name));
  }
  const std::vector<SegmentName> expected = {{early, 9}, {early, 10}, {late, 1}};
  EXPECT_EQ(*store.segment_names(), expected);
}

TEST(RunLock, BelongsToOneAtATime) {
  const auto store = *StoreDirectory::create(fresh_root());
  const auto run = RunId::make(system_clock().now());
  EXPECT_FALSE(RunLock::is_held(store, run));
  {
    auto lock = RunLock::take(store, run);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(RunLock::is_held(store, run));
    EXPECT_EQ(RunLock::take(store, run).error().code, ErrorCode::kConflict);
  }
  EXPECT_FALSE(RunLock::is_held(store, run));
}

TEST(RunLock, OfAllRunsAreListedThatAreOwned) {
  const auto store = *StoreDirectory::create(fresh_root());
  const auto owned = RunId::make(system_clock().now()), dead = RunId::make(system_clock().now());
  EXPECT_TRUE(RunLock::held(store).empty());
  const auto lock = RunLock::take(store, owned);
  ASSERT_TRUE(File::open_or_create(store.run_lock(dead)));
  ASSERT_TRUE(File::open_or_create(store.run_locks() / "notes.txt"));
  EXPECT_EQ(RunLock::held(store), std::unordered_set{owned});
}

TEST(RunLock, IsNotTakenByWhoOnlyAsks) {
  const auto store = *StoreDirectory::create(fresh_root());
  const auto run = RunId::make(system_clock().now());
  auto lock = std::optional(*RunLock::take(store, run));
  // Two who ask at once must not take each other for the owner.
  lock.reset();
  const auto file = File::open_or_create(store.run_lock(run));
  ASSERT_TRUE(*file->try_lock(LockKind::kShared));
  EXPECT_FALSE(RunLock::is_held(store, run));
}

}  // namespace
}  // namespace weir::log
