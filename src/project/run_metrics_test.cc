#include "project/run_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/event_feed_testing.h"

// The suite TestMetricsManagerPhase8 has ODIBI CORE's tests of its metrics manager
// (tests/test_phase8_observability.py in ODIBI CORE) under their names.
namespace weir::project {
namespace {

using testing::ElementsAre;
using testing::IsNull;
using testing::Pair;
using testing_support::EventFeed;

class TestMetricsManagerPhase8 : public testing::Test {
 protected:
  RunMetrics metrics_;
  EventFeed feed_{
      [this](const event::EventView& event, std::string_view) { metrics_.apply(event); }};
};
using RunMetricsTest = TestMetricsManagerPhase8;

TEST_F(TestMetricsManagerPhase8, TestRecordMemoryUsage) {
  feed_.complete_node("n", 10, R"("memory_bytes":1048576)");
  feed_.complete_node("n", 10, R"("memory_bytes":3145728)");

  const auto& memory = metrics_.find_node("p", "n")->memory_bytes;
  EXPECT_EQ(memory.max, 3145728);
  EXPECT_EQ(memory.average(), 2097152);
}

TEST_F(TestMetricsManagerPhase8, TestRecordNodeExecution) {
  feed_.complete_node("n", 125.5, R"("rows":1000,"cache_hit":true)");

  const auto& node = *metrics_.find_node("p", "n");
  EXPECT_EQ(node.completed, 1U);
  EXPECT_EQ(node.failed, 0U);
  EXPECT_EQ(node.cache_hits, 1U);
  EXPECT_EQ(node.rows, 1000U);
  EXPECT_EQ(node.duration_ms.sum, 125.5);
  EXPECT_DOUBLE_EQ(node.rows_per_second.average(), 1000 / 125.5 * 1000);
}

TEST_F(TestMetricsManagerPhase8, TestGetNodeStats) {
  feed_.complete_node("n", 100);
  feed_.complete_node("n", 300);
  feed_.fail_node("n", "ValueError", R"("duration_ms":50)");

  const auto& node = *metrics_.find_node("p", "n");
  EXPECT_EQ(node.executions(), 3U);
  EXPECT_EQ(node.completed, 2U);
  EXPECT_EQ(node.failed, 1U);
  EXPECT_EQ(node.duration_ms.average(), 150);
  EXPECT_EQ(node.duration_ms.min, 50);
  EXPECT_EQ(node.duration_ms.max, 300);
  EXPECT_THAT(metrics_.find_node("p", "unknown"), IsNull());
}

TEST_F(RunMetricsTest, AreKeptForEveryPipelineToolAndNodeAndForAllNodes) {
  feed_.complete_node("a", 1);
  feed_.complete_node("b", 2);
  feed_.end_run("completed", 10);
  feed_.pipeline = "q";
  feed_.complete_node("a", 3);
  feed_.end_run("cancelled", 20);

  EXPECT_EQ(metrics_.nodes().size(), 3U);
  EXPECT_EQ(metrics_.find_node("q", "a")->duration_ms.sum, 3);
  EXPECT_EQ(metrics_.tools().at({"plug", "tool"}).completed, 3U);
  EXPECT_EQ(metrics_.total().duration_ms.sum, 6);
  EXPECT_EQ(metrics_.pipelines().at({"p", ""}).completed, 1U);
  EXPECT_EQ(metrics_.pipelines().at({"q", ""}).cancelled, 1U);
  EXPECT_EQ(metrics_.pipelines().at({"q", ""}).duration_ms.sum, 20);
}

TEST_F(RunMetricsTest, CountEveryAttemptAndGiveRetriesToTheNodesTool) {
  feed_.fail_node("a", "Timeout");
  feed_.retry_node("a");
  feed_.complete_node("a", 1);
  feed_.fail_node("b", "Timeout");
  feed_.fail_node("b", "ValueError");

  EXPECT_EQ(metrics_.find_node("p", "a")->executions(), 2U);
  for (const auto* work : {metrics_.find_node("p", "a"), &metrics_.tools().at({"plug", "tool"}),
                           &metrics_.pipelines().at({"p", ""}), &metrics_.total()}) {
    EXPECT_EQ(work->retries, 1U);
  }
  EXPECT_THAT(metrics_.total().errors, ElementsAre(Pair("Timeout", 2U), Pair("ValueError", 1U)));
}

// ODIBI CORE's own formula sums running totals: three failures of one node gave 600 %.
TEST_F(RunMetricsTest, DeriveRatesFromCountsBetweenNothingAndOne) {
  EXPECT_EQ(metrics_.summary({}).error_rate, 0);
  EXPECT_EQ(metrics_.summary({}).cache_hit_rate, 0);
  for (int i = 0; i < 3; ++i) feed_.fail_node("a", "E");
  EXPECT_EQ(metrics_.summary({}).error_rate, 1);
  feed_.complete_node("a", 10, R"("rows":10)");  // 1000 rows a second
  feed_.complete_node("b", 10, R"("rows":30)");  // 3000
  feed_.complete_node("b", 0, R"("rows":30)");   // took no time that could be measured
  feed_.complete_node("b", 10, R"("rows":0)");
  feed_.event("cache_hit", R"("node_id":"a")");
  feed_.event("cache_miss", R"("node_id":"b","reason":"new")");

  const auto summary = metrics_.summary(EventFeed::kBegin + std::chrono::milliseconds(2500));
  EXPECT_DOUBLE_EQ(summary.error_rate, 3.0 / 7);
  EXPECT_EQ(summary.cache_hit_rate, 0.5);
  EXPECT_EQ(summary.avg_throughput, 2000);
  EXPECT_EQ(summary.uptime_seconds, 2.5);
  // Seven ends, four durations, three numbers of rows, two answers.
  EXPECT_EQ(summary.total_metrics, 16U);
}

TEST_F(RunMetricsTest, CountAnAnswerOfACacheOnceHoweverItIsTold) {
  feed_.event("cache_hit", R"("node_id":"a")");
  feed_.complete_node("a", 1, R"("cache_hit":true)");
  feed_.complete_node("b", 1, R"("outcome":"cached")");
  feed_.event("cache_miss", R"("node_id":"c","reason":"new")");
  feed_.complete_node("c", 1, R"("cache_hit":false)");
  feed_.complete_node("c", 1, R"("cache_hit":false)");
  feed_.complete_node("d", 1);  // no cache was asked
  EXPECT_EQ(metrics_.total().cache_hits, 2U);
  EXPECT_EQ(metrics_.total().cache_misses, 2U);
}

TEST_F(RunMetricsTest, ForgetWhatWasOpenWhenTheRunEnds) {
  feed_.event("cache_hit", R"("node_id":"a")");
  feed_.end_run("failed", 1);
  feed_.complete_node("a", 1, R"("cache_hit":true)");
  EXPECT_EQ(metrics_.total().cache_hits, 2U);
}

TEST_F(RunMetricsTest, LeaveOutWhatWouldMakeCountersGoBack) {
  feed_.complete_node("a", -5, R"("rows":-3,"memory_bytes":-1)");
  EXPECT_EQ(metrics_.total().completed, 1U);
  EXPECT_EQ(metrics_.total().duration_ms.count, 0U);
  EXPECT_EQ(metrics_.total().rows, 0U);
  EXPECT_EQ(metrics_.total().memory_bytes.count, 0U);
}

TEST_F(RunMetricsTest, CountUnderOtherWhenThereAreTooManySeries) {
  metrics_ = RunMetrics(2);
  for (const char* node : {"a", "b", "c", "d", "c"}) feed_.complete_node(node, 1);
  EXPECT_EQ(metrics_.nodes().size(), 3U);
  EXPECT_EQ(metrics_.nodes().at({"(other)", "(other)"}).completed, 3U);
  EXPECT_EQ(metrics_.overflow(), 3U);
  EXPECT_EQ(metrics_.total().completed, 5U);
}

TEST_F(RunMetricsTest, CountUnderOtherWhenThereAreTooManyErrorTypes) {
  for (int i = 0; i < 100; ++i) feed_.fail_node("a", "E" + std::to_string(i));
  const auto& errors = metrics_.total().errors;
  EXPECT_EQ(errors.size(), kMaxErrorTypes + 1);
  EXPECT_EQ(errors.at("(other)"), 100 - kMaxErrorTypes);
}

TEST_F(RunMetricsTest, KeepTheBeginningOfLongNames) {
  feed_.complete_node(std::string(10'000, 'x'), 1);
  EXPECT_EQ(metrics_.nodes().begin()->first.second.size(), kMaxNameBytes);
}

}  // namespace
}  // namespace weir::project
