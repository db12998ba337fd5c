#include "project/run_state.h"

#include <gtest/gtest.h>

#include "project/event_feed_testing.h"

namespace weir::project {
namespace {

using testing_support::EventFeed;

class RunStateTest : public testing::Test {
 protected:
  [[nodiscard]] const NodeState& node() const { return *run_.find_node("a"); }
  /// Why the last event that was refused was.
  [[nodiscard]] std::string refusal() const {
    return run_.forbidden.empty() ? "" : run_.forbidden.back().why;
  }
  void signal(std::string_view decision, std::string_view id) {
    feed_.event("signal_" + std::string(decision),
                R"("signal_type":"retry-step","node_id":"a","reason":"r","signal_id":")" +
                    std::string(id) + R"(","target_run_id":")" + run_.run_id.text() + '"');
  }

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

TEST_F(RunStateTest, KnowsWhatAnAttemptUsed) {
  feed_.start_run();
  feed_.start_node("a");
  EXPECT_EQ(node().last_attempt()->usage, Usage());
  feed_.complete_node("a", 2.5, R"("cpu_ms":1.5,"memory_bytes":4096,"written_bytes":0,"rows":7)");
  const Usage used{
      .cpu_ms = 1.5, .memory_bytes = 4096, .read_bytes = {}, .written_bytes = 0, .rows = 7};
  EXPECT_EQ(node().last_attempt()->usage, used);
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

TEST_F(RunStateTest, KeepsEveryAttemptAsItEnded) {
  feed_.start_run();
  feed_.start_node("a", R"("attempt":1)");
  feed_.fail_node("a", "Timeout", R"("attempt":1,"duration_ms":5,"outcome":"timeout")");
  EXPECT_EQ(node().state, State::kFailed);
  feed_.retry_node("a");
  EXPECT_EQ(node().state, State::kPending);
  EXPECT_EQ(node().next_attempt, 2);
  EXPECT_EQ(run_.substatus(), Substatus::kRetrying);
  const auto first = node().attempts.front();
  feed_.start_node("a", R"("attempt":2)");
  EXPECT_EQ(run_.substatus(), Substatus::kNone);
  feed_.complete_node("a", 2.5, R"("attempt":2)");
  EXPECT_EQ(node().state, State::kCompleted);
  ASSERT_EQ(node().attempts.size(), 2U);
  EXPECT_EQ(node().attempts.front(), first);
  EXPECT_EQ(first.error_type, "Timeout");
  EXPECT_EQ(first.outcome, "timeout");
  EXPECT_EQ(first.duration_ms, 5);
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(RunStateTest, RefusesAnEndOfAnAttemptThatIsOver) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.fail_node("a", "E");
  feed_.retry_node("a");
  feed_.start_node("a");
  feed_.complete_node("a", 1, R"("attempt":1)");
  EXPECT_EQ(refusal(), "attempt 2 is running");
  EXPECT_EQ(node().state, State::kRunning);
}

TEST_F(RunStateTest, RefusesWhatANodeMayNotDoAndSaysWhy) {
  feed_.start_run();
  feed_.complete_node("a", 1);
  EXPECT_EQ(refusal(), "the node is pending");
  EXPECT_EQ(run_.find_node("a"), nullptr);
  feed_.start_node("a");
  feed_.start_node("a");
  EXPECT_EQ(refusal(), "attempt 1 is running");
  feed_.retry_node("a");
  EXPECT_EQ(refusal(), "the node is running");
  feed_.event("pipeline_node_skipped", R"("node_id":"a","reason":"r")");
  EXPECT_EQ(refusal(), "the node is running");
  feed_.fail_node("a", "E");
  feed_.start_node("a");
  EXPECT_EQ(refusal(), "the node is failed");
  feed_.retry_node("a");
  feed_.retry_node("a");
  EXPECT_EQ(refusal(), "the node has not failed");
  feed_.start_node("a", R"("attempt":1)");
  EXPECT_EQ(refusal(), "attempt 1 has ended");
  EXPECT_EQ(run_.forbidden_count, 7);
}

TEST_F(RunStateTest, KeepsEvidenceOfTheFirstForbiddenEventsAndCountsAll) {
  feed_.start_run();
  for (int i = 0; i < 50; ++i) feed_.complete_node("a", 1);
  EXPECT_EQ(run_.forbidden_count, 50);
  EXPECT_EQ(run_.forbidden.size(), RunState::kMaxForbidden);
  EXPECT_EQ(run_.forbidden.front(), (Forbidden{.run_seq = 2,
                                               .event_type = "pipeline_node_completed",
                                               .node_id = "a",
                                               .prior = State::kRunning,
                                               .why = "the node is pending"}));
}

TEST_F(RunStateTest, LetsNothingOfARunHappenBeforeItsStart) {
  feed_.event("pipeline_fetched", R"("definition_sha256":"0")");
  feed_.event("log", R"("message":"early")");
  EXPECT_FALSE(run_.is_inconsistent());
  feed_.start_node("a");
  EXPECT_EQ(refusal(), "the run has not started");
  feed_.end_run("completed");
  EXPECT_EQ(refusal(), "the run is pending");
  feed_.end_run("failed", 1, "a");
  EXPECT_EQ(refusal(), "no node can fail before the run has started");
  feed_.end_run("failed");  // it was refused
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.forbidden_count, 3);
}

TEST_F(RunStateTest, KnowsWhatWasTakenBack) {
  feed_.start_run();
  for (const auto* node : {"a", "b", "c"}) {
    feed_.start_node(node);
    feed_.complete_node(node, 1);
  }
  feed_.event("tool_undone", R"("node_id":"a","tool_id":"t")");
  feed_.event("tool_undo_failed", R"("node_id":"b","tool_id":"t","error_message":"m")");
  feed_.event("tool_undone", R"("tool_id":"an agent's")");
  EXPECT_FALSE(run_.is_inconsistent());
  EXPECT_EQ(run_.find_node("a")->undo, Undo::kUndone);
  EXPECT_EQ(run_.find_node("b")->undo, Undo::kFailed);
  EXPECT_EQ(run_.find_node("c")->undo, Undo::kNone);
  EXPECT_EQ(run_.nodes.size(), 3U);
}

TEST_F(RunStateTest, LetsOnlyWhatChangesNothingFollowTheEnd) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.end_run("completed");
  for (const auto& [type, members] :
       {std::pair{"tool_undone", R"("tool_id":"t")"},
        {"tool_undo_failed", R"("tool_id":"t","error_message":"m")"},
        {"pipeline_wide", ""},
        {"artifact_written", R"("artifact_path":"p","artifact_sha256":"0")"},
        {"artifact_reviewed", R"("artifact_sha256":"0","outcome":"o")"},
        {"metric", ""},
        {"my.own_event", ""},
        {"pipeline_child_completed", R"("target_run_id":"c")"}}) {
    feed_.event(type, members);
    EXPECT_FALSE(run_.is_inconsistent()) << type;
  }
  EXPECT_TRUE(run_.children.empty());
  std::int64_t refused = 0;
  for (const auto& [type, members] :
       {std::pair{"pipeline_paused", ""},
        {"pipeline_node_cancelled", R"("node_id":"a","reason":"r")"},
        {"cache_hit", R"("node_id":"a")"},
        {"tool_started", R"("tool_id":"t")"},
        {"approval_requested", R"("node_id":"a")"},
        {"guard_retry_recovered", R"("node_id":"a")"},
        {"signal_rejected", R"("signal_id":"s","signal_type":"pause","reason":"r")"},
        {"pipeline_failed",
         R"("duration_ms":1,"failed_node_id":null,"error_type":"E","error_message":"m")"}}) {
    feed_.event(type, members);
    EXPECT_EQ(run_.forbidden_count, ++refused) << type;
  }
  EXPECT_EQ(run_.state, State::kCompleted);
  EXPECT_EQ(refusal(), "the run is completed");
}

TEST_F(RunStateTest, DrainsIsPausedAndGoesOnAsOftenAsItIsTold) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.event("pipeline_paused");
  EXPECT_EQ(run_.substatus(), Substatus::kDraining);
  feed_.complete_node("a", 1);
  EXPECT_EQ(run_.substatus(), Substatus::kPaused);
  EXPECT_EQ(run_.state, State::kRunning);
  feed_.event("pipeline_resumed");
  EXPECT_EQ(run_.substatus(), Substatus::kNone);
  feed_.event("pipeline_paused");
  EXPECT_TRUE(run_.paused);
  feed_.event("pipeline_resumed");
  feed_.event("pipeline_resumed");
  EXPECT_EQ(refusal(), "the run is not paused");
}

TEST_F(RunStateTest, RunsAgainWhatRanWhenItsMachineryEnded) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.start_node("b");
  feed_.complete_node("b", 1);
  feed_.event("pipeline_resumed", R"("engine_attempt":2)");
  EXPECT_EQ(run_.substatus(), Substatus::kRecovering);
  EXPECT_EQ(node().state, State::kPending);
  EXPECT_EQ(node().attempts.back().state, State::kCancelled);
  EXPECT_EQ(node().attempts.back().outcome, "unknown");
  EXPECT_EQ(run_.find_node("b")->state, State::kCompleted);
  feed_.start_node("a", R"("attempt":1,"engine_attempt":2)");
  EXPECT_EQ(run_.substatus(), Substatus::kNone);
  EXPECT_EQ(node().attempts.size(), 2U);
  EXPECT_EQ(node().attempts.back().number, 1);
  EXPECT_EQ(node().attempts.back().engine_attempt, 2);
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(RunStateTest, LetsTheMachineryOfOneNodeStartAgain) {
  feed_.start_run();
  feed_.start_node("a", R"("attempt":1,"engine_attempt":1)");
  feed_.start_node("a", R"("attempt":1,"engine_attempt":2)");
  EXPECT_FALSE(run_.is_inconsistent());
  EXPECT_EQ(node().attempts.front().outcome, "unknown");
  feed_.start_node("a", R"("attempt":1,"engine_attempt":2)");
  EXPECT_EQ(refusal(), "attempt 1 is running");
}

TEST_F(RunStateTest, TriesAgainWhatAnAcceptedSignalNames) {
  feed_.start_run();
  feed_.start_node("a");
  signal("requested", "1");
  signal("accepted", "1");
  EXPECT_EQ(refusal(), "the node is running");
  EXPECT_TRUE(run_.signals.front().is_open());
  feed_.fail_node("a", "E");
  signal("deferred", "1");
  EXPECT_EQ(node().state, State::kFailed);
  signal("accepted", "1");
  EXPECT_EQ(node().retry, Retry::kAsked);
  EXPECT_EQ(node().next_attempt, 2);
  feed_.retry_node("a");  // the engine may say when
  EXPECT_EQ(node().retry, Retry::kScheduled);
  EXPECT_EQ(run_.forbidden_count, 1);
  signal("rejected", "1");
  EXPECT_EQ(refusal(), "the signal was accepted");
}

TEST_F(RunStateTest, KeepsSignalsWithWhatWasDecided) {
  feed_.start_run();
  feed_.event("signal_requested", R"("signal_id":"s","signal_type":"pause","target_run_id":")" +
                                      run_.run_id.text() + R"(","actor_id":"ann")");
  feed_.event("signal_requested", R"("signal_id":"of another","signal_type":"pause",)"
                                  R"("target_run_id":"019b8a2f-7c00-7000-8000-000000000002")");
  ASSERT_EQ(run_.signals.size(), 1U);
  EXPECT_EQ(run_.signals[0].actor_id, "ann");
  EXPECT_EQ(run_.signals[0].decision, Decision::kRequested);
  feed_.event("signal_rejected", R"("signal_id":"s","signal_type":"pause","reason":"no")");
  EXPECT_EQ(run_.signals[0].decision, Decision::kRejected);
  EXPECT_EQ(run_.signals[0].reason, "no");
}

