#include "engine/take_up_testing.h"

// A run whose process was lost goes on in another.
namespace weir::engine {
namespace {

using testing::HasSubstr;

/// Nodes of every kind of course: one is tried three times, one is left out, one fails beside the
/// others in the mode `continue`, whose descendant is skipped.
constexpr const char* kRun = R"json({
  "id": "p", "on_failure": "MODE", "seed": 7, "domains": {"few": 1},
  "nodes": [
    {"id": "first", "plugin_id": "x", "tool_id": "name"},
    {"id": "large", "plugin_id": "x", "tool_id": "large", "needs": ["first"],
     "domain": "few"},
    {"id": "flaky", "plugin_id": "x", "tool_id": "flaky", "needs": ["first"], "domain": "few",
     "circuit_breaker": {"operation": "o", "provider": "p", "failures": 1000},
     "retry": {"max_attempts": 4, "delay": "1ms", "jitter": "none"}},
    {"id": "each", "plugin_id": "x", "tool_id": "name", "needs": ["large"],
     "for_each": "${nodes.first.list}"},
    {"id": "never", "plugin_id": "x", "tool_id": "name", "needs": ["large"],
     "when": "${nodes.first.first} == 'other'"},
    {"id": "bad", "plugin_id": "x", "tool_id": "fail", "needs": ["flaky"]},
    {"id": "after_bad", "plugin_id": "x", "tool_id": "name", "needs": ["bad"]},
    {"id": "last", "plugin_id": "x", "tool_id": "name", "needs": ["large", "flaky", "never", "each"]}]
  })json";

std::string in_mode(const std::string& mode) {
  std::string text = kRun;
  return text.replace(text.find("MODE"), 4, mode);
}

class TakeUpInMode : public TakeUpTest, public testing::WithParamInterface<const char*> {};

TEST_P(TakeUpInMode, EndsAsTheUncrashedRunWhereverItWasLost) {
  const auto pipeline = in_mode(GetParam());
  const auto whole = run(pipeline, {}, 1);
  ASSERT_TRUE(whole);
  const auto all = lines_of(store_);
  const auto expected = state_of(all, {});
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    const auto at_crash = state_of(before, {});
    calls_.clear();
    if (const auto* flaky = at_crash.find_node("flaky"); flaky != nullptr) {
      for (const auto& attempt : flaky->attempts) {
        if (attempt.state == project::State::kFailed) ++calls_["flaky"];
      }
    }
    std::vector<std::string> after;
    const auto report = take_up(pipeline, before, after);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->outcome, whole->outcome);
    EXPECT_EQ(json::to_text(json::Value(report->result)),
              json::to_text(json::Value(whole->result)));
    EXPECT_EQ(report->failed_node_id, whole->failed_node_id);

    const auto state = state_of(before, after);
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    EXPECT_FALSE(state.is_stale());
    EXPECT_EQ(state.engine_attempt, 2);
    EXPECT_EQ(state.state, expected.state);
    EXPECT_EQ(states_of(state), states_of(expected));
    for (const auto& node : at_crash.nodes) {
      if (node.state != project::State::kCompleted) continue;
      EXPECT_EQ(calls_[node.node_id], node.node_id == "flaky" ? 2 : 0) << node.node_id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, TakeUpInMode,
                         testing::Values("continue", "fail_fast", "best_effort"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_F(TakeUpTest, GivesAToolTheSameKeyOnBothTries) {
  const std::string pipeline =
      R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "name"}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  std::vector<std::string> after;
  ASSERT_TRUE(take_up(pipeline, std::span(all.data(), 2), after));
  ASSERT_EQ(keys_["n"].size(), 2U);
  EXPECT_EQ(keys_["n"][0], keys_["n"][1]);
  EXPECT_THAT(keys_["n"][0], HasSubstr(recorded_run(all).run_id.text()));
}

TEST_F(TakeUpTest, DoesNotTryAgainWhatMayHaveHadItsEffects) {
  const std::string pipeline = R"({"id": "p", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "name", "effects_once": true}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  calls_.clear();
  std::vector<std::string> after;
  const auto report = take_up(pipeline, std::span(all.data(), 2), after);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "EffectsUnknown");
  EXPECT_EQ(calls_["n"], 0);
  EXPECT_FALSE(state_of(std::span(all.data(), 2), after).is_inconsistent());

  const auto begun = take_up(pipeline, std::span(all.data(), 1), after);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, pipeline::RunOutcome::kCompleted) << "it had not begun";
}

/// One whose tool says so does as one that says it itself.
TEST_F(TakeUpTest, DoesNotTryAgainAToolWhoseEffectsAreWantedOnce) {
  auto owned = std::make_unique<OnceTool>();
  auto* once = owned.get();
  tools_.add(std::move(owned));
  const std::string pipeline = R"({"id": "p", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "once", "retry": {"max_attempts": 3, "delay": "1ms"}}]})";
  ASSERT_TRUE(run(pipeline));
  EXPECT_EQ(once->calls, 1) << "a failed attempt may have had its effects";
  const auto all = lines_of(store_);
  std::vector<std::string> after;
  const auto report = take_up(pipeline, std::span(all.data(), 2), after);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "EffectsUnknown");
  EXPECT_EQ(once->calls, 1);
}

