#include "project/run_state.h"

#include <gtest/gtest.h>

#include "project/event_feed_testing.h"

namespace weir::project {
namespace {

using testing_support::EventFeed;

class RunStateTest : public testing::Test {
 protected:
  RunState run_;
  EventFeed feed_{[this](const event::EventView& event, std::string_view) { run_.apply(event); }};
};

TEST_F(RunStateTest, FollowsARunFromItsStartToItsEnd) {
  feed_.start_run();
  EXPECT_EQ(run_.state, State::kRunning);
  feed_.start_node("a");
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
  feed_.complete_node("a", 2.5);
  EXPECT_EQ(run_.find_node("a")->state, State::kCompleted);
  EXPECT_EQ(run_.find_node("a")->last_attempt()->duration_ms, 2.5);
  feed_.end_run("failed", 9, "a");
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.failed_node_id, "a");
  EXPECT_EQ(run_.duration_ms, 9);
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(RunStateTest, KeepsTheStateAndSaysSoWhenAForbiddenEventFollowsTheEnd) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.end_run("failed", 9, "a");
  feed_.complete_node("a", 2.5);
  EXPECT_TRUE(run_.is_inconsistent());
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
}

TEST_F(RunStateTest, TakesLogLinesAfterTheEnd) {
  feed_.start_run();
  feed_.end_run("failed", 9, "a");
  feed_.event("log", R"("node_id":"a","message":"late")");
  EXPECT_FALSE(run_.is_inconsistent());
  EXPECT_EQ(run_.state, State::kFailed);
}

TEST_F(RunStateTest, IsNotChangedByWideEvents) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.event("node_wide", R"("node_id":"a","duration_ms":7,"attributes":{"status":"failed"})");
  feed_.event("node_wide", R"("node_id":"skipped","attributes":{"status":"skipped"})");
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
  EXPECT_EQ(run_.find_node("skipped"), nullptr);
  feed_.complete_node("a", 2.5);
  feed_.end_run("failed", 9, "a");
  feed_.event("pipeline_wide", R"("duration_ms":7,"attributes":{"status":"completed"})");
  EXPECT_FALSE(run_.is_inconsistent());
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.duration_ms, 9);
  EXPECT_EQ(run_.find_node("a")->last_attempt()->duration_ms, 2.5);
}

TEST_F(RunStateTest, NoticesANodeThatEndsWithoutAStart) {
  feed_.start_run();
  feed_.complete_node("a", 2.5);
  EXPECT_TRUE(run_.is_inconsistent());
}

TEST_F(RunStateTest, KeepsTheLastLogLinesOfANode) {
  feed_.start_run();
  feed_.start_node("a");
  for (const char* text : {"1", "2", "3", "4", "5", "6"}) {
    feed_.event("log", R"("node_id":"a","message":")" + std::string(text) + "\"");
  }
  EXPECT_EQ(run_.find_node("a")->log_lines, 6);
  EXPECT_EQ(run_.find_node("a")->last_log_lines.size(), kLastLogLines);
  EXPECT_EQ(run_.find_node("a")->last_log_lines.back(), "6");
}

}  // namespace
}  // namespace weir::project
