#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <string_view>
#include <thread>

#include "base/troubled_files.h"
#include "record/recorded_events.h"
#include "record/recorder.h"

namespace weir::record {
namespace {

using testing_support::committed_lines;
using testing_support::emit_message;
using testing_support::fresh_store;
using testing_support::some_run;

TEST(RecorderStop, CommitsEverythingWhenItIsStopped) {
  const auto store = fresh_store();
  Recorder recorder(store, {.commit_interval = std::chrono::milliseconds(100'000)});
  const auto run = *recorder.begin(some_run());
  for (int i = 0; i < 100; ++i) emit_message(*run, "before");
  ASSERT_TRUE(recorder.stop(Recorder::AtStop::kDrain, std::chrono::seconds(30)));
  EXPECT_EQ(committed_lines(store).size(), 100U);
  emit_message(*run, "after");
  EXPECT_EQ(recorder.statistics().dropped, 1U);
  EXPECT_EQ(recorder.begin(some_run()).error().code, ErrorCode::kCancelled);
}

TEST(RecorderStop, SaysWhenItCannotStopInTime) {
  TroubledFiles files;
  Recorder recorder(fresh_store(files));
  const auto run = *recorder.begin(some_run());
  files.stuck = true;
  emit_message(*run, "waits");
  const auto stopped = recorder.stop(Recorder::AtStop::kDrain, std::chrono::milliseconds(20));
  EXPECT_EQ(stopped.error().code, ErrorCode::kUnavailable);
  files.stuck = false;
}

// A commit is out when the recorder is told to stop, and fails then.
TEST(RecorderStop, AnswersStopOnlyAfterTheRunsOfAFailedCommitWereTold) {
  struct FailingCommits final : TroubledFiles {
    int fdatasync(int file) override {
      std::array<char, 16> thread{};
      ::pthread_getname_np(::pthread_self(), thread.data(), thread.size());
      if (std::string_view(thread.data()) != "weir-commit") return TroubledFiles::fdatasync(file);
      is_out = true;
      is_out.notify_all();
      fails.wait(false);
      errno = EIO;
      return -1;
    }
    std::atomic<bool> is_out{false}, fails{false};
  } files;
  Recorder recorder(fresh_store(files), {.commit_interval = std::chrono::milliseconds(1)});
  const auto run = *recorder.begin(some_run());
  std::atomic<bool> told = false;
  const std::stop_callback on_lost(run->lost(), [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    told = true;
  });
  emit_message(*run, "lost");
  files.is_out.wait(false);
  const auto early = recorder.stop(Recorder::AtStop::kDrain, std::chrono::milliseconds(200));
  EXPECT_TRUE(!early && early.error().code == ErrorCode::kUnavailable);
  EXPECT_FALSE(told);
  files.fails = true;
  files.fails.notify_all();
  EXPECT_TRUE(recorder.stop(Recorder::AtStop::kDrain, std::chrono::seconds(30)));
  EXPECT_TRUE(told);
  EXPECT_EQ(run->flush().error().code, ErrorCode::kIo);
}

TEST(RecorderStop, DiscardsWhatWaitsWhenAskedTo) {
  const auto store = fresh_store();
  Recorder recorder(store, {.commit_interval = std::chrono::milliseconds(100'000)});
  const auto run = *recorder.begin(some_run());
  emit_message(*run, "waits");
  ASSERT_TRUE(recorder.stop(Recorder::AtStop::kDiscard, std::chrono::seconds(30)));
  EXPECT_EQ(run->flush().error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace weir::record