SignalRequest override_of(const std::string& node) {
  SignalRequest request{.run = {}, .signal_id = "s", .type = "inject-override", .node_id = node};
  json::Object output;
  output.set("a", 1);
  request.payload.set("output", std::move(output));
  return request;
}

TEST_F(TakeUpTest, TakesFromAPersonWhatALostNodeGave) {
  const std::string pipeline = R"({"id": "p", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "name", "effects_once": true}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  const std::span before(all.data(), 2);
  calls_.clear();
  std::vector<std::string> after;
  const auto report = take_up(pipeline, before, after, {override_of("n")});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(json::to_text(report->result), R"({"a":1})");
  EXPECT_EQ(calls_["n"], 0);

  // Wherever it is lost once more, the answer stands.
  std::vector<std::string> both(before.begin(), before.end());
  both.insert(both.end(), after.begin(), after.end());
  for (std::size_t lost_after = 4; lost_after < both.size(); ++lost_after) {
    SCOPED_TRACE("lost after " + both[lost_after - 1]);
    const std::span again(both.data(), lost_after);
    const auto second = take_up(pipeline, again, after);
    ASSERT_TRUE(second);
    EXPECT_EQ(json::to_text(second->result), R"({"a":1})");
    EXPECT_EQ(calls_["n"], 0);
    EXPECT_FALSE(state_of(again, after).is_inconsistent());
  }
}

TEST_F(TakeUpTest, BeginsNothingBeforeItHasAnsweredWhatWasAsked) {
  const std::string pipeline = R"({"id": "p", "nodes": [
      {"id": "a", "plugin_id": "x", "tool_id": "name"},
      {"id": "b", "plugin_id": "x", "tool_id": "name"},
      {"id": "c", "plugin_id": "x", "tool_id": "name"}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  const std::span before(all.data(), 1);
  calls_.clear();
  for (int i = 0; i < 20; ++i) {
    std::vector<std::string> after;
    const auto report = take_up(pipeline, before, after,
                                {{.run = {}, .signal_id = "s", .type = "skip-step", .node_id = "b"},
                                 {.run = {}, .signal_id = "t", .type = "cancel"}},
                                3);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
    EXPECT_THAT(calls_, testing::IsEmpty());
    EXPECT_FALSE(state_of(before, after).is_inconsistent());
  }
}

TEST_F(TakeUpTest, HearsAllThatWasAskedOverHours) {
  const std::string pipeline =
      R"({"id": "p", "nodes": [{"id": "a", "plugin_id": "x", "tool_id": "name"}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  std::vector<SignalRequest> asked;
  const auto start = system_clock().now() - std::chrono::hours(2);
  for (int i = 0; i < 100; ++i) {
    asked.push_back({.run = {},
                     .signal_id = "s" + std::to_string(i),
                     .type = i % 2 == 0 ? "pause" : "resume",
                     .asked_at = start + std::chrono::minutes(i)});
  }
  std::vector<std::string> after;
  ASSERT_TRUE(take_up(pipeline, std::span(all.data(), 1), after, asked));
  EXPECT_EQ(std::ranges::count_if(
                after, [](const auto& line) { return line.contains("signal_accepted"); }),
            100);
}

TEST_F(TakeUpTest, DoesNotRunAnewWhatWasStoppedAtOnceAfterThat) {
  const std::string pipeline =
      R"({"id": "p", "nodes": [{"id": "a", "plugin_id": "x", "tool_id": "name"}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  std::vector<std::string> before(all.begin(), all.begin() + 1), after;
  const auto lose_its_end = [&] {
    std::erase_if(after, [](const auto& line) { return line.contains("pipeline_cancelled"); });
    before.insert(before.end(), after.begin(), after.end());
  };
  const SignalRequest anew{.run = {}, .signal_id = "s", .type = "retry-run"};
  const auto once = take_up(pipeline, before, after, {anew});
  ASSERT_TRUE(once);
  EXPECT_TRUE(once->wants_retry);
  lose_its_end();
  const auto again =
      take_up(pipeline, before, after,
              {{.run = {}, .signal_id = "t", .type = "emergency-stop", .reason = "fire"}});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->wants_retry);
  lose_its_end();
  const auto last = take_up(pipeline, before, after);
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->wants_retry);
}

// The one that waits for its next attempt, in ten minutes, has nothing to wait for any more.
TEST_F(TakeUpTest, EndsARunThatHadFailedWhileANodeWaited) {
  const std::string pipeline = R"({"id": "p", "nodes": [
      {"id": "waits", "plugin_id": "x", "tool_id": "flaky",
       "retry": {"max_attempts": 3, "delay": "10m", "max_delay": "10m", "jitter": "none"}},
      {"id": "bad", "plugin_id": "x", "tool_id": "fail"}]})";
  ASSERT_TRUE(run(pipeline, {}, 1));
  const auto all = lines_of(store_);
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    calls_.clear();
    std::vector<std::string> after;
    const auto report = take_up(pipeline, before, after);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->failed_node_id, "bad");
    EXPECT_FALSE(state_of(before, after).is_inconsistent());
  }
}

