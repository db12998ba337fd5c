#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>

#include "engine/take_up_testing.h"

// A guard that fails has a node before it run again.
namespace weir::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// The machine's, but for what the test adds.
struct LateClock final : Clock {
  std::atomic<std::chrono::microseconds> later{};
  [[nodiscard]] Timestamp now() const override { return system_clock().now() + later.load(); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return system_clock().monotonic();
  }
};

/// What one thread waits for and another brings about.
class Moment {
 public:
  void come() {
    const std::lock_guard lock(mutex_);
    has_come_ = true;
    changed_.notify_all();
  }
  void await() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [this] { return has_come_; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_come_ = false;
};

class GuardTest : public TakeUpTest {
 protected:
  GuardTest() {
    add("x", "draft", [this](const tool::Call& call) {
      const auto round = count(call);
      json::Object output;
      output.set("draft", stagnates_ ? 1 : round);
      output.set("list", round % 2 == 1 ? json::Array{1, 2} : json::Array{1, 2, 3});
      return output;
    });
    add("x", "approve", [this](const tool::Call& call) -> json::Object {
      count(call);
      if (*call.payload.find("draft")->integer() < good_draft_) throw std::runtime_error("poor");
      return {};
    });
  }

  /// From the draft to the guard through a node of each kind, and beside that another.
  static std::string pipeline(const std::string& policy = "", const std::string& more = "") {
    return R"json({"id": "p", )json" + more + R"json("nodes": [
      {"id": "first", "plugin_id": "x", "tool_id": "name"},
      {"id": "draft", "plugin_id": "x", "tool_id": "draft", "needs": ["first"]},
      {"id": "each", "plugin_id": "x", "tool_id": "name", "needs": ["draft"],
       "for_each": "${nodes.draft.list}"},
      {"id": "maybe", "plugin_id": "x", "tool_id": "name", "needs": ["draft"],
       "when": "${nodes.draft.draft} > 1"},
      {"id": "check", "plugin_id": "x", "tool_id": "approve", "needs": ["each", "maybe", "draft"],
       "guard_retry": {"retry_node": "draft", "max_attempts": 4)json" +
           policy + R"json(}},
      {"id": "last", "plugin_id": "x", "tool_id": "name", "needs": ["check"]}]})json";
  }

  std::vector<std::string> guard_events() {
    std::vector<std::string> found;
    for (const auto& event : events()) {
      if (event.type.starts_with("guard_retry_")) found.push_back(event.type);
    }
    return found;
  }

  int good_draft_ = 3;
  bool stagnates_ = false;
};

