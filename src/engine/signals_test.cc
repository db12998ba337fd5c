// Long: each signal once, with what they share.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "engine/engine_testing.h"
#include "engine/signal_feed.h"
#include "project/run_state.h"

// What is asked of runs while they go on.
namespace weir::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = NodeUpdate::Kind;

/// A run in which nodes ask things of their own run. Tool x.ask asks what its `with` says, one
/// after the other, each after it has waited for what `after` names: "node started", "node
/// completed", ….
class ThreadsSignalsTest : public EngineTest {
 protected:
  ThreadsSignalsTest() {
    add("x", "ask", [this](const tool::Call& call) {
      const auto* requests = call.with.find("ask");
      for (const auto& one : *requests->array()) ask_one(call, *one.object());
      return output_of(call);
    });
    add("x", "await", [this](const tool::Call& call) {
      await(*call.with.find("after")->string());
      return output_of(call);
    });
    add("x", "name", [this](const tool::Call& call) {
      called(call);
      return output_of(call);
    });
    add("x", "other", [this](const tool::Call& call) {
      called(call);
      json::Object output;
      output.set(std::string(call.node_id), "other");
      return output;
    });
    add("x", "param", [this](const tool::Call& call) {
      called(call);
      json::Object output;
      output.set(std::string(call.node_id), *call.with.find("value"));
      return output;
    });
    add("x", "fail_once", [this](const tool::Call& call) {
      if (called(call) == 1) throw std::runtime_error("not yet");
      return output_of(call);
    });
    add("x", "fail", [this](const tool::Call& call) -> json::Object {
      called(call);
      throw std::runtime_error("never");
    });
  }

  static json::Object output_of(const tool::Call& call) {
    json::Object output;
    output.set(std::string(call.node_id), "done");
    return output;
  }

  int called(const tool::Call& call) {
    const std::lock_guard lock(mutex_);
    return ++calls_[std::string(call.node_id)];
  }

  void ask_one(const tool::Call& call, const json::Object& what) {
    const auto text = [&](std::string_view key) {
      const auto* value = what.find(key);
      return value == nullptr ? std::string() : *value->string();
    };
    if (const auto after = text("after"); !after.empty()) await(after);
    SignalRequest request{
        .run = *RunId::parse(call.run_id),
        .signal_id = text("id").empty() ? "s" + std::to_string(++asked_) : text("id"),
        .type = text("type"),
        .node_id = text("node"),
        .actor_id = "ada",
        .reason = text("reason")};
    if (const auto* payload = what.find("payload")) request.payload = *payload->object();
    const auto asked = feed_->ask(std::move(request), artifacts_);
    EXPECT_TRUE(asked) << asked.error().message;
    const std::lock_guard lock(mutex_);
    seen_.insert("asked " + text("type"));
    changed_.notify_all();
  }

  void await(const std::string& what) {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return seen_.contains(what); });
    EXPECT_TRUE(came) << "it never came: " << what;
  }

  /// Until the log has one of the type.
  void await_event(const std::string& type) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto all = types();
    while (std::ranges::find(all, type) == all.end() && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
      all = types();
    }
    EXPECT_THAT(all, Contains(type));
  }

  void note(const NodeUpdate& update) {
    static const std::map<Kind, std::string> kWords = {
        {Kind::kAsked, "asked"},         {Kind::kStarted, "started"},
        {Kind::kCompleted, "completed"}, {Kind::kFailed, "failed"},
        {Kind::kRetried, "retried"},     {Kind::kSkipped, "skipped"},
        {Kind::kCancelled, "cancelled"}};
    {
      const std::lock_guard lock(mutex_);
      seen_.insert(std::string(update.node_id) + " " + kWords.at(update.kind));
    }
    changed_.notify_all();
  }

  Result<RunReport> run_asking(const std::string& json, int jobs = 3) {
    const auto file = pipeline::read_definition(*json::parse(json));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    for (const auto& problem : pipeline::validate(file.definition, tools_))
      ADD_FAILURE() << problem.message;
    record::Recorder recorder(store_, {});
    auto feed = SignalFeed::start(recorder);
    EXPECT_TRUE(feed);
    feed_ = feed->get();
    Engine engine(recorder, artifacts_, tools_);
    return engine.run({.definition = file.definition,
                       .definition_text = json,
                       .folder = ".",
                       .payload = {},
                       .params = *pipeline::bind(file.definition.params, {}),
                       .signals = feed_,
                       .signal_policy = &policy_,
                       .pause_drain_timeout = pause_drain_timeout_,
                       .jobs = jobs,
                       .stop = {},
                       .on_update = [this](const NodeUpdate& update) { note(update); }});
  }

  /// Of the run, without the process's own events; consistent.
  std::vector<Seen> of_run() {
    project::RunState state;
    std::vector<Seen> seen;
    for (auto& event : events()) {
      if (event.pipeline_id == "p") seen.push_back(std::move(event));
    }
    const auto read = store::read_all(store_, [&](const event::EventView& event) -> Result<void> {
      if (event.text(event::Field::kPipelineId) == "p") state.apply(event);
      return {};
    });
    EXPECT_TRUE(read);
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    state_ = state;
    return seen;
  }

  std::vector<std::string> decisions() {
    std::vector<std::string> decisions;
    for (auto& event : of_run()) {
      if (event.type.starts_with("signal_")) {
        decisions.push_back(
            event.members["signal_type"] + " " + event.type.substr(7) +
            (event.members.contains("error_code") ? " " + event.members["error_code"] : ""));
      }
    }
    return decisions;
  }

  static std::ptrdiff_t place_of(const std::vector<Seen>& events, const std::string& type,
                                 const std::string& node = {}) {
    const auto found = std::ranges::find_if(
        events, [&](const auto& one) { return one.type == type && one.node_id == node; });
    EXPECT_NE(found, events.end()) << type << " " << node;
    return found - events.begin();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> calls_;
  std::set<std::string> seen_;
  std::atomic<int> asked_ = 0;
  SignalFeed* feed_ = nullptr;
  SignalPolicy policy_;
  std::chrono::milliseconds pause_drain_timeout_ = std::chrono::minutes(5);
  project::RunState state_;
};