TEST_F(RunStateTest, HearsOfSignalsFromThoseWhoSendThem) {
  feed_.start_run();
  const auto of_this = R"("signal_id":"s","signal_type":"pause","target_run_id":")" +
                       run_.run_id.text() + R"(","actor_id":"ann","reason":"r")";
  feed_.event("signal_accepted", R"("signal_id":"s","signal_type":"pause")");
  const auto seq = feed_.seq;
  feed_.run = 2;
  feed_.event("signal_requested", of_this);
  feed_.event("signal_deferred", of_this);
  feed_.event("pipeline_completed", R"("duration_ms":1,"node_count":1,"output_node_ids":[])");
  ASSERT_EQ(run_.signals.size(), 1U);
  EXPECT_EQ(run_.signals[0].actor_id, "ann");
  EXPECT_EQ(run_.signals[0].decision, Decision::kAccepted);
  EXPECT_EQ(run_.state, State::kRunning);
  EXPECT_EQ(run_.last_run_seq, seq);
  EXPECT_FALSE(run_.is_stale());
}

TEST_F(RunStateTest, WaitsForAPersonUntilTheyHaveAnswered) {
  feed_.start_run();
  feed_.event("approval_decided", R"("node_id":"a","outcome":"approved")");
  EXPECT_EQ(refusal(), "nobody was asked");
  feed_.event("approval_requested", R"("node_id":"a","message":"may it?")");
  EXPECT_EQ(run_.substatus(), Substatus::kWaitingApproval);
  EXPECT_EQ(node().state, State::kPending);
  feed_.event("approval_requested", R"("node_id":"a")");
  EXPECT_EQ(refusal(), "the question is open already");
  feed_.event("approval_requested", R"("node_id":"a","call_id":"c")");
  feed_.event("approval_decided", R"("node_id":"a","call_id":"c","outcome":"denied")");
  EXPECT_EQ(run_.substatus(), Substatus::kWaitingApproval);
  feed_.event("approval_decided", R"("node_id":"a","outcome":"approved","actor_id":"bob")");
  EXPECT_EQ(run_.substatus(), Substatus::kNone);
  EXPECT_EQ(run_.approvals.front().outcome, "approved");
  EXPECT_EQ(run_.approvals.front().actor_id, "bob");
  EXPECT_EQ(run_.forbidden_count, 2);
}

