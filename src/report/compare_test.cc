#include "report/compare.h"

#include <gmock/gmock.h>

#include "base/yaml.h"
#include "pipeline/file.h"
#include "project/event_feed_testing.h"

namespace weir::report {
namespace {

using project::testing_support::EventFeed;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

/// Two runs of  load ──► count ──► publish, with what is changed in the second one.
class CompareTest : public testing::Test {
 protected:
  struct Steps {
    std::string begin = R"("params":{"day":"monday"},"execution_mode":"d1")";
    std::string load_output = R"("output":{"rows":[{"n":1},{"n":2}]})";
    std::string count_output = R"("output":{"total":3})";
    double count_ms = 100;
    std::string log = "counted 17 rows in 3.5 ms";
    bool publish_fails = false;
    std::int64_t count_attempts = 1;
  };

  static ComparedRun play(int number, const Steps& steps) {
    ComparedRun run;
    EventFeed feed([&run](const event::EventView& event, std::string_view) { run.apply(event); });
    feed.run = number;
    feed.start_run(steps.begin);
    node(feed, "load", "");
    feed.complete_node("load", 50, steps.load_output);
    node(feed, "count", R"("load")");
    feed.event("log", R"("node_id":"count","message":")" + steps.log + "\"");
    for (std::int64_t attempt = 2; attempt <= steps.count_attempts; ++attempt) {
      feed.fail_node("count", "Timeout");
      feed.retry_node("count", attempt);
      node(feed, "count", R"("load")");
    }
    feed.complete_node("count", steps.count_ms, steps.count_output);
    node(feed, "publish", R"("count")");
    if (steps.publish_fails) {
      feed.fail_node("publish", "Refused");
      feed.end_run("failed", 9, "publish");
    } else {
      feed.complete_node("publish", 5, R"("output":{})");
      feed.end_run("completed");
    }
    return run;
  }

  static void node(EventFeed& feed, const std::string& id, const std::string& needs) {
    feed.event(
        "pipeline_node_started",
        R"("node_id":")" + id +
            R"(","plugin_id":"plug","tool_id":"tool","step_index":0,"predecessor_node_ids":[)" +
            needs + "]");
  }

  Comparison with(const Steps& changed) const {
    return compare(play(1, {}), play(2, changed), history_,
                   [](const Sha256&) { return fail(ErrorCode::kNotFound, "no artifacts here"); });
  }

  NodeHistory history_;
};

const NodeComparison& node_of(const Comparison& comparison, std::string_view id) {
  return *std::ranges::find(comparison.nodes, id, &NodeComparison::node_id);
}

TEST_F(CompareTest, RunsThatDidTheSameAreTheSame) {
  // Other numbers in a message, and other durations, are no difference.
  const auto comparison = with({.count_ms = 170, .log = "counted 18 rows in 4 ms"});
  EXPECT_TRUE(comparison.is_same());
  EXPECT_FALSE(comparison.parting);
  EXPECT_THAT(comparison.logs_only_a, IsEmpty());
  EXPECT_THAT(comparison.counts, IsEmpty());
}

TEST_F(CompareTest, NamesTheFirstNodeThatNoOtherExplains) {
  const auto comparison = with({.load_output = R"("output":{"rows":[{"n":1},{"n":5}]})",
                                .count_output = R"("output":{"total":6})",
                                .publish_fails = true});
  EXPECT_FALSE(comparison.is_same());
  ASSERT_TRUE(comparison.parting);
  EXPECT_EQ(comparison.parting->node_id, "load");
  EXPECT_EQ(comparison.parting->sentence, "it gave something else at rows[1].n");
  EXPECT_EQ(node_of(comparison, "count").output, (JsonDifference{"total", "3", "6"}));
  EXPECT_THAT(comparison.outcome,
              ElementsAre(Change{"state", "completed", "failed"},
                          Change{"failed node", "", "publish"}, Change{"error", "", "E: m"}));
}

TEST_F(CompareTest, BlamesWhatTheRunsBeganWithFirst) {
  const auto comparison = with({.begin = R"("params":{"day":"friday"},"execution_mode":"d1")",
                                .count_output = R"("output":{"total":6})"});
  ASSERT_TRUE(comparison.parting);
  EXPECT_EQ(comparison.parting->setting, "params.day");
  EXPECT_EQ(comparison.parting->node_id, "count");
  EXPECT_THAT(comparison.settings, ElementsAre(Change{"params.day", R"("monday")", R"("friday")"}));
}

TEST_F(CompareTest, TellsAttemptsAndErrors) {
  const auto comparison = with({.count_attempts = 2});
  EXPECT_THAT(node_of(comparison, "count").changes, ElementsAre(Change{"attempts", "1", "2"}));
  EXPECT_EQ(comparison.parting->sentence, "attempts 1 in a, 2 in b");
}