class WaitingRun : public TakeUpTest {
 protected:
  static constexpr std::chrono::milliseconds kDelay{300};
  static constexpr const char* kPipeline = R"({"id": "p", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "fail_once",
       "retry": {"max_attempts": 2, "delay": "300ms", "jitter": "none"}}]})";

  WaitingRun() {
    add("x", "fail_once", [this](const tool::Call& call) -> json::Object {
      if (count(call) == 1) throw std::runtime_error("not yet");
      return {};
    });
  }

  static Timestamp time_of(const std::string& line) {
    event::Decoder decoder;
    return (*decoder.decode(line))->timestamp();
  }
  /// Of the first of its type.
  static Timestamp time_of(std::span<const std::string> lines, const std::string& type) {
    const auto found = std::ranges::find_if(
        lines, [&](const auto& line) { return line.contains('"' + type + '"'); });
    EXPECT_NE(found, lines.end()) << type;
    return found == lines.end() ? Timestamp() : time_of(*found);
  }
};

// Also when the process was lost before it could say that it waits.
TEST_F(WaitingRun, WaitsForTheRestOfItsDelay) {
  ASSERT_TRUE(run(kPipeline));
  const auto all = lines_of(store_);
  for (const std::string last : {"pipeline_node_failed", "pipeline_node_retry_scheduled"}) {
    SCOPED_TRACE("lost after " + last);
    std::vector<std::string> before, after;
    for (const auto& line : all) {
      before.push_back(line);
      if (line.contains('"' + last + '"')) break;
    }
    // It failed this very moment.
    const auto shift = weir::to_string(system_clock().now());
    for (auto& line : before) line.replace(line.find(':') + 2, shift.size(), shift);
    ASSERT_TRUE(take_up(kPipeline, before, after));
    EXPECT_GE(time_of(after, "pipeline_node_started") - time_of(before.back()),
              kDelay - std::chrono::milliseconds(5));
  }
}

TEST_F(WaitingRun, DoesNotWaitAgainForADelayThatIsOver) {
  ASSERT_TRUE(run(kPipeline));
  auto all = lines_of(store_);
  std::vector<std::string> before, after;
  const auto then = weir::to_string(system_clock().now() - std::chrono::hours(1));
  for (auto& line : all) {
    line.replace(line.find(':') + 2, then.size(), then);
    if (const auto delay = line.find(R"("delay_ms":300)"); delay != std::string::npos) {
      line.replace(delay, 14, R"("delay_ms":20000)");
    }
    before.push_back(line);
    if (line.contains("\"pipeline_node_retry_scheduled\"")) break;
  }
  ASSERT_TRUE(take_up(kPipeline, before, after));
  EXPECT_LT(time_of(after, "pipeline_node_started") - time_of(after.front()),
            std::chrono::seconds(15));
}

// Of one hour; then nobody had it for two.
TEST_F(TakeUpTest, HasTheTimeThatWasNotUsed) {
  const std::string pipeline = R"({"id": "p", "timeout": "1h", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "name"}]})";
  ASSERT_TRUE(run(pipeline));
  const auto all = lines_of(store_);
  for (const int used : {59, 61}) {
    SCOPED_TRACE(used);
    std::vector<std::string> before(all.begin(), all.begin() + 2), after;
    const auto lost = system_clock().now() - std::chrono::hours(2);
    const auto began = weir::to_string(lost - std::chrono::minutes(used));
    before[0].replace(before[0].find(':') + 2, began.size(), began);
    before[1].replace(before[1].find(':') + 2, began.size(), weir::to_string(lost));
    calls_.clear();
    const auto report = take_up(pipeline, before, after);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->failure.type, used < 60 ? "" : "TIMEOUT");
    EXPECT_EQ(calls_["n"], used < 60 ? 1 : 0);
    EXPECT_FALSE(state_of(before, after).is_inconsistent());
    // In the next process, too.
    before.push_back(after.front());
    ASSERT_TRUE(take_up(pipeline, before, after));
    EXPECT_EQ(calls_["n"], used < 60 ? 2 : 0);
  }
}

TEST_F(TakeUpTest, DoesNotGoOnWithAnotherDefinition) {
  ASSERT_TRUE(run(kTwoNodes));
  const auto all = lines_of(store_);
  std::vector<std::string> after;
  const auto report =
      take_up(R"({"id": "p", "nodes": [{"id": "other", "plugin_id": "a", "tool_id": "t1"}]})",
              std::span(all.data(), 3), after);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_THAT(after, testing::IsEmpty());
}

}  // namespace
}  // namespace weir::engine
