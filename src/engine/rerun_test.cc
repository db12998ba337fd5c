#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "engine/take_up_testing.h"

// A run that repeats another one, in whole or from some of its nodes.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

///   a ─► b ─► c         b and e fail when they are told to
///   └──► d[0], d[1] ─► e ─► f
constexpr const char* kGraph = R"json({
  "id": "p", "on_failure": "MODE",
  "nodes": [
    {"id": "a", "plugin_id": "x", "tool_id": "t"},
    {"id": "b", "plugin_id": "x", "tool_id": "t", "needs": ["a"]},
    {"id": "c", "plugin_id": "x", "tool_id": "t", "needs": ["b"]},
    {"id": "d", "plugin_id": "x", "tool_id": "t", "needs": ["a"], "for_each": "${input.list}"},
    {"id": "never", "plugin_id": "x", "tool_id": "t", "needs": ["a"], "when": "1 == 2"},
    {"id": "e", "plugin_id": "x", "tool_id": "large", "needs": ["d", "never"]},
    {"id": "f", "plugin_id": "x", "tool_id": "t", "needs": ["e"]}]})json";

class RerunTest : public EngineTest {
 protected:
  RerunTest() {
    add("x", "t", [this](const tool::Call& call) { return work(call, 1); });
    add("x", "large", [this](const tool::Call& call) { return work(call, 2 * kMaxInlineOutput); });
  }

  json::Object work(const tool::Call& call, std::size_t size) {
    const std::lock_guard lock(mutex_);
    const std::string id(call.node_id);
    called_.push_back(id);
    if (failing_.contains(id)) throw std::invalid_argument("told to");
    json::Object output;
    output.set(id, std::string(size, static_cast<char>('a' + version_)));
    return output;
  }

  static std::string graph(const std::string& mode = "fail_fast") {
    std::string text = kGraph;
    return text.replace(text.find("MODE"), 4, mode);
  }

  /// Begins a run, or goes on with the one of `owned` events.
  Result<RunReport> run_again(const std::string& json, const Rerun& rerun,
                              const log::StoreDirectory& store,
                              std::span<const std::string> owned_events = {}) {
    called_.clear();
    const auto file = pipeline::read_definition(*json::parse(json));
    record::Recorder recorder(store, {});
    Engine engine(recorder, artifacts_, tools_);
    std::optional<OwnedRun> owned;
    if (!owned_events.empty()) {
      auto run = recorded_run(owned_events);
      WEIR_TRY(auto lock, log::RunLock::take(store, run.run_id));
      owned.emplace(OwnedRun{.lock = std::move(lock), .recorded = std::move(run)});
    }
    return engine.run({.definition = file.definition,
                       .definition_text = json,
                       .folder = ".",
                       .payload = *json::parse(R"({"list": [1, 2]})")->object(),
                       .owned = owned ? &*owned : nullptr,
                       .rerun = rerun,
                       .previous_run_id = previous_run_id_,
                       .jobs = 1,
                       .stop = {},
                       .on_update = {}});
  }

  /// The events of the store from here on are those of the next run.
  std::span<const std::string> newest_lines() {
    lines_ = lines_of(store_);
    return std::span(lines_).subspan(std::exchange(seen_, lines_.size()));
  }

  /// A first run, and what was recorded of it.
  void run_first(const std::string& json) {
    ASSERT_TRUE(run_again(json, {}, store_));
    first_ = recorded_run(newest_lines());
    version_ = 1;
    failing_.clear();
  }

  std::mutex mutex_;
  std::vector<std::string> called_;
  std::set<std::string> failing_;
  int version_ = 0;
  std::string previous_run_id_;
  std::vector<std::string> lines_;
  std::size_t seen_ = 0;
  RecordedRun first_;
};

std::string letter(const RunReport& report, std::string_view node) {
  const auto* value = report.result.find(node);
  return value == nullptr ? "none" : value->string()->substr(0, 1);
}