TEST_F(CompareTest, TellsAChangeOfDurationFromNoise) {
  const auto pace = [this](double b_ms) {
    return node_of(with({.count_ms = b_ms}), "count").duration.pace;
  };
  EXPECT_EQ(pace(500), Pace::kUnknown);
  history_ = NodeHistory({{"count", {.median = 100, .deviation = 10, .count = 9}}});
  EXPECT_EQ(pace(140), Pace::kAlike);
  EXPECT_EQ(pace(150), Pace::kSlower);
  EXPECT_EQ(pace(50), Pace::kFaster);
  EXPECT_TRUE(with({.count_ms = 500}).is_same());
}

TEST_F(CompareTest, TwoThatAreStrangeInTheSameWayAreAlike) {
  history_ = NodeHistory({{"count", {.median = 10, .deviation = 1, .count = 9}}});
  EXPECT_EQ(node_of(with({.count_ms = 120}), "count").duration.pace, Pace::kAlike);
  // Unless one is far from the other.
  EXPECT_EQ(node_of(with({.count_ms = 500}), "count").duration.pace, Pace::kSlower);
  EXPECT_EQ(node_of(with({.count_ms = 50}), "count").duration.pace, Pace::kFaster);
}

TEST_F(CompareTest, ListsMessagesThatOnlyOneHas) {
  const auto comparison = with({.log = "the file is empty"});
  EXPECT_THAT(comparison.logs_only_a,
              ElementsAre(Field(&LogOnlyIn::message, "counted 17 rows in 3.5 ms")));
  EXPECT_THAT(comparison.logs_only_b, ElementsAre(Field(&LogOnlyIn::message, "the file is empty")));
  EXPECT_TRUE(comparison.is_same());
}

TEST_F(CompareTest, ComparesTheGraphsOfDefinitions) {
  const auto written = [](ComparedRun& run, const std::string& text) {
    run.written = *yaml::parse(text)->object();
    run.definition = pipeline::read_text("p.yaml", text).definition;
  };
  auto a = play(1, {}), b = play(2, {});
  written(a, R"(
nodes:
  - {id: load, plugin_id: sql, tool_id: query, with: {query: x}}
  - {id: count, plugin_id: sql, tool_id: query, with: {query: x}, needs: [load]}
  - {id: publish, plugin_id: sql, tool_id: query, needs: [count], timeout: 5s}
)");
  written(b, R"(
timeout: 1h
nodes:
  - {id: load, plugin_id: sql, tool_id: query, with: {query: x}}
  - {id: count, plugin_id: sql, tool_id: query, with: {query: y}, needs: [load], retry: {max_attempts: 3}}
  - {id: publish, plugin_id: sql, tool_id: query, needs: [load], timeout: 5s}
  - {id: mail, plugin_id: sql, tool_id: query}
)");
  const auto comparison = compare(a, b, history_, [](const Sha256&) {
    return fail(ErrorCode::kNotFound, "no artifacts here");
  });
  EXPECT_THAT(comparison.nodes_added, ElementsAre("mail"));
  EXPECT_THAT(comparison.nodes_removed, IsEmpty());
  EXPECT_THAT(comparison.nodes_moved, ElementsAre(Change{"publish", "count", "load"}));
  EXPECT_THAT(node_of(comparison, "count").changes,
              ElementsAre(Change{"with.query", R"("x")", R"("y")"},
                          Change{"retry", "", R"({"max_attempts":3})"}));
  EXPECT_THAT(comparison.settings, Contains(Change{"definition.timeout", "", R"("1h")"}));
}

TEST_F(CompareTest, SaysOfANodeWithItemsOnceHowItsDefinitionDiffers) {
  const auto with_items = [](int number) {
    ComparedRun run;
    EventFeed feed([&run](const event::EventView& event, std::string_view) { run.apply(event); });
    feed.run = number;
    feed.start_run("");
    node(feed, "each[0]", "");
    feed.complete_node("each[0]", 5, R"("output":{})");
    feed.end_run("completed");
    const auto text =
        "nodes: [{id: each, plugin_id: plug, tool_id: tool, with: {n: " + std::to_string(number) +
        "}}]";
    run.written = *yaml::parse(text)->object();
    run.definition = pipeline::read_text("p.yaml", text).definition;
    return run;
  };
  const auto a = with_items(1), b = with_items(2);
  const auto comparison = compare(a, b, history_, [](const Sha256&) {
    return fail(ErrorCode::kNotFound, "no artifacts here");
  });
  EXPECT_THAT(node_of(comparison, "each").changes, ElementsAre(Change{"with.n", "1", "2"}));
}

TEST_F(CompareTest, MakesAPageInWhichNothingIsMarkup) {
  const auto page = to_html(with({.log = "<script>alert(1)</script> & \\\"x\\\""}));
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"),
            std::string::npos);
}

TEST(WithoutNumbers, LeavesWordsAndTakesWhatVaries) {
  EXPECT_EQ(without_numbers("took 17 ms, then 1.25s of 300"), "took # ms, then #s of #");
  EXPECT_EQ(without_numbers("id 01a1fc61-7063-7483-9c22-65b0d53d2d84 of v2"), "id #-#-#-#-# of v2");
  EXPECT_EQ(without_numbers("commit deadbeef1 feedface"), "commit # feedface");
  EXPECT_EQ(without_numbers(""), "");
}

}  // namespace
}  // namespace weir::report