TEST_F(RunStateTest, LetsAGuardHaveCompletedNodesRunAgain) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.complete_node("a", 1);
  feed_.retry_node("a");
  EXPECT_EQ(refusal(), "the node is completed, and no guard wants it again");
  feed_.start_node("guard");
  feed_.fail_node("guard", "E");
  feed_.event("guard_retry_attempt", R"("node_id":"guard","attempt":2)");
  feed_.retry_node("a");
  feed_.retry_node("guard");
  EXPECT_EQ(node().state, State::kPending);
  feed_.start_node("a");
  feed_.complete_node("a", 1);
  feed_.event("guard_retry_exhausted", R"("node_id":"guard","reason":"max_attempts")");
  feed_.retry_node("a", 3);
  EXPECT_EQ(run_.forbidden_count, 2);
}

// Its condition may hold in the next round.
TEST_F(RunStateTest, LetsAGuardHaveSkippedNodesDecidedAgain) {
  feed_.start_run();
  feed_.event("pipeline_node_skipped", R"("node_id":"a","reason":"'when' is false")");
  feed_.retry_node("a", 1);
  EXPECT_EQ(refusal(), "the node is skipped, and no guard wants it again");
  feed_.event("guard_retry_attempt", R"("node_id":"guard","attempt":2)");
  feed_.retry_node("a", 1);
  EXPECT_EQ(node().state, State::kPending);
  feed_.event("pipeline_node_skipped", R"("node_id":"a","reason":"'when' is false")");
  feed_.retry_node("a", 1);
  feed_.start_node("a");
  EXPECT_EQ(node().state, State::kRunning);
  EXPECT_EQ(run_.forbidden_count, 1);
}

