#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/engine_testing.h"

// What a pipeline says about control: tries, time, failures, conditions.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ControlTest : public EngineTest {
 protected:
  ControlTest() {
    add("x", "flaky", [this](const tool::Call& call) {
      if (++calls_ <= failures_) throw std::runtime_error("not yet");
      return call.payload;
    });
    add("x", "fail", [this](const tool::Call&) -> json::Object {
      ++calls_;
      throw std::invalid_argument("never");
    });
    add("x", "wait", [this](const tool::Call& call) -> json::Object {
      ++calls_;
      while (!call.stop.stop_requested()) std::this_thread::yield();
      throw std::runtime_error("stopped");
    });
  }

  /// `settings` of the only node, which is x.`tool`.
  Result<RunReport> run_one(const std::string& tool, const std::string& settings) {
    return run(R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": ")" + tool +
               R"(", )" + settings + "}]}");
  }
  /// `fail` and `other` first, `after` needs `fail`; `last` needs both.
  Result<RunReport> run_failing(const std::string& mode) {
    return run(R"({"id": "p", "on_failure": ")" + mode + R"(", "nodes": [
      {"id": "fail", "plugin_id": "x", "tool_id": "fail"},
      {"id": "other", "plugin_id": "a", "tool_id": "t1"},
      {"id": "after", "plugin_id": "b", "tool_id": "t1", "needs": ["fail"]},
      {"id": "last", "plugin_id": "b", "tool_id": "t1", "needs": ["other", "after"]}]})",
               {}, 1);
  }

  std::atomic<int> calls_ = 0;
  int failures_ = 0;
};

constexpr const char* kThreeTries =
    R"("retry": {"max_attempts": 3, "delay": "1ms", "jitter": "none"})";

TEST_F(ControlTest, TriesANodeAgainUntilItCompletes) {
  failures_ = 2;
  const auto report = run_one("flaky", kThreeTries);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_, 3);
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started",
                                   "pipeline_node_failed", "pipeline_node_retry_scheduled",
                                   "pipeline_node_started", "pipeline_node_failed",
                                   "pipeline_node_retry_scheduled", "pipeline_node_started",
                                   "pipeline_node_completed", "pipeline_completed"));
  const auto seen = events();
  EXPECT_EQ(seen[3].members.at("attempt"), "2");
  EXPECT_EQ(seen[3].members.at("reason"), "transient_error");
  EXPECT_EQ(seen[6].members.at("attributes"), R"({"delay_ms":2})");
  EXPECT_EQ(seen[8].members.at("attempt"), "3");
  EXPECT_NE(seen[1].members.at("span_id"), seen[4].members.at("span_id"));
  EXPECT_EQ(seen[9].members.at("failed_count"), "0");
}

TEST_F(ControlTest, FailsANodeAfterItsLastTry) {
  failures_ = 100;
  const auto report = run_one("flaky", kThreeTries);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(only("pipeline_failed").members.at("failed_count"), "1");
}

TEST_F(ControlTest, DoesNotTryAgainWhatCannotEndOtherwise) {
  ASSERT_TRUE(run_one("fail", kThreeTries));
  EXPECT_EQ(calls_, 1);
}

TEST_F(ControlTest, TriesAgainForTheKindsOfErrorsThatAreNamed) {
  ASSERT_TRUE(
      run_one("fail", R"("retry": {"max_attempts": 3, "delay": "1ms", "on": ["permanent"]})"));
  EXPECT_EQ(calls_, 3);
}

TEST_F(ControlTest, StopsAnAttemptThatTakesTooLong) {
  const auto report = run_one("wait", std::string(R"("timeout": "10ms", )") + kThreeTries);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "TIMEOUT");
  EXPECT_EQ(report->failure.message, "node 'n': it had not ended after 10.0 ms");
  EXPECT_EQ(calls_, 3);
  for (const auto& event : events()) {
    if (event.type == "pipeline_node_failed") {
      EXPECT_EQ(event.members.at("outcome"), "timeout");
    }
    if (event.type == "pipeline_node_retry_scheduled") {
      EXPECT_EQ(event.members.at("reason"), "timeout");
    }
  }
}

TEST_F(ControlTest, FailsARunThatTakesTooLong) {
  const auto report = run(R"({"id": "p", "timeout": "20ms", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "wait"}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failure.message, "the run: it had not ended after 20.0 ms");
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started",
                                   "pipeline_node_cancelled", "pipeline_failed"));
  EXPECT_FALSE(only("pipeline_failed").members.contains("failed_node_id"));
}

TEST_F(ControlTest, ARunThatStopsDoesNotWaitForTheNextTry) {
  failures_ = 100;
  const auto report = run(R"({"id": "p", "timeout": "50ms", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "flaky",
       "retry": {"max_attempts": 3, "delay": "10m", "jitter": "none", "max_delay": "10m"}}]})");
  ASSERT_TRUE(report);
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_node_failed",
                          "pipeline_node_retry_scheduled", "pipeline_failed"));
}

TEST_F(ControlTest, FailFastStartsNothingMore) {
  const auto report = run_failing("fail_fast");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started",
                                   "pipeline_node_failed", "pipeline_failed"));
}