TEST_F(GuardTest, RunsTheNodeAndAllBetweenAgainUntilTheGuardIsContent) {
  const auto report = run(pipeline(), {}, 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(report->failed_node_id, "");
  EXPECT_EQ(report->failure.type, "");
  EXPECT_EQ(calls_["first"], 1);
  EXPECT_EQ(calls_["draft"], 3);
  EXPECT_EQ(calls_["each[1]"], 3);
  EXPECT_EQ(calls_["each[2]"], 1) << "the list of the second round was longer";
  EXPECT_EQ(calls_["maybe"], 2) << "of the first round it was left out";
  EXPECT_EQ(calls_["check"], 3);
  EXPECT_EQ(calls_["last"], 1);
  EXPECT_THAT(guard_events(),
              ElementsAre("guard_retry_attempt", "guard_retry_attempt", "guard_retry_recovered"));
  EXPECT_FALSE(state_of(lines_of(store_), {}).is_inconsistent());
  const auto end = only("pipeline_completed");
  EXPECT_EQ(end.members.at("failed_count"), "0");
  EXPECT_EQ(end.members.at("success_count"), end.members.at("node_count"));
  EXPECT_FALSE(end.members.contains("outcome"));
}

TEST_F(GuardTest, SaysWhatRunsAgainAndWhy) {
  good_draft_ = 2;
  ASSERT_TRUE(run(pipeline(R"(, "timeout": "1m")"), {}, 1));
  std::vector<std::string> again;
  for (const auto& event : events()) {
    if (event.type != "pipeline_node_retry_scheduled") continue;
    again.push_back(event.node_id);
    EXPECT_EQ(event.members.at("reason"), "guard_retry");
  }
  EXPECT_THAT(again, ElementsAre("draft", "maybe", "check", "each[0]", "each[1]"));
  const auto attempt = only("guard_retry_attempt");
  EXPECT_EQ(attempt.node_id, "check");
  EXPECT_EQ(attempt.members.at("attempt"), "2");
  EXPECT_EQ(
      attempt.members.at("attributes"),
      R"({"retry_node":"draft","stagnation_hits":1,"timeout_seconds":60.0,"max_attempts":4})");
  EXPECT_EQ(only("guard_retry_recovered").members.at("attributes"), R"({"attempts":2})");
}

TEST_F(GuardTest, FailsTheRunAfterItsLastAttempt) {
  good_draft_ = 100;
  const auto report = run(pipeline());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failed_node_id, "check");
  EXPECT_EQ(report->failure.message, "poor");
  EXPECT_EQ(calls_["check"], 4);
  const auto exhausted = only("guard_retry_exhausted");
  EXPECT_EQ(exhausted.members.at("reason"), "max_attempts");
  EXPECT_THAT(exhausted.members.at("attributes"), HasSubstr(R"("attempts":4)"));
  EXPECT_EQ(only("pipeline_failed").members.at("failed_count"), "1");
  EXPECT_FALSE(state_of(lines_of(store_), {}).is_inconsistent());
}

TEST_F(GuardTest, GivesUpWhenTheOutputsStayTheSame) {
  good_draft_ = 100;
  stagnates_ = true;
  ASSERT_TRUE(run(pipeline(R"(, "hash_fields": ["draft"])")));
  EXPECT_EQ(calls_["check"], 2);
  EXPECT_EQ(only("guard_retry_exhausted").members.at("reason"), "stagnation");
}

TEST_F(GuardTest, GivesUpWhenItsTimeIsOver) {
  good_draft_ = 100;
  LateClock clock;
  clock_ = &clock;
  add("x", "approve", [&](const tool::Call& call) -> json::Object {
    if (count(call) > 1) clock.later = std::chrono::minutes(1);
    throw std::runtime_error("poor");
  });
  ASSERT_TRUE(run(pipeline(R"(, "timeout": "1m")")));
  EXPECT_EQ(calls_["check"], 2);
  EXPECT_EQ(only("guard_retry_exhausted").members.at("reason"), "timeout");
}

// While it runs the guard fails: only when it has ended, and failed at that, the draft runs again.
TEST_F(GuardTest, WaitsForWhatRunsBesideTheGuardAndDoesNotMindHowItEnds) {
  Moment guard_failed;
  add("x", "approve", [&](const tool::Call& call) -> json::Object {
    if (count(call) > 1) return {};
    throw std::runtime_error("poor");
  });
  add("x", "beside", [&](const tool::Call& call) -> json::Object {
    if (count(call) > 1) return {};
    guard_failed.await();
    EXPECT_EQ(calls_["draft"], 1);
    throw std::invalid_argument("never mind");
  });
  const std::string text = R"({"id": "p", "nodes": [
      {"id": "draft", "plugin_id": "x", "tool_id": "draft"},
      {"id": "beside", "plugin_id": "x", "tool_id": "beside", "needs": ["draft"]},
      {"id": "check", "plugin_id": "x", "tool_id": "approve", "needs": ["draft"],
       "guard_retry": {"retry_node": "draft"}}]})";
  on_update_ = [&](const NodeUpdate& update) {
    if (update.kind == NodeUpdate::Kind::kRetried) guard_failed.come();
  };
  const auto report = run(text, {}, 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_["draft"], 2);
  EXPECT_EQ(calls_["beside"], 2);
  EXPECT_FALSE(state_of(lines_of(store_), {}).is_inconsistent());
}

