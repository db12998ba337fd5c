#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/signals_testing.h"
#include "engine/take_up_testing.h"

// What a run has done is taken back when it fails: the saga.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class UndoTest : public TakeUpTest {
 protected:
  UndoTest() {
    add("x", "undo", [this](const tool::Call& call) {
      const std::lock_guard lock(mutex_);
      undone_.emplace_back(call.node_id);
      undo_keys_.emplace_back(call.idempotency_key);
      withs_.push_back(json::to_text(json::Value(call.with)));
      payload_ = call.payload;
      return json::Object();
    });
    add("x", "undo_fails", [this](const tool::Call& call) -> json::Object {
      undone_.emplace_back(call.node_id);
      throw std::runtime_error("it is gone");
    });
    add("x", "undo_hangs", [](const tool::Call& call) -> json::Object {
      while (!call.stop.stop_requested()) std::this_thread::yield();
      throw std::runtime_error("stopped");
    });
    add("x", "cancel", [this](const tool::Call& call) -> json::Object {
      if (count(call) > 1) return {};
      stop_.request_stop();
      while (!call.stop.stop_requested()) std::this_thread::yield();
      throw std::runtime_error("stopped");
    });
  }

  /// One after the other: two that have an undo, and then one that ends the run.
  static std::string chain(const std::string& last, const std::string& undo_of_second = "undo",
                           const std::string& more = "") {
    return R"json({"id": "p", )json" + more + R"json("nodes": [
      {"id": "first", "plugin_id": "x", "tool_id": "name",
       "undo": {"tool": "undo", "with": {"was": "${nodes.first.first}"}}},
      {"id": "second", "plugin_id": "x", "tool_id": "large", "needs": ["first"], "timeout": "20ms",
       "undo": {"tool": ")json" +
           undo_of_second + R"json("}},
      {"id": "plain", "plugin_id": "x", "tool_id": "name", "needs": ["second"]},
      {"id": "last", "plugin_id": "x", "tool_id": ")json" +
           last + R"json(", "needs": ["plain"]}]})json";
  }

  std::vector<std::string> undone_;
  std::vector<std::string> undo_keys_;
  std::vector<std::string> withs_;
  json::Object payload_;  // of the last undo
  std::stop_source stop_;
};

