#include "project/run_state.h"

#include <gtest/gtest.h>

namespace weir::project {
namespace {

/// Folds events given as type and further members.
class RunStateTest : public testing::Test {
 protected:
  void apply(std::string_view type, std::string_view more) {
    ++seq_;
    const auto line =
        R"({"timestamp":"2026-01-05T03:00:00.00000)" + std::to_string(seq_) +
        R"(Z","event_type":")" + std::string(type) +
        R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)" +
        R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":)" + std::to_string(seq_) +
        "," + std::string(more) + "}";
    const auto event = decoder_.decode(line);
    ASSERT_TRUE(event) << event.error().message;
    run_.apply(**event);
  }
  void start() {
    apply("pipeline_started", R"("entry_nodes":["a"],"output_nodes":["a"],"node_count":2)");
  }
  void start_node() {
    apply(
        "pipeline_node_started",
        R"("node_id":"a","plugin_id":"p","tool_id":"t","step_index":0,"predecessor_node_ids":[])");
  }
  void complete_node() {
    apply(
        "pipeline_node_completed",
        R"("node_id":"a","plugin_id":"p","tool_id":"t","step_index":0,"duration_ms":2.5,"output_keys":[])");
  }
  void fail() {
    apply("pipeline_failed",
          R"("duration_ms":9,"failed_node_id":"a","error_type":"E","error_message":"m")");
  }

  event::Decoder decoder_;
  RunState run_;
  int seq_ = 0;
};

TEST_F(RunStateTest, FollowsARunFromItsStartToItsEnd) {
  start();
  EXPECT_EQ(run_.state, State::kRunning);
  start_node();
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
  complete_node();
  EXPECT_EQ(run_.find_node("a")->state, State::kCompleted);
  EXPECT_EQ(run_.find_node("a")->duration_ms, 2.5);
  fail();
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.failed_node_id, "a");
  EXPECT_EQ(run_.duration_ms, 9);
  EXPECT_FALSE(run_.inconsistent);
}

TEST_F(RunStateTest, KeepsTheStateAndSaysSoWhenAForbiddenEventFollowsTheEnd) {
  start();
  start_node();
  fail();
  complete_node();
  EXPECT_TRUE(run_.inconsistent);
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
}

TEST_F(RunStateTest, TakesLogLinesAfterTheEnd) {
  start();
  fail();
  apply("log", R"("node_id":"a","message":"late")");
  EXPECT_FALSE(run_.inconsistent);
  EXPECT_EQ(run_.state, State::kFailed);
}

TEST_F(RunStateTest, IsNotChangedByWideEvents) {
  start();
  start_node();
  apply("node_wide", R"("node_id":"a","duration_ms":7,"attributes":{"status":"failed"})");
  apply("node_wide", R"("node_id":"skipped","attributes":{"status":"skipped"})");
  EXPECT_EQ(run_.find_node("a")->state, State::kRunning);
  EXPECT_EQ(run_.find_node("skipped"), nullptr);
  complete_node();
  fail();
  apply("pipeline_wide", R"("duration_ms":7,"attributes":{"status":"completed"})");
  EXPECT_FALSE(run_.inconsistent);
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.duration_ms, 9);
  EXPECT_EQ(run_.find_node("a")->duration_ms, 2.5);
}

TEST_F(RunStateTest, NoticesANodeThatEndsWithoutAStart) {
  start();
  complete_node();
  EXPECT_TRUE(run_.inconsistent);
}

TEST_F(RunStateTest, KeepsTheLastLogLinesOfANode) {
  start();
  start_node();
  for (const char* text : {"1", "2", "3", "4", "5", "6"}) {
    apply("log", R"("node_id":"a","message":")" + std::string(text) + "\"");
  }
  EXPECT_EQ(run_.find_node("a")->log_lines, 6);
  EXPECT_EQ(run_.find_node("a")->last_log_lines.size(), kLastLogLines);
  EXPECT_EQ(run_.find_node("a")->last_log_lines.back(), "6");
}

}  // namespace
}  // namespace weir::project