TEST_F(RunStateTest, CountsWhatElseHappens) {
  feed_.start_run();
  feed_.event("cache_hit", R"("node_id":"a")");
  feed_.event("cache_miss", R"("node_id":"b","reason":"first run")");
  feed_.event("checkpoint_created");
  feed_.event("pipeline_child_spawned", R"("target_run_id":"c","node_id":"a")");
  feed_.event("pipeline_child_failed", R"("target_run_id":"c","error_message":"m")");
  EXPECT_EQ(run_.cache_hits, 1);
  EXPECT_EQ(run_.cache_misses, 1);
  EXPECT_EQ(run_.checkpoints, 1);
  EXPECT_EQ(node().cache_hit, true);
  EXPECT_EQ(run_.find_node("b")->reason, "first run");
  EXPECT_EQ(run_.children,
            (std::vector<ChildRun>{{.run_id = "c", .node_id = "a", .state = State::kFailed}}));
}

TEST_F(RunStateTest, KeepsTheNodesOfALoopApart) {
  feed_.start_run();
  for (const auto* id : {"a[0]", "a[1]"}) feed_.start_node(id);
  feed_.complete_node("a[1]", 1);
  EXPECT_EQ(run_.find_node("a[0]")->state, State::kRunning);
  EXPECT_EQ(run_.find_node("a[1]")->state, State::kCompleted);
  EXPECT_EQ(run_.find_node("a[0]")->step_index, run_.find_node("a[1]")->step_index);
}