TEST_F(UndoTest, TakesBackWhatCompletedTheLastFirstBeforeTheRunHasFailed) {
  const auto report = run(chain("fail"), *json::parse(R"({"k": 1})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_THAT(undone_, ElementsAre("second", "first"));
  EXPECT_THAT(withs_, ElementsAre("{}", R"({"was":"done"})"));
  EXPECT_EQ(*payload_.find("k"), json::Value(1)) << "the node's input";
  EXPECT_EQ(*payload_.find("first"), json::Value("done")) << "and its output";
  EXPECT_EQ(undo_keys_[1], report->run_id.text() + "/first/undo");
  EXPECT_THAT(report->undo_failures, IsEmpty());

  const auto seen = types();
  EXPECT_THAT(std::vector(seen.end() - 6, seen.end()),
              ElementsAre("pipeline_node_failed", "tool_invoked", "tool_undone", "tool_invoked",
                          "tool_undone", "pipeline_failed"));
  const auto event = events()[seen.size() - 2];
  EXPECT_EQ(event.node_id, "first");
  EXPECT_EQ(event.members.at("tool_id"), "undo");
  EXPECT_EQ(event.members.at("reason"), "the run failed");
  EXPECT_THAT(event.members.at("attributes"), HasSubstr(R"("undoes":"name")"));
  EXPECT_FALSE(state_of(lines_of(store_), {}).is_inconsistent());
}

TEST_F(UndoTest, TakesBackWhatACancelledRunHasDone) {
  const auto report = run(chain("cancel"), {}, 1, stop_.get_token());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_THAT(undone_, ElementsAre("second", "first"));
}

TEST_F(UndoTest, TakesNothingBackOfARunThatCompletes) {
  ASSERT_TRUE(run(chain("name")));
  ASSERT_TRUE(run(chain("fail", "undo", R"("on_failure": "best_effort", )")));
  EXPECT_THAT(undone_, IsEmpty());
}

TEST_F(UndoTest, GoesOnAfterAnUndoThatFails) {
  const auto report = run(chain("fail", "undo_fails"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "std::invalid_argument") << "why the run failed";
  EXPECT_THAT(undone_, ElementsAre("second", "first"));
  const auto failed = only("tool_undo_failed");
  EXPECT_EQ(failed.node_id, "second");
  EXPECT_EQ(failed.members.at("error_message"), "it is gone");
  ASSERT_EQ(report->undo_failures.size(), 1U);
  EXPECT_EQ(report->undo_failures[0].message, "it is gone");
  EXPECT_EQ(only("tool_undone").node_id, "first");
}

TEST_F(UndoTest, StopsAnUndoThatTakesLongerThanItsNodeMay) {
  const auto report = run(chain("fail", "undo_hangs"));
  ASSERT_TRUE(report);
  EXPECT_EQ(only("tool_undo_failed").members.at("error_type"), "TIMEOUT");
  EXPECT_THAT(undone_, ElementsAre("first"));
}

class ThreadsUndoTest : public ThreadsSignalsTest {};

// Of three, the second hangs for as long as nobody stops it.
TEST_F(ThreadsUndoTest, AnEmergencyStopEndsAnUndoThatHangs) {
  add("x", "undo_hangs", [this](const tool::Call& call) -> json::Object {
    called(call);
    ask_one(call, *json::parse(R"({"type": "cancel"})")->object());
    ask_one(call, *json::parse(R"({"type": "emergency-stop", "reason": "it hangs"})")->object());
    while (!call.stop.stop_requested()) std::this_thread::yield();
    await_event("pipeline_failed");  // which does not wait for it
    throw std::runtime_error("stopped");
  });
  const auto report = run_asking(R"({"id": "p", "nodes": [
      {"id": "first", "plugin_id": "x", "tool_id": "name", "undo": {"tool": "name"}},
      {"id": "second", "plugin_id": "x", "tool_id": "name", "needs": ["first"],
       "undo": {"tool": "undo_hangs"}},
      {"id": "bad", "plugin_id": "x", "tool_id": "fail", "needs": ["second"]}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(calls_["first"], 1) << "and is not taken back";
  EXPECT_THAT(decisions(), ElementsAre("cancel rejected RUN_TERMINAL", "emergency-stop accepted"));
  const auto events = of_run();
  EXPECT_EQ(events.back().type, "tool_undo_failed");
  EXPECT_EQ(events[events.size() - 2].type, "pipeline_failed");
  EXPECT_EQ(only("tool_invoked").node_id, "second");
  EXPECT_THAT(only("alert_fired").members.at("attributes"), HasSubstr("P1"));
}

TEST_F(UndoTest, TakesEachItemBack) {
  const auto report = run(R"json({"id": "p", "nodes": [
      {"id": "each", "plugin_id": "x", "tool_id": "name", "for_each": "${input.list}",
       "undo": {"tool": "undo", "with": {"item": "${item}", "made": "${nodes.each.list.1}"}}},
      {"id": "bad", "plugin_id": "x", "tool_id": "fail", "needs": ["each"]}]})json",
                          *json::parse(R"({"list": ["a", "b"]})")->object(), 1);
  ASSERT_TRUE(report);
  EXPECT_THAT(undone_, ElementsAre("each[1]", "each[0]"));
  EXPECT_THAT(withs_, ElementsAre(R"({"item":"b","made":2})", R"({"item":"a","made":2})"));
  EXPECT_THAT(undo_keys_[0], HasSubstr("/each[1]/undo"));
}

/// Of the events: those nodes whose undo is recorded, well or not.
std::set<std::string> recorded_as_undone(std::span<const std::string> lines) {
  std::set<std::string> nodes;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    const auto type = (*event)->type();
    if (type == event::Type::kToolUndone || type == event::Type::kToolUndoFailed) {
      nodes.emplace((*event)->text(event::Field::kNodeId));
    }
  }
  return nodes;
}