std::string with_asker(const std::string& asks, const std::string& nodes,
                       const std::string& more = "") {
  return R"({"id": "p", "on_failure": "continue", )" + more + R"("nodes": [
      {"id": "asker", "plugin_id": "x", "tool_id": "ask", "with": {"ask": [)" +
         asks + "]}}," + nodes + "]}";
}

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

TEST_F(ThreadsSignalsTest, AnEmergencyStopDoesNotWaitForWhatRuns) {
  add("x", "hang", [this](const tool::Call&) {
    await("the end");
    return json::Object();
  });
  add("x", "watch", [this](const tool::Call&) {
    // The run has ended in the log while this node and the other still run.
    await_event("pipeline_cancelled");
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
      {.name = "explode", .act = [](const auto&) { throw std::runtime_error("boom"); }}));
  EXPECT_FALSE(policy_.types.add({.name = "pause", .act = [](const auto&) {}}));
  const auto report = run_asking(with_asker(
      R"({"type": "rebalance", "payload": {"to": "b"}}, {"type": "rebalance"}, {"type": "explode"})",
      kChain));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(got, ElementsAre("b"));
  EXPECT_THAT(decisions(),
              ElementsAre("rebalance accepted", "rebalance rejected SIGNAL_INVALID_PAYLOAD",
                          "explode accepted"));
  EXPECT_THAT(only("log").members["message"], HasSubstr("boom"));
}

TEST_F(ThreadsSignalsTest, AnAlertIsEscalatedByTheSystem) {
  policy_.role_of = [](std::string_view) { return Role::kSystem; };
  ASSERT_TRUE(run_asking(with_asker(
      R"({"type": "escalate-alert", "payload": {"level": "CRITICAL", "note": "disk"}}, {"type": "pause"})",
      kChain)));
  EXPECT_THAT(decisions(), ElementsAre("escalate-alert accepted", "pause rejected AUTHZ_DENIED"));
  EXPECT_THAT(only("alert_fired").members["message"], HasSubstr("disk"));
}

TEST_F(ThreadsSignalsTest, RefusesMoreThanAPersonAsks) {
  std::string asks;
  for (int i = 0; i < 62; ++i) {
    asks += std::string(i == 0 ? "" : ", ") + R"({"type": "resume"})";
  }
  ASSERT_TRUE(run_asking(with_asker(asks, kChain)));
  EXPECT_EQ(std::ranges::count(decisions(), "resume rejected SIGNAL_RATE_LIMITED"), 2);
}

constexpr const char* kApproval = R"(
    {"id": "publish", "plugin_id": "x", "tool_id": "name", "approval": {"message": "Go?"}},
    {"id": "after", "plugin_id": "x", "tool_id": "name", "needs": ["publish"]})";

TEST_F(ThreadsSignalsTest, ANodeThatWaitsForAPersonRunsWhenItIsApproved) {
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

TEST_F(ThreadsSignalsTest, ANodeThatIsDeniedFailsAndItsToolIsNotCalled) {
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

TEST_F(ThreadsSignalsTest, ANodeIsDeniedWhenNobodyAnswersInTime) {
  const auto report = run_asking(R"({"id": "p", "nodes": [
      {"id": "publish", "plugin_id": "x", "tool_id": "name", "approval": {"timeout": "1ms"}}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  of_run();
  EXPECT_EQ(only("tool_denied").members["reason"], "approval_timeout");
}

TEST_F(ThreadsSignalsTest, APersonMayAnswerBeforeItIsAsked) {
  const auto report = run_asking(with_asker(R"({"type": "approve", "node": "publish"})", R"(
    {"id": "publish", "plugin_id": "x", "tool_id": "name", "needs": ["asker"], "approval": {}})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(decisions(), ElementsAre("approve deferred STEP_NOT_WAITING", "approve accepted"));
}

TEST_F(ThreadsSignalsTest, ANodeForEachItemIsApprovedOnce) {
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