TEST_F(ControlTest, ContinueSkipsTheDescendantsAlone) {
  const auto report = run_failing("continue");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failed_node_id, "fail");
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_node_failed",
                          "pipeline_node_started", "pipeline_node_completed",
                          "pipeline_node_skipped", "pipeline_node_skipped", "pipeline_failed"));
  const auto seen = events();
  EXPECT_EQ(seen[5].node_id, "after");
  EXPECT_EQ(seen[6].node_id, "last");
  EXPECT_EQ(seen[6].members.at("reason"), "a node before it failed");
}

TEST_F(ControlTest, BestEffortRunsTheDescendantsWithoutTheOutput) {
  const auto report = run_failing("best_effort");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(report->failed_node_id, "fail");
  EXPECT_EQ(json::to_text(json::Value(report->result)), R"({"a":"t1","b":"t1"})");
  const auto end = only("pipeline_completed");
  EXPECT_EQ(end.members.at("outcome"), "partial");
  EXPECT_EQ(end.members.at("success_count"), "3");
  EXPECT_EQ(end.members.at("failed_count"), "1");
}

TEST_F(ControlTest, ASkippedNodeIsNotRunAndWhatFollowsIs) {
  const auto report = run(R"json({"id": "p", "nodes": [
      {"id": "first", "plugin_id": "a", "tool_id": "t1"},
      {"id": "maybe", "plugin_id": "x", "tool_id": "fail", "needs": ["first"],
       "when": "${nodes.first.a} == 'other'"},
      {"id": "sure", "plugin_id": "b", "tool_id": "t1", "needs": ["maybe"],
       "when": "${input.go} and not (${nodes.first.a} == 'other')"}]
      })json",
                          *json::parse(R"({"go": true})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(json::to_text(json::Value(report->result)), R"({"go":true,"b":"t1"})");
  const auto skipped = only("pipeline_node_skipped");
  EXPECT_EQ(skipped.node_id, "maybe");
  EXPECT_EQ(skipped.members.at("reason"), "'when' is false: ${nodes.first.a} == 'other'");
}

TEST_F(ControlTest, AConditionThatHasNoAnswerFailsItsNode) {
  const auto report = run_one("flaky", R"("when": "${input.k} < 3")");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "InvalidPlan");
  EXPECT_THAT(report->failure.message, HasSubstr("'when' of node 'n': "));
  EXPECT_EQ(calls_, 0);
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started",
                                   "pipeline_node_failed", "pipeline_failed"));
}

TEST_F(ControlTest, RunsANodeOnceForEachItem) {
  add("x", "double", [](const tool::Call& call) {
    json::Object output;
    output.set("twice", 2 * *call.payload.find("item")->integer());
    output.set("id", call.node_id);
    return output;
  });
  const auto report = run(R"json({"id": "p", "nodes": [
      {"id": "first", "plugin_id": "a", "tool_id": "t1"},
      {"id": "each", "plugin_id": "x", "tool_id": "double", "needs": ["first"],
       "for_each": "${input.numbers}"},
      {"id": "none", "plugin_id": "x", "tool_id": "double", "needs": ["first"],
       "for_each": "${input.nothing}"},
      {"id": "last", "plugin_id": "b", "tool_id": "t1", "needs": ["each", "none"]}]})json",
                          *json::parse(R"({"numbers": [4, 7], "nothing": []})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(json::to_text(*report->result.find("each")),
            R"([{"twice":8,"id":"each[0]"},{"twice":14,"id":"each[1]"}])");
  EXPECT_EQ(json::to_text(*report->result.find("none")), "[]");
  EXPECT_EQ(only("pipeline_node_skipped").members.at("reason"), "'for_each' has no items");
  const auto end = only("pipeline_completed");
  EXPECT_EQ(end.members.at("node_count"), "4");
  EXPECT_EQ(end.members.at("success_count"), "4");
  std::vector<std::string> steps;
  for (const auto& event : events()) {
    if (event.node_id.starts_with("each")) steps.push_back(event.members.at("step_index"));
  }
  EXPECT_THAT(steps, testing::AllOf(testing::SizeIs(4), testing::Each(steps.front())));
}

TEST_F(ControlTest, TheItemsOfAFailedNodeThatCompletedStay) {
  add("x", "odd", [this](const tool::Call& call) {
    ++calls_;
    if (*call.payload.find("item")->integer() % 2 == 0) throw std::invalid_argument("even");
    return call.payload;
  });
  const auto report = run(R"json({"id": "p", "on_failure": "continue", "nodes": [
      {"id": "each", "plugin_id": "x", "tool_id": "odd", "for_each": "${input.numbers}"},
      {"id": "after", "plugin_id": "a", "tool_id": "t1", "needs": ["each"]}]})json",
                          *json::parse(R"({"numbers": [1, 2, 3]})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failed_node_id, "each[1]");
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(only("pipeline_node_skipped").node_id, "after");
}

TEST_F(ControlTest, WhatIsNoListHasNoItems) {
  const auto report = run_one("flaky", R"("for_each": "${input}")");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "InvalidPlan");
  EXPECT_EQ(report->failure.message,
            "'for_each' of node 'n': a list is expected, this is an object");
}

}  // namespace
}  // namespace weir::engine