/// An item that waits for its own next attempt when a guard wants it again has that one next.
TEST_F(GuardTest, SaysOnceThatAnItemIsTriedAgain) {
  Moment item_waits;
  add("x", "approve", [&](const tool::Call& call) -> json::Object {
    if (count(call) > 1) return {};
    item_waits.await();
    throw std::runtime_error("poor");
  });
  add("x", "item", [&](const tool::Call& call) -> json::Object {
    if (count(call) == 1 && call.node_id == "each[0]") throw std::runtime_error("not yet");
    return {};
  });
  const std::string text = R"json({"id": "p", "nodes": [
      {"id": "draft", "plugin_id": "x", "tool_id": "draft"},
      {"id": "each", "plugin_id": "x", "tool_id": "item", "needs": ["draft"],
       "for_each": "${nodes.draft.list}",
       "retry": {"max_attempts": 2, "delay": "1h", "max_delay": "1h", "jitter": "none"}},
      {"id": "check", "plugin_id": "x", "tool_id": "approve", "needs": ["draft"],
       "guard_retry": {"retry_node": "draft"}}]})json";
  on_update_ = [&](const NodeUpdate& update) {
    if (update.kind == NodeUpdate::Kind::kRetried && update.node_id == "each[0]") item_waits.come();
  };
  ASSERT_TRUE(run(text, {}, 2));
  const auto all = lines_of(store_);
  EXPECT_FALSE(state_of(all, {}).is_inconsistent());
  std::size_t wanted_again = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].contains("guard_retry_attempt")) wanted_again = i + 1;
  }
  ASSERT_LT(wanted_again, all.size());
  for (auto lost_after = wanted_again; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    std::vector<std::string> after;
    const auto report = take_up(text, before, after);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
    EXPECT_FALSE(state_of(before, after).is_inconsistent());
  }
}

TEST_F(GuardTest, UndoesWhatRanTwiceOnceWithItsLastOutput) {
  good_draft_ = 100;
  std::vector<std::string> undone;
  add("x", "undo", [&](const tool::Call& call) {
    undone.push_back(json::to_text(*call.payload.find("draft")));
    return json::Object();
  });
  ASSERT_TRUE(run(R"({"id": "p", "nodes": [
      {"id": "draft", "plugin_id": "x", "tool_id": "draft", "undo": {"tool": "undo"}},
      {"id": "check", "plugin_id": "x", "tool_id": "approve", "needs": ["draft"],
       "guard_retry": {"retry_node": "draft", "max_attempts": 3}}]})"));
  EXPECT_THAT(undone, ElementsAre("3"));
}

class GuardOfLostRun : public GuardTest, public testing::WithParamInterface<int> {};

TEST_P(GuardOfLostRun, EndsAsTheUncrashedRunWhereverItWasLost) {
  good_draft_ = GetParam();
  const auto pipeline_text = pipeline(R"(, "hash_fields": ["draft"])");
  const auto whole = run(pipeline_text, {}, 1);
  ASSERT_TRUE(whole);
  const auto all = lines_of(store_);
  const auto expected = state_of(all, {});
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    calls_.clear();
    const auto at_crash = state_of(before, {});
    if (const auto* draft = at_crash.find_node("draft"); draft != nullptr) {
      for (const auto& attempt : draft->attempts) {
        if (attempt.state == project::State::kCompleted) ++calls_["draft"];
      }
    }
    std::vector<std::string> after;
    const auto report = take_up(pipeline_text, before, after);
    ASSERT_TRUE(report) << report.error().message;
    const auto state = state_of(before, after);
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty()
                ? ""
                : state.forbidden[0].event_type + " of " + state.forbidden[0].node_id + ": " +
                      state.forbidden[0].why);
    EXPECT_EQ(report->outcome, whole->outcome);
    EXPECT_EQ(json::to_text(json::Value(report->result)),
              json::to_text(json::Value(whole->result)));
    EXPECT_EQ(report->failed_node_id, whole->failed_node_id);
    EXPECT_EQ(states_of(state), states_of(expected));
    EXPECT_EQ(calls_["draft"], std::min(good_draft_, 4)) << "with those before";
  }
}

