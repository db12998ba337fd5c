#include "engine/signals_testing.h"

// Nodes that wait for a person.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ThreadsApprovalsTest : public ThreadsSignalsTest {};

constexpr const char* kApproval = R"(
    {"id": "publish", "plugin_id": "x", "tool_id": "name", "approval": {"message": "Go?"}},
    {"id": "after", "plugin_id": "x", "tool_id": "name", "needs": ["publish"]})";

TEST_F(ThreadsApprovalsTest, ANodeThatWaitsForAPersonRunsWhenItIsApproved) {
  const auto report = run_asking(with_asker(
      R"({"type": "approve", "node": "publish", "after": "publish asked", "reason": "fine"})",
      kApproval));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["publish"], 1);
  const auto events = of_run();
  EXPECT_LT(place_of(events, "approval_requested", "publish"),
            place_of(events, "approval_decided", "publish"));
  EXPECT_LT(place_of(events, "approval_decided", "publish"),
            place_of(events, "pipeline_node_started", "publish"));
  ASSERT_EQ(state_.approvals.size(), 1U);
  EXPECT_EQ(state_.approvals[0].outcome, "approved");
  EXPECT_EQ(state_.approvals[0].actor_id, "ada");
  EXPECT_EQ(state_.approvals[0].message, "Go?");
}

TEST_F(ThreadsApprovalsTest, ANodeThatIsDeniedFailsAndItsToolIsNotCalled) {
  const auto report = run_asking(with_asker(
      R"({"type": "deny", "node": "publish", "after": "publish asked", "reason": "not today"})",
      kApproval));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failure.type, "ApprovalDenied");
  EXPECT_THAT(report->failure.message, HasSubstr("'ada' has denied it: not today"));
  EXPECT_EQ(report->failed_node_id, "publish");
  EXPECT_EQ(calls_["publish"], 0);
  of_run();
  EXPECT_EQ(only("tool_denied").members["reason"], "approval_denied");
}

TEST_F(ThreadsApprovalsTest, ANodeThatWasDeniedIsTriedAgainAsItsNextAttempt) {
  const auto report = run_asking(with_asker(
      R"({"type": "deny", "node": "publish", "after": "publish asked"},
         {"type": "retry-step", "node": "publish", "after": "publish failed"})",
      kApproval));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["publish"], 1);
  of_run();
  const auto* publish = state_.find_node("publish");
  ASSERT_EQ(publish->attempts.size(), 2U);
  EXPECT_EQ(publish->attempts[0].state, project::State::kFailed);
  EXPECT_EQ(publish->attempts[1].number, 2);
}

TEST_F(ThreadsApprovalsTest, ANodeIsDeniedWhenNobodyAnswersInTime) {
  const auto report = run_asking(R"({"id": "p", "nodes": [
      {"id": "publish", "plugin_id": "x", "tool_id": "name", "approval": {"timeout": "1ms"}}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  of_run();
  EXPECT_EQ(only("tool_denied").members["reason"], "approval_timeout");
}

TEST_F(ThreadsApprovalsTest, APersonMayAnswerBeforeItIsAsked) {
  const auto report = run_asking(with_asker(R"({"type": "approve", "node": "publish"})", R"(
    {"id": "publish", "plugin_id": "x", "tool_id": "name", "needs": ["asker"], "approval": {}})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(decisions(), ElementsAre("approve deferred STEP_NOT_WAITING", "approve accepted"));
}

TEST_F(ThreadsApprovalsTest, ANodeForEachItemIsApprovedOnce) {
  const auto report = run_asking(with_asker(
      R"({"type": "approve", "node": "publish", "after": "publish asked"})",
      R"({"id": "publish", "plugin_id": "x", "tool_id": "name", "for_each": "${params.list}", "approval": {}})",
      R"("params": {"list": {"type": "list", "default": [1, 2]}}, )"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["publish[0]"] + calls_["publish[1]"], 2);
  of_run();
  EXPECT_EQ(state_.approvals.size(), 1U);
}

}  // namespace
}  // namespace weir::engine
