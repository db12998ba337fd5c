#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "engine/child_runs_testing.h"

// A run whose process was lost takes up the runs that were lost with it.
namespace weir::engine {
namespace {

class ChildTakeUp : public ChildRunsTest {
 protected:
  ChildTakeUp() {
    add("x", "name", [this](const tool::Call& call) {
      count(call);
      json::Object output;
      output.set(std::string(call.node_id), "done");
      output.set("list", json::Array{json::Value(1), json::Value(2)});
      return output;
    });
    add("x", "fail", [this](const tool::Call& call) -> json::Object {
      count(call);
      throw std::invalid_argument("never");
    });
  }
  void count(const tool::Call& call) {
    const std::lock_guard lock(mutex_);
    ++calls_[std::string(call.run_id) + "/" + std::string(call.node_id)];
  }
  /// Goes on with what `before` tells: returns what was recorded then.
  std::vector<std::string> take_up(const std::string& id, std::span<const std::string> before,
                                   Result<RunReport>& report,
                                   std::vector<SignalRequest> asked = {}) {
    const auto store = log::StoreDirectory::create(
        testing::TempDir() + "children-taken-up-" + std::to_string(random_bits()), files_);
    EXPECT_TRUE(store);
    const auto root = root_of(before);
    auto lost = take(*store, root, before);
    EXPECT_TRUE(lost);
    for (auto& request : asked) {
      request.run = root;
      lost->owned.recorded.requests.push_back(std::move(request));
    }
    report = run_pipeline(id, {},
                          {.jobs = 1, .owned = &lost->owned, .store = &*store, .before = before});
    return lines_of(*store);
  }
  static RunId root_of(std::span<const std::string> lines) {
    event::Decoder decoder;
    return (*decoder.decode(lines[0]))->run_id();
  }

  std::mutex mutex_;
  std::map<std::string, int> calls_;
};

struct Case {
  const char* name;
  const char* mode;
  const char* last;
  const char* retry = "";
};
constexpr const char* kRetry =
    R"(, "retry": {"max_attempts": 2, "delay": "1ms", "on": ["permanent"]})";
class ChildTakeUpOf : public ChildTakeUp, public testing::WithParamInterface<Case> {};

TEST_P(ChildTakeUpOf, EndsAsTheUncrashedRunWhereverItWasLost) {
  const auto& param = GetParam();
  pipeline(R"({"id": "r", "nodes": [{"id": "r1", "plugin_id": "x", "tool_id": "name"},
               {"id": "r2", "plugin_id": "x", "tool_id": ")" +
           std::string(param.last) + R"(", "needs": ["r1"]}]})");
  pipeline(R"({"id": "q", "nodes": [{"id": "q1", "plugin_id": "x", "tool_id": "name"},
               {"id": "q2", "pipeline": "r", "needs": ["q1"]}]})");
  std::string definition = R"json({"id": "p", "seed": 1, "on_failure": ")json" +
                           std::string(param.mode) + R"json(", "nodes": [
     {"id": "first", "plugin_id": "x", "tool_id": "name"},
     {"id": "each", "pipeline": "r", "needs": ["first"], "for_each": "${nodes.first.list}"},
     {"id": "deep", "pipeline": "q", "needs": ["first"]RETRY},
     {"id": "end", "plugin_id": "x", "tool_id": "name", "needs": ["each", "deep"]}]})json";
  definition.replace(definition.find("RETRY"), 5, param.retry);
  pipeline(definition);
  const auto whole = run_pipeline("p", {}, {.jobs = 1});
  ASSERT_TRUE(whole);
  const auto all = lines();
  const auto root = root_of(all);
  const auto expected = states_of(all);
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    const std::span before(all.data(), lost_after);
    if (states_of(before).at(root.text()).is_finished()) break;
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    calls_.clear();
    Result<RunReport> report = fail(ErrorCode::kCancelled, "");
    const auto after = take_up("p", before, report);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->outcome, whole->outcome);
    EXPECT_EQ(json::to_text(json::Value(report->result)),
              json::to_text(json::Value(whole->result)));
    // Where a node waits for its next attempt, another may fail first.
    EXPECT_EQ(report->failed_node_id.empty(), whole->failed_node_id.empty());

    auto together = std::vector<std::string>(before.begin(), before.end());
    together.insert(together.end(), after.begin(), after.end());
    const auto states = states_of(together);
    EXPECT_EQ(states.size(), expected.size()) << "runs";
    for (const auto& [id, state] : states) {
      EXPECT_TRUE(state.is_finished()) << id;
      EXPECT_FALSE(state.is_inconsistent()) << state.forbidden[0].why;
      EXPECT_FALSE(state.is_stale());
    }
    for (const auto& [id, state] : states_of(before)) {
      for (const auto& node : state.nodes) {
        if (node.state != project::State::kCompleted) continue;
        EXPECT_EQ(calls_[id + "/" + node.node_id], 0) << "it had completed";
      }
    }
    for (const auto& child : states.at(root.text()).children) {
      EXPECT_NE(child.state, project::State::kRunning) << child.run_id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ChildTakeUpOf,
                         testing::Values(Case{"completed", "fail_fast", "name"},
                                         Case{"failed", "fail_fast", "fail"},
                                         Case{"continued", "continue", "fail", kRetry}),
                         [](const auto& one) { return std::string(one.param.name); });

