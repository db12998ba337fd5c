#include "engine/signals_testing.h"

// What is asked of runs while they go on.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = NodeUpdate::Kind;

constexpr const char* kChain = R"(
    {"id": "first", "plugin_id": "x", "tool_id": "name"},
    {"id": "second", "plugin_id": "x", "tool_id": "name", "needs": ["first", "asker"]})";

TEST_F(ThreadsSignalsTest, APausedRunStartsNothingUntilItIsResumed) {
  const auto report = run_asking(with_asker(
      R"({"type": "pause", "after": "first started"}, {"type": "resume", "after": "first completed"})",
      R"({"id": "first", "plugin_id": "x", "tool_id": "await", "with": {"after": "asked pause"}},
         {"id": "second", "plugin_id": "x", "tool_id": "name", "needs": ["first"]},
         {"id": "third", "plugin_id": "x", "tool_id": "name", "needs": ["second"]})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  const auto events = of_run();
  EXPECT_LT(place_of(events, "signal_accepted"), place_of(events, "pipeline_paused"));
  EXPECT_LT(place_of(events, "pipeline_paused"), place_of(events, "pipeline_resumed"));
  EXPECT_GT(place_of(events, "pipeline_node_started", "second"),
            place_of(events, "pipeline_resumed"));
  EXPECT_EQ(
      events[static_cast<std::size_t>(place_of(events, "pipeline_paused"))].members.at("actor_id"),
      "ada");
}

TEST_F(ThreadsSignalsTest, APauseThatWaitsForLongIsAnAlert) {
  add("x", "linger", [this](const tool::Call& call) {
    await_event("alert_fired");
    return output_of(call);
  });
  pause_drain_timeout_ = std::chrono::milliseconds(1);
  ASSERT_TRUE(run_asking(with_asker(
      R"({"type": "pause", "after": "slow started"}, {"type": "resume", "after": "slow completed"})",
      R"({"id": "slow", "plugin_id": "x", "tool_id": "linger"})")));
  const auto alert = only("alert_fired");
  EXPECT_EQ(alert.members.at("error_code"), "PAUSE_DRAIN_TIMEOUT");
  EXPECT_THAT(alert.members.at("message"), HasSubstr("'slow'"));
  EXPECT_THAT(alert.members.at("attributes"), HasSubstr("P2"));
}

TEST_F(ThreadsSignalsTest, ASecondPausePausesAgain) {
  const auto report = run_asking(with_asker(
      R"({"type": "pause"}, {"type": "pause"}, {"type": "resume"}, {"type": "resume"}, {"type": "pause"}, {"type": "resume"})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_THAT(decisions(),
              ElementsAre("pause accepted", "pause rejected RUN_PAUSED", "resume accepted",
                          "resume rejected RUN_NOT_PAUSED", "pause accepted", "resume accepted"));
}

TEST_F(ThreadsSignalsTest, CancelsARun) {
  const auto report = run_asking(with_asker(R"({"type": "CANCEL", "reason": "enough"})", kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_EQ(only("pipeline_cancelled").members["reason"], "asked to stop by ada: enough");
  EXPECT_EQ(calls_["second"], 0);
}

TEST_F(ThreadsSignalsTest, SkipsANodeThatHasNotBegun) {
  const auto report =
      run_asking(with_asker(R"({"type": "skip-step", "node": "second"})", std::string(kChain) + R"(,
      {"id": "third", "plugin_id": "x", "tool_id": "name", "needs": ["second"]})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(only("pipeline_node_skipped").node_id, "second");
  EXPECT_EQ(calls_["second"], 0);
  EXPECT_EQ(calls_["third"], 1);
}

TEST_F(ThreadsSignalsTest, SkipsANodeThatRunsOnceItsAttemptHasFailed) {
  const auto report = run_asking(R"({"id": "p", "nodes": [
      {"id": "flaky", "plugin_id": "x", "tool_id": "fail", "retry": {"max_attempts": 3, "delay": "1d", "max_delay": "1d", "jitter": "none"}},
      {"id": "asker", "plugin_id": "x", "tool_id": "ask", "with": {"ask": [
         {"type": "skip-step", "node": "flaky", "after": "flaky started"}]}},
      {"id": "after", "plugin_id": "x", "tool_id": "name", "needs": ["flaky"]}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["flaky"], 1);
  EXPECT_EQ(calls_["after"], 1);
  EXPECT_EQ(decisions().back(), "skip-step accepted");
}

TEST_F(ThreadsSignalsTest, DefersWhatCannotBeDoneYetAndRejectsItAtTheEnd) {
  const auto report = run_asking(with_asker(R"({"type": "skip-step", "node": "asker"})", kChain));
  ASSERT_TRUE(report);
  EXPECT_THAT(decisions(),
              ElementsAre("skip-step deferred STEP_RUNNING", "skip-step rejected STEP_TERMINAL"));
}

TEST_F(ThreadsSignalsTest, RejectsWhatWasDeferredForTooLong) {
  add("x", "linger", [this](const tool::Call& call) {
    await_event("signal_rejected");
    return output_of(call);
  });
  max_deferral_ = std::chrono::milliseconds(1);
  const auto report =
      run_asking(with_asker(R"({"type": "skip-step", "node": "slow", "after": "slow started"})",
                            R"({"id": "slow", "plugin_id": "x", "tool_id": "linger"})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(decisions(),
              ElementsAre("skip-step deferred STEP_RUNNING", "skip-step rejected SIGNAL_EXPIRED"));
}

TEST_F(ThreadsSignalsTest, TriesAFailedNodeAgain) {
  const auto report =
      run_asking(with_asker(R"({"type": "retry-step", "node": "flaky", "after": "flaky failed"})",
                            R"({"id": "flaky", "plugin_id": "x", "tool_id": "fail_once"},
         {"id": "after", "plugin_id": "x", "tool_id": "name", "needs": ["flaky"]})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted) << report->failure.message;
  EXPECT_THAT(report->failed_node_id, IsEmpty());
  EXPECT_EQ(calls_["after"], 1);
  const auto events = of_run();
  EXPECT_EQ(state_.find_node("flaky")->attempts.size(), 2U);
  EXPECT_EQ(only("pipeline_node_retry_scheduled").members["reason"], "signal");
}

TEST_F(ThreadsSignalsTest, TakesAnOutputInThePlaceOfANodes) {
  const auto report = run_asking(with_asker(
      R"({"type": "inject-override", "node": "second", "payload": {"output": {"second": "by hand"}}})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(calls_["second"], 0);
  EXPECT_EQ(*report->result.find("second")->string(), "by hand");
  of_run();
  EXPECT_EQ(state_.find_node("second")->state, project::State::kCompleted);
}

TEST_F(ThreadsSignalsTest, ChangesParametersOfWhatHasNotBegun) {
  add("x", "param", [this](const tool::Call& call) {
    called(call);
    json::Object output;
    output.set(std::string(call.node_id), *call.with.find("value"));
    return output;
  });
  const auto report = run_asking(with_asker(
      R"({"type": "update-params", "payload": {"params": {"n": 2}}},
         {"type": "update-params", "payload": {"params": {"n": "two"}}},
         {"type": "update-params", "payload": {"params": {"m": 2}}})",
      R"({"id": "second", "plugin_id": "x", "tool_id": "param", "needs": ["asker"], "with": {"value": "${params.n}"}})",
      R"("params": {"n": {"type": "integer", "default": 1}}, )"));
  ASSERT_TRUE(report);
  EXPECT_EQ(json::to_text(*report->result.find("second")), "2");
  EXPECT_THAT(decisions(),
              ElementsAre("update-params accepted", "update-params rejected SIGNAL_INVALID_PAYLOAD",
                          "update-params rejected SIGNAL_INVALID_PAYLOAD"));
}

TEST_F(ThreadsSignalsTest, RunsANodeByAnotherTool) {
  add("x", "other", [this](const tool::Call& call) {
    called(call);
    json::Object output;
    output.set(std::string(call.node_id), "other");
    return output;
  });
  const auto report = run_asking(with_asker(
      R"({"type": "update-target", "node": "second", "payload": {"target": "x.other"}},
         {"type": "update-target", "node": "second", "payload": {"target": "x.none"}})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(*report->result.find("second")->string(), "other");
  EXPECT_THAT(decisions(),
              ElementsAre("update-target accepted", "update-target rejected INVALID_TARGET"));
  const auto events = of_run();
  EXPECT_EQ(events[static_cast<std::size_t>(place_of(events, "pipeline_node_started", "second"))]
                .members.at("tool_id"),
            "other");
}

TEST_F(ThreadsSignalsTest, DoesNotTryAgainAnotherToolWhoseEffectsAreWantedOnce) {
  tools_.add(std::make_unique<OnceTool>());
  const auto report = run_asking(
      with_asker(R"({"type": "update-target", "node": "second", "payload": {"target": "x.once"}})",
                 R"({"id": "second", "plugin_id": "x", "tool_id": "name", "needs": ["asker"],
          "retry": {"max_attempts": 3, "delay": "1ms"}})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed_node_id, "second");
  of_run();
  EXPECT_EQ(state_.find_node("second")->attempts.size(), 1U);
}

TEST_F(ThreadsSignalsTest, AnEmergencyStopDoesNotWaitForWhatRuns) {
  add("x", "hang", [this](const tool::Call&) {
    await("the end");
    return json::Object();
  });
  add("x", "watch", [this](const tool::Call&) {
    // The run has ended in the log while this node and the other still run.
    await_event("pipeline_cancelled");
    await("hang cancelled");
    note({.kind = Kind::kCompleted, .node_id = "the end"});
    const std::lock_guard lock(mutex_);
    seen_.insert("the end");
    changed_.notify_all();
    return json::Object();
  });
  const auto report = run_asking(R"({"id": "p", "nodes": [
      {"id": "hang", "plugin_id": "x", "tool_id": "hang"},
      {"id": "watch", "plugin_id": "x", "tool_id": "watch"},
      {"id": "asker", "plugin_id": "x", "tool_id": "ask", "with": {"ask": [
         {"type": "emergency-stop", "after": "hang started"},
         {"type": "emergency-stop", "after": "watch started", "reason": "fire"}]}},
      {"id": "after", "plugin_id": "x", "tool_id": "name", "needs": ["hang"]}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  const auto events = of_run();
  EXPECT_EQ(events.back().type, "pipeline_cancelled");
  EXPECT_THAT(decisions(), ElementsAre("emergency-stop rejected AUTHZ_REASON_REQUIRED",
                                       "emergency-stop accepted"));
  for (const auto* node : {"hang", "watch", "asker"}) {
    EXPECT_EQ(state_.find_node(node)->state, project::State::kCancelled) << node;
  }
  const auto alert = only("alert_fired");
  EXPECT_EQ(alert.members.at("target_run_id"), report->run_id.text());
  EXPECT_THAT(alert.members.at("attributes"), HasSubstr("P1"));
}

TEST_F(ThreadsSignalsTest, ARunThatIsToBeRunAnewIsCancelled) {
  const auto report = run_asking(with_asker(R"({"type": "retry-run"})", kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_TRUE(report->wants_retry);
}

TEST_F(ThreadsSignalsTest, ARunThatIsCancelledAfterAllIsNotRunAnew) {
  const auto report = run_asking(with_asker(
      R"({"type": "retry-run"}, {"type": "cancel", "reason": "enough"}, {"type": "retry-run"})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_FALSE(report->wants_retry);
  EXPECT_THAT(decisions(), ElementsAre("retry-run accepted", "cancel accepted",
                                       "retry-run rejected RUN_STOPPING"));
  EXPECT_THAT(only("pipeline_cancelled").members.at("reason"), HasSubstr("enough"));
}

TEST_F(ThreadsSignalsTest, ARunThatIsStoppedAtOnceIsNotRunAnew) {
  const auto report = run_asking(
      with_asker(R"({"type": "retry-run"}, {"type": "emergency-stop", "reason": "fire"})", kChain));
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->wants_retry);
  EXPECT_THAT(decisions(), ElementsAre("retry-run accepted", "emergency-stop accepted"));
}

TEST_F(ThreadsSignalsTest, ARequestThatIsMadeTwiceIsOne) {
  const auto report = run_asking(with_asker(
      R"({"id": "a", "type": "pause"}, {"id": "a", "type": "pause"}, {"id": "b", "type": "resume"}, {"id": "a", "type": "pause"})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_THAT(decisions(), ElementsAre("pause accepted", "resume accepted"));
}

TEST_F(ThreadsSignalsTest, SaysWhyNot) {
  const auto report = run_asking(with_asker(
      R"({"type": "jump"}, {"type": "skip-step"}, {"type": "skip-step", "node": "none"},
         {"type": "retry-step", "node": "second"}, {"type": "retry-step", "node": "first", "after": "then started"},
         {"type": "skip-step", "node": "first"}, {"type": "pause", "node": "first"},
         {"type": "approve", "node": "second"}, {"type": "inject-override", "node": "second", "payload": {"output": 1}},
         {"type": "escalate-alert", "payload": {"level": "loud"}}, {"type": "pause", "payload": {"x": 1}})",
      std::string(kChain) + R"(,
    {"id": "then", "plugin_id": "x", "tool_id": "name", "needs": ["first"]})"));
  ASSERT_TRUE(report);
  EXPECT_THAT(
      decisions(),
      ElementsAre("jump rejected SIGNAL_UNKNOWN", "skip-step rejected SIGNAL_INVALID_PAYLOAD",
                  "skip-step rejected STEP_NOT_FOUND", "retry-step rejected STEP_NOT_TERMINAL",
                  "retry-step rejected STEP_NOT_FAILED", "skip-step rejected STEP_TERMINAL",
                  "pause rejected SIGNAL_INVALID_PAYLOAD", "approve rejected APPROVAL_NOT_NEEDED",
                  "inject-override rejected SIGNAL_INVALID_PAYLOAD",
                  "escalate-alert rejected SIGNAL_INVALID_PAYLOAD",
                  "pause rejected SIGNAL_INVALID_PAYLOAD"));
}

TEST_F(ThreadsSignalsTest, SaysThatAnItemIsPartOfItsNode) {
  ASSERT_TRUE(run_asking(with_asker(
      R"({"type": "skip-step", "node": "each[0]"}, {"type": "approve", "node": "each[0]"},
         {"type": "inject-override", "node": "each[0]", "payload": {"output": {}}},
         {"type": "update-target", "node": "each[0]", "payload": {"target": "x.name"}},
         {"type": "retry-step", "node": "each[0]"}, {"type": "skip-step", "node": "asker[0]"})",
      R"({"id": "each", "plugin_id": "x", "tool_id": "name", "for_each": "${input.list}",
          "when": "1 == 2"})")));
  EXPECT_THAT(
      decisions(),
      ElementsAre("skip-step rejected STEP_IS_ITEM", "approve rejected STEP_IS_ITEM",
                  "inject-override rejected STEP_IS_ITEM", "update-target rejected STEP_IS_ITEM",
                  "retry-step rejected STEP_NOT_FOUND", "skip-step rejected STEP_NOT_FOUND"));
}

TEST_F(ThreadsSignalsTest, AsksWhetherTheActorMay) {
  policy_.role_of = [](std::string_view actor) {
    return actor == "ada" ? Role::kEngineer : Role::kAdmin;
  };
  const auto report = run_asking(with_asker(
      R"({"type": "pause"}, {"type": "resume"}, {"type": "skip-step", "node": "second"},
         {"type": "update-params", "payload": {"params": {}}},
         {"type": "escalate-alert", "payload": {"level": "P1"}})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_THAT(decisions(), ElementsAre("pause accepted", "resume accepted", "skip-step accepted",
                                       "update-params rejected AUTHZ_DENIED",
                                       "escalate-alert rejected AUTHZ_DENIED"));
}

TEST_F(ThreadsSignalsTest, UsersHaveTypesOfTheirOwn) {
  std::vector<std::string> got;
  ASSERT_TRUE(
      policy_.types.add({.name = "rebalance", .needs = {"to"}, .act = [&](const auto& request) {
                           got.push_back(*request.payload.find("to")->string());
                         }}));
  ASSERT_TRUE(policy_.types.add(
      {.name = "custom.explode", .act = [](const auto&) { throw std::runtime_error("boom"); }}));
  EXPECT_FALSE(policy_.types.add({.name = "pause", .act = [](const auto&) {}}));
  const auto report = run_asking(with_asker(
      R"({"type": "rebalance", "payload": {"to": "b"}}, {"type": "rebalance"}, {"type": "custom.explode"})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(got, ElementsAre("b"));
  EXPECT_THAT(decisions(),
              ElementsAre("rebalance accepted", "rebalance rejected SIGNAL_INVALID_PAYLOAD",
                          "custom.explode accepted"));
  EXPECT_THAT(only("log").members["message"], HasSubstr("boom"));
}

TEST_F(ThreadsSignalsTest, WithoutRolesEverybodyMayAskEverything) {
  ASSERT_TRUE(run_asking(with_asker(
      R"({"type": "escalate-alert", "payload": {"level": "INFO"}}, {"type": "custom.none"}, {"type": "puase"})",
      kChain)));
  EXPECT_THAT(decisions(),
              ElementsAre("escalate-alert accepted", "custom.none rejected SIGNAL_UNKNOWN",
                          "puase rejected SIGNAL_UNKNOWN"));
}

TEST_F(ThreadsSignalsTest, SaysWhatItsRunsHaveNoUseFor) {
  policy_.unsupported["retry-run"] = "there is one run";
  ASSERT_TRUE(run_asking(
      with_asker(R"({"type": "RETRY_RUN"}, {"type": "pause"}, {"type": "resume"})", kChain)));
  EXPECT_THAT(decisions(), ElementsAre("retry-run rejected SIGNAL_UNSUPPORTED", "pause accepted",
                                       "resume accepted"));
}

TEST_F(ThreadsSignalsTest, AnAlertIsEscalatedByTheSystem) {
  policy_.role_of = [](std::string_view) { return Role::kSystem; };
  ASSERT_TRUE(run_asking(with_asker(
      R"({"type": "escalate-alert", "payload": {"level": "CRITICAL", "note": "disk"}}, {"type": "pause"})",
      kChain)));
  EXPECT_THAT(decisions(), ElementsAre("escalate-alert accepted", "pause rejected AUTHZ_DENIED"));
  EXPECT_THAT(only("alert_fired").members["message"], HasSubstr("disk"));
}

// A run that is taken up is known to others before it is here.
TEST_F(ThreadsSignalsTest, HearsWhatWasAskedAfterAPlaceInTheLogAndBeforeItListened) {
  const auto run = RunId::make(system_clock().now());
  const auto ask = [&](const std::string& id) {
    record::Recorder other(store_, {});
    SignalRequest request{.run = run, .signal_id = id, .type = "cancel"};
    ASSERT_TRUE(record_request(request, other, artifacts_));
  };
  ask("before");
  const auto place = log::end_of_log(store_);
  ASSERT_TRUE(place);
  ask("after");
  record::Recorder recorder(store_, {});
  const auto feed = SignalFeed::start(recorder, *place);
  ASSERT_TRUE(feed);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it has nobody to give it to
  const auto heard = [&](const std::string& id) {
    const std::lock_guard lock(mutex_);
    seen_.insert(id);
    changed_.notify_all();
  };
  (*feed)->subscribe(run, {}, [&](const SignalRequest& request) { heard(request.signal_id); });
  await("after");
  EXPECT_FALSE(seen_.contains("before"));
  (*feed)->unsubscribe(run);
}

TEST_F(ThreadsSignalsTest, RefusesMoreThanAPersonAsks) {
  std::string asks;
  for (int i = 0; i < 62; ++i) {
    asks += std::string(i == 0 ? "" : ", ") + R"({"type": "resume"})";
  }
  ASSERT_TRUE(run_asking(with_asker(asks, kChain)));
  EXPECT_EQ(std::ranges::count(decisions(), "resume rejected SIGNAL_RATE_LIMITED"), 2);
}

TEST_F(ThreadsSignalsTest, HearsWhoeverWantsTheRunToEndHoweverMuchWasAsked) {
  std::string asks;
  for (int i = 0; i < 61; ++i) asks += R"({"type": "resume"}, )";
  const auto report = run_asking(with_asker(
      asks + R"({"type": "cancel"}, {"type": "emergency-stop", "reason": "fire"})", kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  const auto all = decisions();
  EXPECT_THAT(std::vector(all.end() - 3, all.end()),
              ElementsAre("resume rejected SIGNAL_RATE_LIMITED", "cancel accepted",
                          "emergency-stop accepted"));
}

TEST_F(ThreadsSignalsTest, AGuardRunsANodeAgainWhoseOutputSomebodyElseHadMade) {
  const auto report = run_asking(with_asker(
      R"({"type": "inject-override", "id": "once", "node": "n", "payload": {"output": {"n": 1}}})",
      R"({"id": "n", "plugin_id": "x", "tool_id": "name", "needs": ["asker"]},
         {"id": "check", "plugin_id": "x", "tool_id": "fail_once", "needs": ["n"],
          "guard_retry": {"retry_node": "asker"}})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["n"], 1);
  of_run();
  const auto* node = state_.find_node("n");
  ASSERT_EQ(node->attempts.size(), 2U);
  EXPECT_EQ(node->attempts[1].number, 2);
}

}  // namespace
}  // namespace weir::engine