TEST_F(RerunTest, RunsTheNodeAndWhatComesAfterItAndTakesTheRest) {
  run_first(graph());
  const auto report = run_again(graph(), {.of = &first_, .from = {"e"}}, store_);
  ASSERT_TRUE(report);
  EXPECT_THAT(called_, ElementsAre("e", "f"));
  EXPECT_EQ(letter(*report, "c"), "a") << "as it was";
  EXPECT_EQ(letter(*report, "f"), "b") << "made again";

  const auto state = state_of(newest_lines());
  EXPECT_FALSE(state.is_inconsistent());
  EXPECT_NE(state.run_id, first_.run_id);
  for (const std::string id : {"a", "b", "c", "d[0]", "d[1]"}) {
    EXPECT_EQ(state.find_node(id)->last_attempt()->outcome, "cached") << id;
  }
  EXPECT_EQ(state.find_node("never")->state, project::State::kSkipped);
  EXPECT_EQ(state.find_node("e")->last_attempt()->outcome, "");
}

TEST_F(RerunTest, SaysWhichRunItRepeatsAndWhereItTookFrom) {
  run_first(graph());
  ASSERT_TRUE(run_again(graph(), {.of = &first_, .from = {"c"}}, store_));
  const auto again = recorded_run(newest_lines());
  EXPECT_EQ(again.ids.previous_run_id, first_.run_id.text());
  EXPECT_THAT(again.rerun_from, ElementsAre("c"));
  for (const auto& event : events()) {
    if (event.run_id != again.run_id.text() || event.type != "pipeline_node_completed") continue;
    const bool is_taken = event.node_id != "c";
    EXPECT_EQ(event.members.contains("target_run_id"), is_taken) << event.node_id;
    EXPECT_TRUE(!is_taken || event.members.at("target_run_id") == first_.run_id.text());
    EXPECT_EQ(event.members.contains("output_sha256"), event.node_id == "e") << event.node_id;
  }
}

// The rerun was cancelled, and asked for anew: what it takes is still of the first run.
TEST_F(RerunTest, NamesTheRunBeforeItAndTheOneItTakesFrom) {
  run_first(graph());
  const auto cancelled = run_again(graph(), {.of = &first_, .from = {"e"}}, store_);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(recorded_run(newest_lines()).rerun_of, first_.run_id.text());
  previous_run_id_ = cancelled->run_id.text();
  ASSERT_TRUE(run_again(graph(), {.of = &first_, .from = {"e"}}, store_));
  EXPECT_THAT(called_, ElementsAre("e", "f"));
  const auto anew = recorded_run(newest_lines());
  EXPECT_EQ(anew.ids.previous_run_id, previous_run_id_);
  EXPECT_EQ(anew.rerun_of, first_.run_id.text());
}

TEST_F(RerunTest, RunsEverythingWithoutAPlaceToBegin) {
  run_first(graph());
  const auto report = run_again(graph(), {.of = &first_}, store_);
  ASSERT_TRUE(report);
  EXPECT_THAT(called_, UnorderedElementsAre("a", "b", "c", "d[0]", "d[1]", "e", "f"));
  const auto again = recorded_run(newest_lines());
  EXPECT_EQ(again.ids.previous_run_id, first_.run_id.text());
}