INSTANTIATE_TEST_SUITE_P(Rounds, GuardOfLostRun, testing::Values(3, 100), [](const auto& rounds) {
  return rounds.param == 3 ? "Recovered" : "Exhausted";
});

/// Two threads, two guards over one draft, and nodes beside them: in the order of the log things
/// may stand otherwise than they were decided.
TEST_F(GuardTest, ARunOnManyThreadsCanBeTakenUpWhereverItWasLost) {
  add("x", "approve", [this](const tool::Call& call) -> json::Object {
    if (count(call) < 3) throw std::runtime_error("poor");
    return {};
  });
  const std::string text = R"json({"id": "p", "nodes": [
      {"id": "draft", "plugin_id": "x", "tool_id": "draft"},
      {"id": "beside1", "plugin_id": "x", "tool_id": "name", "needs": ["draft"]},
      {"id": "beside2", "plugin_id": "x", "tool_id": "name", "needs": ["beside1"],
       "for_each": "${nodes.draft.list}"},
      {"id": "check1", "plugin_id": "x", "tool_id": "approve", "needs": ["draft"],
       "guard_retry": {"retry_node": "draft", "max_attempts": 100}},
      {"id": "check2", "plugin_id": "x", "tool_id": "approve", "needs": ["beside1"],
       "guard_retry": {"retry_node": "beside1", "max_attempts": 100, "stagnation_limit": 100}},
      {"id": "last", "plugin_id": "x", "tool_id": "name", "needs": ["check1", "check2", "beside2"]}
    ]})json";
  std::size_t already = 0;
  for (int round = 0; round < 2; ++round) {
    calls_.clear();
    ASSERT_TRUE(run(text, {}, 4));
    const auto everything = lines_of(store_);
    const std::vector all(everything.begin() + static_cast<std::ptrdiff_t>(already),
                          everything.end());
    already = everything.size();
    EXPECT_FALSE(state_of(all, {}).is_inconsistent());
    for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
      SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
      const std::span before(all.data(), lost_after);
      std::vector<std::string> after;
      const auto report = take_up(text, before, after);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
      const auto state = state_of(before, after);
      EXPECT_FALSE(state.is_inconsistent())
          << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    }
  }
}

TEST_F(GuardTest, AsksOnceMoreInEachRoundWhereverTheRunWasLost) {
  const std::string json = R"({"id": "p", "on_failure": "best_effort", "nodes": [
      {"id": "asked", "plugin_id": "x", "tool_id": "name", "approval": {"timeout": "1ms"}},
      {"id": "check", "plugin_id": "x", "tool_id": "fail", "needs": ["asked"],
       "guard_retry": {"retry_node": "asked", "stagnation_limit": 100}}]})";
  ASSERT_TRUE(run(json));
  const auto all = lines_of(store_);
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    std::vector<std::string> after;
    ASSERT_TRUE(take_up(json, std::span(all.data(), lost_after), after));
    const auto state = state_of(std::span(all.data(), lost_after), after);
    EXPECT_FALSE(state.is_inconsistent());
    EXPECT_EQ(state.approvals.size(), 2U);
  }
}

TEST_F(GuardTest, RunsANodeAgainThatWasDeniedBeforeItsItemsBegan) {
  ASSERT_TRUE(run(R"json({"id": "p", "on_failure": "best_effort", "nodes": [
      {"id": "list", "plugin_id": "x", "tool_id": "name"},
      {"id": "each", "plugin_id": "x", "tool_id": "name", "needs": ["list"],
       "for_each": "${nodes.list.list}", "approval": {"timeout": "1ms"}},
      {"id": "check", "plugin_id": "x", "tool_id": "fail", "needs": ["each"],
       "guard_retry": {"retry_node": "list", "stagnation_limit": 100}}]})json"));
  const auto state = state_of(lines_of(store_), {});
  EXPECT_FALSE(state.is_inconsistent());
  EXPECT_EQ(state.find_node("each")->attempts.size(), 2U);
}

}  // namespace
}  // namespace weir::engine