class UndoOfLostRun : public UndoTest, public testing::WithParamInterface<std::string> {};

TEST_P(UndoOfLostRun, GoesOnWhereverItWasLostAndUndoesNothingTwice) {
  const auto pipeline = chain(GetParam(), "undo_fails");
  const auto whole = run(pipeline, {}, 1, stop_.get_token());
  ASSERT_TRUE(whole);
  const auto all = lines_of(store_);
  const auto is = [&](std::size_t at, const char* type) {
    return all[at].find(std::string("\"event_type\":\"") + type + '"') != std::string::npos;
  };
  bool was_stopped = false;
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    was_stopped |= is(lost_after - 1, "pipeline_node_cancelled");
    undone_.clear();
    calls_.clear();
    calls_["last"] = 1;
    std::vector<std::string> after;
    const auto report = take_up(pipeline, before, after);
    ASSERT_TRUE(report) << report.error().message;
    const auto state = state_of(before, after);
    EXPECT_FALSE(state.is_inconsistent());
    auto done_before = recorded_as_undone(before);
    if (GetParam() == "cancel" && !was_stopped) {  // nobody has told it to stop: it goes on
      EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
      EXPECT_THAT(undone_, IsEmpty());
      continue;
    }
    EXPECT_EQ(report->outcome, whole->outcome);
    for (const auto& node : undone_) {
      EXPECT_TRUE(done_before.insert(node).second) << node << " is undone twice";
    }
    EXPECT_THAT(done_before, ElementsAre("first", "second"));
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, UndoOfLostRun, testing::Values("fail", "cancel"),
                         [](const auto& end) { return end.param; });

TEST_F(UndoTest, ALostRunWhoseTimeWasOverHasFailedAndNotBeenCancelled) {
  const auto pipeline = chain("undo_hangs", "undo", R"("timeout": "200ms", )");
  const auto whole = run(pipeline, {}, 1);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->failure.type, "TIMEOUT");
  const auto all = lines_of(store_);
  const auto cancelled = std::ranges::find_if(all, [](const auto& line) {
    return line.find("pipeline_node_cancelled") != std::string::npos;
  });
  for (auto lost_after = cancelled + 1; lost_after != all.end(); ++lost_after) {
    SCOPED_TRACE(*(lost_after - 1));
    std::vector<std::string> after;
    const auto report = take_up(pipeline, std::span(all.begin(), lost_after), after);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
    EXPECT_EQ(report->failure.type, "TIMEOUT");
    EXPECT_FALSE(state_of(std::span(all.begin(), lost_after), after).is_inconsistent());
  }
}

// Nothing ran when it was cancelled, so that only the undo tells of it.
TEST_F(UndoTest, ALostRunThatWasUndoingIsNotGoneOnWith) {
  ASSERT_TRUE(run(chain("cancel"), {}, 1, stop_.get_token()));
  auto all = lines_of(store_);
  std::vector<std::string> before;
  for (const auto& line : all) {
    if (line.find("pipeline_node_cancelled") != std::string::npos) continue;
    if (line.find("\"node_id\":\"last\"") != std::string::npos) continue;
    before.push_back(line);
    if (line.find("tool_undone") != std::string::npos) break;
  }
  undone_.clear();
  std::vector<std::string> after;
  const auto report = take_up(chain("cancel"), before, after);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_THAT(undone_, ElementsAre("first"));
  EXPECT_EQ(calls_["last"], 1) << "only before";
}

}  // namespace
}  // namespace weir::engine
