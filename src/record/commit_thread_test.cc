#include "record/commit_thread.h"

#include <gtest/gtest.h>

#include <future>

namespace weir::record {
namespace {

Batch batch_of(std::string_view lines) {
  Batch batch{.lines = {}, .events = 1, .runs = {}};
  batch.lines.append(lines);
  return batch;
}

TEST(ThreadsCommitThread, CommitsInOrderWhileItsOwnerGoesOn) {
  std::string log;
  CommitThread thread([&](Batch& batch) {
    log += batch.lines.view();
    return Result<void>();
  });
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    auto batch = batch_of(std::to_string(i));
    expected += batch.lines.view();
    EXPECT_FALSE(thread.wait());
    thread.start(batch);
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(batch.events, 0U);
  }
  EXPECT_FALSE(thread.wait());
  EXPECT_EQ(log, expected);
}

TEST(ThreadsCommitThread, IsBusyUntilTheBatchIsThroughAndGivesAFailedOneBackOnce) {
  std::promise<void> go;
  CommitThread thread([&](Batch&) -> Result<void> {
    go.get_future().wait();
    return fail(ErrorCode::kExhausted, "no space");
  });
  EXPECT_FALSE(thread.is_busy());
  auto batch = batch_of("lines");
  thread.start(batch);
  EXPECT_TRUE(thread.is_busy());
  go.set_value();
  const auto failed = thread.wait();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->first.lines.view(), "lines");
  EXPECT_EQ(failed->second.code, ErrorCode::kExhausted);
  EXPECT_FALSE(thread.is_busy());
  EXPECT_FALSE(thread.wait());
}

TEST(ThreadsCommitThread, EndsWhatItHasBegun) {
  int commits = 0;
  {
    CommitThread thread([&](Batch&) {
      ++commits;
      return Result<void>();
    });
    auto batch = batch_of("lines");
    thread.start(batch);
  }
  EXPECT_EQ(commits, 1);
}

}  // namespace
}  // namespace weir::record