// Whoever takes it up lets it go on, and what was paused with it.
TEST_F(ChildTakeUp, GoesOnWhereverItWasLostWhilePaused) {
  add_pauser_and_resumer();
  pipeline(R"({"id": "q", "nodes": [{"id": "pauser", "plugin_id": "x", "tool_id": "pause"},
               {"id": "i", "plugin_id": "x", "tool_id": "name", "needs": ["pauser"]},
               {"id": "j", "plugin_id": "x", "tool_id": "name", "needs": ["i"]}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "resumer", "plugin_id": "x", "tool_id": "resume"},
               {"id": "end", "plugin_id": "x", "tool_id": "name", "needs": ["n"]}]})");
  const auto whole = run_pipeline("p", {}, {.jobs = 3, .is_asked = true});
  ASSERT_TRUE(whole);
  auto all = lines();
  std::erase_if(all, [](const auto& line) { return line.contains("signal_requested"); });
  const auto root = root_of(all).text();
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    const std::span before(all.data(), lost_after);
    if (states_of(before).at(root).is_finished()) break;
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    Result<RunReport> report = fail(ErrorCode::kCancelled, "");
    const auto after = take_up("p", before, report);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(json::to_text(report->result), json::to_text(whole->result));
    auto together = std::vector<std::string>(before.begin(), before.end());
    together.insert(together.end(), after.begin(), after.end());
    for (const auto& [id, state] : states_of(together)) {
      EXPECT_TRUE(state.is_finished()) << id;
      EXPECT_FALSE(state.is_inconsistent()) << state.forbidden[0].why;
      EXPECT_FALSE(state.paused);
    }
  }
}

// It may not run on, and it may not be left without an end: the next process to take up the run
// that was stopped finds that it has ended.
TEST_F(ChildTakeUp, HasEndedBeforeTheRunAroundItThatIsStoppedAtOnce) {
  pipeline(R"({"id": "r", "nodes": [{"id": "k", "plugin_id": "x", "tool_id": "name"}]})");
  pipeline(R"({"id": "q", "nodes": [{"id": "i", "plugin_id": "x", "tool_id": "name"},
               {"id": "j", "pipeline": "r", "needs": ["i"]}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "end", "plugin_id": "x", "tool_id": "name", "needs": ["n"]}]})");
  ASSERT_TRUE(run_pipeline("p", {}, {.jobs = 1}));
  const auto all = lines();
  const auto root = root_of(all);
  // But for the last event: then it had done all of its work.
  for (std::size_t lost_after = 1; lost_after + 1 < all.size(); ++lost_after) {
    const std::span before(all.data(), lost_after);
    if (states_of(before).at(root.text()).is_finished()) break;
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    calls_.clear();
    Result<RunReport> report = fail(ErrorCode::kCancelled, "");
    const auto after =
        take_up("p", before, report,
                {{.signal_id = "stop", .type = "emergency-stop", .reason = "it hangs"}});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
    EXPECT_TRUE(calls_.empty());
    ASSERT_FALSE(after.empty());
    auto ends = after;
    std::erase_if(ends, [](const auto& line) { return !line.contains("pipeline_cancelled"); });
    ASSERT_FALSE(ends.empty());
    EXPECT_THAT(ends.back(), testing::HasSubstr(",\"run_id\":\"" + root.text()))
        << "its end is the last";
    auto together = std::vector<std::string>(before.begin(), before.end());
    together.insert(together.end(), after.begin(), after.end());
    for (const auto& [id, state] : states_of(together)) {
      if (!pipelines_.contains(state.pipeline_id)) continue;  // the process's own
      EXPECT_TRUE(state.is_finished()) << id;
      EXPECT_FALSE(state.is_inconsistent()) << state.forbidden[0].why;
      for (const auto& child : state.children) {
        EXPECT_NE(child.state, project::State::kRunning) << child.run_id;
      }
    }
  }
}

// The node does not run again, since the run ends: its child must not be left behind.
TEST_F(ChildTakeUp, CancelsTheChildOfANodeThatIsNotRunAgain) {
  pipeline(R"({"id": "q", "nodes": [{"id": "i", "plugin_id": "x", "tool_id": "name"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "bad", "plugin_id": "x", "tool_id": "fail"}]})");
  ASSERT_TRUE(run_pipeline("p", {}, {.jobs = 1}));
  const auto all = lines();
  // The first four events (its start, the node's, the child's name, the child's start), and then
  // the other node's failure, which came while the child ran.
  std::vector<std::string> before(all.begin(), all.begin() + 4);
  for (auto seq = 4; const auto& line : all) {
    if (!line.contains("\"node_id\":\"bad\"")) continue;
    auto moved = line;
    const auto at = moved.find("\"run_seq\":") + 10;
    moved.replace(at, moved.find(',', at) - at, std::to_string(seq++));
    before.push_back(moved);
  }
  ASSERT_EQ(before.size(), 6U);
  calls_.clear();
  Result<RunReport> report = fail(ErrorCode::kCancelled, "");
  const auto after = take_up("p", before, report);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_TRUE(calls_.empty());
  auto together = before;
  together.insert(together.end(), after.begin(), after.end());
  for (const auto& [id, state] : states_of(together)) {
    EXPECT_FALSE(state.is_inconsistent());
    EXPECT_EQ(state.state,
              state.pipeline_id == "q" ? project::State::kCancelled : project::State::kFailed);
  }
}

}  // namespace
}  // namespace weir::engine