TEST_F(RunStateTest, IgnoresAnEventThatComesAgain) {
  feed_.start_run();
  feed_.start_node("a");
  const auto before = run_;
  feed_.seq = 1;
  feed_.start_node("a");
  EXPECT_EQ(run_, before);
}

TEST_F(RunStateTest, IsStaleUntilWhatIsMissingHasCome) {
  feed_.start_run();
  feed_.seq = 2;
  feed_.start_node("a");
  EXPECT_TRUE(run_.is_stale());
  EXPECT_EQ(run_.sequence.missing(), "event 2 is missing");
  feed_.seq = 1;
  feed_.event("log", R"("message":"late")");
  EXPECT_FALSE(run_.is_stale());
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(RunStateTest, IsStaleWithoutItsFirstEvent) {
  feed_.seq = 1;
  feed_.start_run();
  EXPECT_EQ(run_.sequence.missing(), "event 1 is missing");
}

TEST_F(RunStateTest, JudgesWhatIsMissingOfAForeignRunByItsProducersNumbers) {
  feed_.pipeline_type = "external";
  feed_.seq = 1'000'000;  // the clock of whoever took it in
  feed_.start_node("a", R"("source_seq":7)");
  EXPECT_EQ(run_.state, State::kRunning);  // its start was before us
  feed_.seq += 1000;
  feed_.complete_node("a", 1, R"("source_seq":8)");
  EXPECT_FALSE(run_.is_stale());
  feed_.complete_node("a", 1, R"("source_seq":8)");
  EXPECT_FALSE(run_.is_inconsistent());
  feed_.start_node("b", R"("source_seq":11)");
  EXPECT_EQ(run_.sequence.missing(), "events 9 to 10 are missing");
  const auto heard = Timestamp(std::chrono::microseconds(run_.last_run_seq));
  EXPECT_TRUE(run_.gaps(heard + std::chrono::seconds(59)).empty());
  EXPECT_EQ(Sequence::numbers(run_.gaps(heard + std::chrono::minutes(1))), "9 to 10");
  for (const auto* late : {"9", "10"}) {
    feed_.seq += 1'000'000;
    feed_.event("log", R"("message":"m","source_seq":)" + std::string(late));
  }
  EXPECT_TRUE(run_.gaps(heard + std::chrono::hours(1)).empty());
}

TEST_F(RunStateTest, IsNotChangedByWhatAProcessSaysOfItself) {
  feed_.pipeline_type = "external";
  feed_.event("audit", R"("actor_id":"a","operation":"o")");
  feed_.event("pipeline_validated", R"("definition_sha256":"0")");
  feed_.event("signal_requested", R"("signal_id":"s","signal_type":"pause",)"
                                  R"("target_run_id":"019b8a2f-7c00-7000-8000-000000000002")");
  EXPECT_EQ(run_.state, State::kPending);
  EXPECT_TRUE(run_.signals.empty());
}

TEST_F(RunStateTest, FoldsAHundredThousandNodesInOnePass) {
  constexpr int kNodes = 100'000;
  feed_.start_run();
  for (int i = 0; i < kNodes; ++i) {
    const auto id = "node-" + std::to_string(i);
    feed_.start_node(id);
    feed_.complete_node(id, 1);
  }
  feed_.end_run("completed");
  EXPECT_EQ(run_.count(State::kCompleted), kNodes);
  EXPECT_FALSE(run_.is_inconsistent());
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
