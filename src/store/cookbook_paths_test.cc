#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

namespace weir::store {
namespace {

/// b waits, and its first attempt fails.
TEST_F(CookbookTest, ANodeThatWasTriedAgainTakesAllOfItsAttempts) {
  const Node a{"a", "sql", 0, "", 0, 10}, b{"b", "sql", 1, R"("a")", 10, 20},
      again{"b", "sql", 1, R"("a")", 120, 130}, c{"c", "sql", 2, R"("b")", 130, 180};
  const auto numbered = [&](const Node& node, int attempt, bool fails) {
    const auto name =
        named(node.id, node.plugin, node.step) + R"(,"attempt":)" + std::to_string(attempt);
    event(1, "etl", "10:00", node.from_ms, "pipeline_node_started",
          name + R"(,"predecessor_node_ids":[)" + node.before + "]");
    event(1, "etl", "10:00", node.to_ms, fails ? "pipeline_node_failed" : "pipeline_node_completed",
          name + R"(,"duration_ms":)" + std::to_string(node.to_ms - node.from_ms) +
              (fails ? R"(,"error_type":"E","error_message":"m")" : R"(,"output_keys":[])"));
  };
  begin(1, "etl", "10:00");
  numbered(a, 1, false);
  numbered(b, 1, true);
  numbered(again, 2, false);
  numbered(c, 1, false);
  complete(1, "etl", "10:00", 190);
  const std::string path = R"([["a",10.0],["b",120.0],["c",50.0]])";
  EXPECT_EQ(answer("critical-path", {}, "node_id, duration_ms"), path);
  EXPECT_EQ(answer("slack", {}, "node_id, ms"), path);
  EXPECT_EQ(
      query("SELECT node_id, avg_ms FROM (" + recipe("critical-nodes") + ") ORDER BY node_id"),
      path);
  EXPECT_EQ(answer("what-if", {{"node_id", "b"}}, "node_ms, run_ms"), "[[120.0,180.0]]");
}

TEST_F(CookbookTest, ACancelledNodeHasTakenItsTime) {
  begin(1, "etl", "10:00");
  const Node a{"a", "sql", 0, "", 0, 10}, c{"c", "sql", 1, R"("a")", 10, 1000};
  start_node(1, "10:00", a);
  end_node(1, "10:00", a);
  start_node(1, "10:00", c);
  event(1, "etl", "10:00", 1000, "pipeline_node_cancelled",
        named("c", "sql", 1) + R"(,"duration_ms":990,"reason":"r")");
  event(1, "etl", "10:00", 1010, "pipeline_cancelled", R"(,"duration_ms":1010,"reason":"r")");
  EXPECT_EQ(answer("slack", {}, "node_id, ms, is_critical"),
            R"([["a",10.0,true],["c",990.0,true]])");
  EXPECT_EQ(answer("what-if", {}, "node_id, run_ms"), R"([["c",1000.0]])");
}

TEST_F(CookbookTest, WhatIfRefusesWhatCannotBe) {
  diamond(1, "10:00", 300, 100);
  EXPECT_THAT(answer("what-if", {{"node_id", "typo"}}),
              testing::HasSubstr("node_id: the run has executed no node 'typo'"));
  EXPECT_THAT(answer("what-if", {{"percent", "200"}}),
              testing::HasSubstr("percent: 0 to 100 is expected, not 200"));
}

TEST_F(CookbookTest, RunEventsAreOfTheLatestGraphOrOfTheRunThatIsNamed) {
  diamond(1, "10:00", 300, 100);
  event(2, "list", "11:00", 0, "pipeline_started",
        R"(,"entry_nodes":[],"output_nodes":[],"node_count":1)", "linear");
  EXPECT_EQ(answer("run-events", {}, "any_value(run_id), count(*)"),
            R"([[")" + id(1) + R"(",10]])");
  EXPECT_EQ(answer("run-events", {{"run_id", id(2)}}, "count(*)"), "[[1]]");
}

TEST_F(CookbookTest, AMomentIsNamedAsPeopleNameIt) {
  const auto difference = [&](const std::string& said) {
    return query("SELECT epoch(now()::TIMESTAMP - weir_moment('" + said + "'))::BIGINT");
  };
  EXPECT_EQ(difference("90s"), "[[90]]");
  EXPECT_EQ(difference("2w"), "[[1209600]]");
  EXPECT_EQ(
      query(
          "SELECT weir_moment('yesterday') = date_trunc('day', now()::TIMESTAMP) - INTERVAL 1 DAY, "
          "weir_moment('today')::DATE = now()::TIMESTAMP::DATE, "
          "weir_moment('2026-01-05 03:00')::VARCHAR, weir_moment(NULL)"),
      R"([[true,true,"2026-01-05 03:00:00",null]])");
  EXPECT_THAT(query("SELECT weir_moment('lately')"), testing::HasSubstr("lately"));
}

}  // namespace
}  // namespace weir::store
