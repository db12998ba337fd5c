#include "report/progress.h"

#include <gmock/gmock.h>

#include <map>

#include "project/event_feed_testing.h"

namespace weir::report {
namespace {

using project::testing_support::EventFeed;
using testing::ElementsAre;
using testing::IsEmpty;

/// A run whose events are 10 ms apart, the first at 0.
class ProgressTest : public testing::Test {
 protected:
  ProgressTest() { feed_.step = std::chrono::milliseconds(10); }

  Progress at(std::chrono::milliseconds time) const {
    const UsualDuration usual = [this](std::string_view node) {
      const auto found = usual_.find(node);
      return found == usual_.end() ? std::nullopt : std::optional(found->second);
    };
    return progress_of(plan_, run_, usual, EventFeed::kBegin + time);
  }

  project::RunState run_;
  EventFeed feed_{[this](const event::EventView& event, std::string_view) { run_.apply(event); }};
  //    a ──► b ──► d
  //     └──► c ────┘
  Plan plan_ = {{"a"}, {"b", {0}}, {"c", {0}}, {"d", {1, 2}}};
  std::map<std::string, double, std::less<>> usual_ = {
      {"a", 100}, {"b", 300}, {"c", 500}, {"d", 100}};
};

TEST_F(ProgressTest, BeforeAnythingRanIsTheWholeCriticalPath) {
  feed_.start_run();
  const auto progress = at(std::chrono::milliseconds(5));
  EXPECT_EQ(progress.fraction, 0);
  EXPECT_EQ(progress.left_ms, 100 + 500 + 100);
  EXPECT_THAT(progress.path, ElementsAre("a", "c", "d"));
  EXPECT_THAT(progress.unknown, IsEmpty());
}

TEST_F(ProgressTest, TakesWhatHasRunOffTheNodesThatRun) {
  feed_.start_run();
  feed_.start_node("a");         // at 10
  feed_.complete_node("a", 10);  // at 20
  feed_.start_node("b");         // at 30
  feed_.start_node("c");         // at 40
  // At 240: b has run 210 of 300, c 200 of 500. Done are 100 + 210 + 200 of 1000.
  const auto progress = at(std::chrono::milliseconds(240));
  EXPECT_DOUBLE_EQ(progress.fraction, 0.51);
  EXPECT_EQ(progress.left_ms, 300 + 100);
  EXPECT_THAT(progress.path, ElementsAre("c", "d"));
  EXPECT_FALSE(progress.is_late);
}

TEST_F(ProgressTest, ChangesItsPathWhenAnotherChainTakesLonger) {
  usual_["c"] = 250;
  feed_.start_run();
  feed_.start_node("a");
  feed_.complete_node("a", 10);
  feed_.start_node("c");  // at 30
  // At 130: b, which waits, takes 300; of c 150 are left.
  const auto progress = at(std::chrono::milliseconds(130));
  EXPECT_EQ(progress.left_ms, 300 + 100);
  EXPECT_THAT(progress.path, ElementsAre("b", "d"));
}

TEST_F(ProgressTest, SaysThatANodeIsLateAndCountsNothingTwice) {
  feed_.start_run();
  feed_.start_node("a");  // at 10
  const auto progress = at(std::chrono::milliseconds(910));
  EXPECT_TRUE(progress.is_late);
  EXPECT_EQ(progress.left_ms, 500 + 100);
  EXPECT_DOUBLE_EQ(progress.fraction, 99.0 / 1000);  // a node that runs is not done
}

TEST_F(ProgressTest, NamesTheNodesThatNoEarlierRunTellsOf) {
  usual_.erase("d");
  feed_.start_run();
  feed_.start_node("a");
  feed_.complete_node("a", 10);
  const auto progress = at(std::chrono::milliseconds(20));
  EXPECT_EQ(progress.left_ms, 500);
  EXPECT_THAT(progress.unknown, ElementsAre("d"));
  // d weighs what the others do on average: 300.
  EXPECT_DOUBLE_EQ(progress.fraction, 100.0 / (900 + 300));
}

TEST_F(ProgressTest, WithoutHistoryCountsNodesAndGuessesNoTime) {
  usual_.clear();
  feed_.start_run();
  feed_.start_node("a");
  feed_.complete_node("a", 10);
  feed_.start_node("b");
  const auto progress = at(std::chrono::milliseconds(500));
  EXPECT_DOUBLE_EQ(progress.fraction, 0.25);
  EXPECT_EQ(progress.left_ms, std::nullopt);
  EXPECT_THAT(progress.unknown, ElementsAre("b", "c", "d"));
}

TEST_F(ProgressTest, TakesItemsForOneNode) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.complete_node("a", 10);
  feed_.start_node("b[0]");         // at 30
  feed_.start_node("b[1]");         // at 40
  feed_.complete_node("b[0]", 10);  // at 50
  // b runs since 30, when its first item began; c waits.
  auto progress = at(std::chrono::milliseconds(140));
  EXPECT_DOUBLE_EQ(progress.fraction, (100 + 110) / 1000.0);
  feed_.complete_node("b[1]", 10);
  progress = at(std::chrono::milliseconds(140));
  EXPECT_DOUBLE_EQ(progress.fraction, 400 / 1000.0);
}

TEST_F(ProgressTest, CountsWhatFailedOrWasSkippedAsDone) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.fail_node("a", "E");
  feed_.event("pipeline_node_skipped", R"("node_id":"b","reason":"r")");
  const auto progress = at(std::chrono::milliseconds(40));
  EXPECT_DOUBLE_EQ(progress.fraction, 0.4);
  EXPECT_THAT(progress.path, ElementsAre("c", "d"));
}

TEST_F(ProgressTest, OfARunThatHasEndedIsWhole) {
  feed_.start_run();
  feed_.end_run("failed");
  EXPECT_EQ(at(std::chrono::milliseconds(40)),
            (Progress{.fraction = 1, .left_ms = 0, .path = {}, .unknown = {}, .is_late = false}));
}

TEST(Plan, ThatGoesInACircleIsLeftThere) {
  const Plan plan = {{"a", {1}}, {"b", {0}}, {"c"}, {"d", {2}}};
  EXPECT_THAT(order_of(plan), ElementsAre(2, 3));
}

TEST(Plan, KnowsItemsFromNodesThatAreCalledAlike) {
  EXPECT_EQ(node_of_item("fetch[12]"), "fetch");
  EXPECT_EQ(node_of_item("fetch[a]"), "fetch[a]");
  EXPECT_EQ(node_of_item("fetch[]"), "fetch[]");
  EXPECT_EQ(node_of_item("[1]"), "[1]");
  EXPECT_EQ(node_of_item("fetch"), "fetch");
}

TEST(Plan, OfADefinitionHasNoEdgeAlongAStream) {
  pipeline::Definition definition;
  for (const auto* id : {"a", "b", "c"}) {
    auto& node = definition.nodes.emplace_back();
    node.id.text = id;
  }
  definition.edges.push_back({.from = {"a"}, .to = {"b"}});
  definition.edges.push_back({.from = {"b"}, .to = {"c"}, .stream = tool::StreamOptions{}});
  EXPECT_THAT(plan_of(definition),
              ElementsAre(PlannedNode{"a"}, PlannedNode{"b", {0}}, PlannedNode{"c"}));
}

}  // namespace
}  // namespace weir::report