TEST_F(RerunTest, BeginsAtSeveralNodes) {
  run_first(graph());
  ASSERT_TRUE(run_again(graph(), {.of = &first_, .from = {"c", "d"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("c", "d[0]", "d[1]", "e", "f"));
}

TEST_F(RerunTest, RunsWhatHadNoOutputAndAllThatComesAfterIt) {
  failing_ = {"d[1]"};
  run_first(graph("best_effort"));
  ASSERT_TRUE(run_again(graph("best_effort"), {.of = &first_, .from = {"c"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("c", "d[1]", "e", "f"))
      << "e had run without the output of d, which it has now";
}

TEST_F(RerunTest, RunsWhatWasSkippedForAFailure) {
  failing_ = {"b"};
  run_first(graph("continue"));
  const auto report = run_again(graph("continue"), {.of = &first_, .from = {"f"}}, store_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(called_, UnorderedElementsAre("b", "c", "f"));
}

TEST_F(RerunTest, TakesWhatALostRunHadDone) {
  ASSERT_TRUE(run_again(graph(), {}, store_));
  const auto all = newest_lines();
  version_ = 1;
  first_ = recorded_run(all.first(4));  // a has completed, b has started
  ASSERT_TRUE(run_again(graph(), {.of = &first_, .from = {"f"}}, store_));
  EXPECT_EQ(called_.size(), 6U);
  EXPECT_EQ(std::ranges::count(called_, "a"), 0);
}

TEST_F(RerunTest, RunsANodeWhoseOutputIsGone) {
  run_first(graph());
  lose_artifacts(store_);
  ASSERT_TRUE(run_again(graph(), {.of = &first_, .from = {"c"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("c", "e", "f")) << "e's is an artifact";
  EXPECT_EQ(only("log").level, "WARNING");
}

///   a ─► w ══stream══► r      w and r start together, so they run again together or not at all
///   └──► s   └──► z
constexpr const char* kStream = R"json({
  "id": "p", "on_failure": "continue",
  "nodes": [
    {"id": "a", "plugin_id": "x", "tool_id": "t"},
    {"id": "s", "plugin_id": "x", "tool_id": "t", "needs": ["a"]},
    {"id": "w", "plugin_id": "x", "tool_id": "t", "needs": ["a"]},
    {"id": "r", "plugin_id": "x", "tool_id": "large"},
    {"id": "z", "plugin_id": "x", "tool_id": "t", "needs": ["w"]}],
  "edges": [{"from_node": "w", "to_node": "r", "stream": {"capacity": 4}}]})json";

TEST_F(RerunTest, RunsAllNodesThatAStreamJoinsOrNone) {
  run_first(kStream);
  ASSERT_TRUE(run_again(kStream, {.of = &first_, .from = {"r"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("w", "r", "z"));
  ASSERT_TRUE(run_again(kStream, {.of = &first_, .from = {"s", "z"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("s", "z"));
}

TEST_F(RerunTest, RunsAllNodesThatAStreamJoinsWhenOneOfThemHadFailed) {
  failing_ = {"r"};
  run_first(kStream);
  ASSERT_TRUE(run_again(kStream, {.of = &first_, .from = {"s"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("s", "w", "r", "z"));
}

TEST_F(RerunTest, RunsAllNodesThatAStreamJoinsWhenAnOutputIsGone) {
  run_first(kStream);
  lose_artifacts(store_);
  ASSERT_TRUE(run_again(kStream, {.of = &first_, .from = {"s"}}, store_));
  EXPECT_THAT(called_, UnorderedElementsAre("s", "w", "r", "z")) << "r's is an artifact";
}

TEST_F(RerunTest, DoesNotTakeTheOutputOfTheNodeItBeginsWithFromTheCache) {
  const std::string json = R"({"id": "p", "nodes": [
      {"id": "a", "plugin_id": "x", "tool_id": "t", "cache": true},
      {"id": "b", "plugin_id": "x", "tool_id": "t", "cache": true, "needs": ["a"]}]})";
  run_first(json);
  version_ = 0;  // the same output again
  ASSERT_TRUE(run_again(json, {.of = &first_, .from = {"a"}}, store_));
  EXPECT_THAT(called_, ElementsAre("a")) << "the input of b is what it was";
  ASSERT_TRUE(run_again(json, {.of = &first_}, store_));
  EXPECT_THAT(called_, IsEmpty()) << "a rerun in full is as any run";
}

class RerunTakeUp : public RerunTest, public testing::WithParamInterface<const char*> {};

TEST_P(RerunTakeUp, EndsAsTheUncrashedRerunWhereverItWasLost) {
  failing_ = {"d[1]"};
  const std::string json = graph(GetParam());
  run_first(json);
  const Rerun rerun{.of = &first_, .from = {"b"}};
  const auto whole = run_again(json, rerun, store_);
  ASSERT_TRUE(whole);
  const auto expected_calls = std::set(called_.begin(), called_.end());
  const auto lines = newest_lines();
  const std::vector<std::string> all(lines.begin(), lines.end());
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    const std::span before(all.data(), lost_after);
    const auto store = log::StoreDirectory::create(
        testing::TempDir() + "taken-up-" + std::to_string(random_bits()), files_);
    ASSERT_TRUE(store);
    const auto report = run_again(json, rerun, *store, before);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(json::to_text(report->result), json::to_text(whole->result));
    for (const auto& id : called_) EXPECT_TRUE(expected_calls.contains(id)) << id;
    const auto state = state_of(before, lines_of(*store));
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    EXPECT_EQ(states_of(state), states_of(state_of(all)));
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, RerunTakeUp,
                         testing::Values("continue", "fail_fast", "best_effort"),
                         [](const auto& mode) { return std::string(mode.param); });

}  // namespace
}  // namespace weir::engine
