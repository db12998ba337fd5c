#include "report/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/report_json.h"
#include "report/report_testing.h"

namespace weir::report {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Field;
using testing_support::RecordedRun;
using testing_support::StoreFixture;
using testing_support::Type;

constexpr std::string_view kHash1 =
    "1111111111111111111111111111111111111111111111111111111111111111";
constexpr std::string_view kHash2 =
    "2222222222222222222222222222222222222222222222222222222222222222";

/// Five runs on the 5th of January 2026, from 3:00 on, each an hour after the one before it:
///
///   load     completed   read 100 ms (1000 rows, cached: no), write 300 ms      400 ms
///   load     completed   read 200 ms (1000 rows, cached: yes), write 400 ms     600 ms
///   load     failed      read 500 ms fails: Timeout                             500 ms
///   draft    completed   three runs of agents, two contents of an artifact     1000 ms
///   draft    begins, and is not heard of again
class ReportFigures : public StoreFixture {
 protected:
  void SetUp() override {
    const auto recorder = record();
    first_ = load(*recorder, 100ms, false);
    clock_.time += 1h - 400ms;
    load(*recorder, 200ms, true);
    clock_.time += 1h - 600ms;
    failed_ = fail(*recorder);
    clock_.time += 1h - 500ms;
    draft(*recorder);
    clock_.time += 1h - 1000ms;
    const RecordedRun lost(*recorder, clock_, "draft", "acme");
    clock_.time += 1h;
  }

  std::string load(record::Recorder& recorder, std::chrono::milliseconds reads, bool is_cached) {
    RecordedRun run(recorder, clock_, "load");
    run.node("read", reads, {{Field::kRows, std::int64_t{1000}}, {Field::kCacheHit, is_cached}});
    run.node("write", reads + 200ms, {{Field::kMemoryBytes, std::int64_t{5'000'000}}});
    run.complete();
    return run.id();
  }
  std::string fail(record::Recorder& recorder) {
    RecordedRun run(recorder, clock_, "load");
    run.failed_node("read", 500ms, "Timeout", "it was late");
    run.fail("read", "Timeout", "it was late");
    return run.id();
  }
  void draft(record::Recorder& recorder) {
    RecordedRun run(recorder, clock_, "draft", "acme");
    const std::string_view path = "intro.tex";
    for (const auto hash : {kHash1, kHash1, kHash2}) {
      run.emit(Type::kArtifactWritten, {{Field::kArtifactPath, path},
                                        {Field::kArtifactSha256, hash},
                                        {Field::kWrittenBytes, std::int64_t{10}}});
    }
    clock_.time += 1000ms;
    agent(run, "drafter", "success", 2000,
          R"({"quality":{"citationCount":3,"wordCount":100,)"
          R"("completeness":0.5,"uncertainAreas":["a","b"]}})");
    agent(run, "drafter", "failure", 4000, R"({"quality":{"citationCount":1,"completeness":1}})");
    agent(run, "refiner", "partial", 1000, "{}");
    run.complete();
  }
  static void agent(RecordedRun& run, std::string_view name, std::string_view outcome, double took,
                    std::string_view attributes) {
    const std::string_view model = "m1";
    run.emit(Type::kAgentRun, {{Field::kAgentId, name},
                               {Field::kOutcome, outcome},
                               {Field::kDurationMs, took},
                               {Field::kModelId, model},
                               {Field::kInputTokens, std::int64_t{100}},
                               {Field::kOutputTokens, std::int64_t{50}},
                               {Field::kCostUsd, 0.25},
                               {Field::kAttributes, event::ObjectText{attributes}}});
  }
  void review(std::string_view hash, std::string_view outcome, std::string_view comment) {
    const auto recorder = record();
    const std::string_view actor = "ada";
    const std::vector<event::FieldValue> fields = {{Field::kOutcome, outcome},
                                                   {Field::kMessage, comment},
                                                   {Field::kArtifactSha256, hash},
                                                   {Field::kActorId, actor}};
    ASSERT_TRUE(recorder->process_runs().emit(
        record::Retention::kAudit, "acme", Type::kArtifactReviewed, event::Level::kInfo, fields));
  }

  std::string first_, failed_;
};

TEST_F(ReportFigures, CountRunsByWhatBecameOfThem) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  const auto& runs = report->runs;
  EXPECT_EQ(runs.total, 5U);
  EXPECT_EQ(runs.completed, 3U);
  EXPECT_EQ(runs.failed, 1U);
  EXPECT_EQ(runs.interrupted, 1U);
  EXPECT_EQ(runs.ended(), 4U);
  EXPECT_EQ(runs.success_rate(), 0.75);
  // 400, 500, 600 and 1000 ms.
  EXPECT_EQ(runs.duration_ms.count, 4U);
  EXPECT_EQ(runs.duration_ms.average, 625);
  EXPECT_EQ(runs.duration_ms.min, 400);
  EXPECT_EQ(runs.duration_ms.median, 550);
  EXPECT_NEAR(runs.duration_ms.p95, 940, 1e-9);
  EXPECT_EQ(runs.duration_ms.max, 1000);
  EXPECT_EQ(report->workflows, 2U);
  ASSERT_EQ(report->pipelines.size(), 2U);
  EXPECT_EQ(report->pipelines[0].pipeline_id, "load");
  EXPECT_EQ(report->pipelines[0].runs.total, 3U);
  EXPECT_EQ(report->pipelines[0].runs.duration_ms.average, 500);
  EXPECT_EQ(report->pipelines[1].runs.interrupted, 1U);
  EXPECT_THAT(bad_->all(), IsEmpty());
}

TEST_F(ReportFigures, MeasureNodes) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  const auto& all = report->nodes;
  EXPECT_EQ(all.executions(), 5U);
  EXPECT_EQ(all.failed, 1U);
  EXPECT_EQ(all.cache_hits, 1U);
  EXPECT_EQ(all.cache_misses, 1U);
  EXPECT_EQ(all.rows, 2000U);
  EXPECT_EQ(all.rows_per_second, 7500);  // 1000 in 0.1 s, and in 0.2 s
  EXPECT_EQ(all.memory_bytes, 5'000'000U);
  ASSERT_EQ(report->slowest_nodes.size(), 2U);
  const auto& read = report->slowest_nodes[0];
  EXPECT_EQ(read.node_id, "read");
  EXPECT_EQ(read.duration_ms.median, 200);  // 100, 200, 500 ms
  EXPECT_EQ(read.duration_ms.max, 500);
  EXPECT_EQ(read.cache_hits, 1U);
  EXPECT_EQ(report->slowest_nodes[1].node_id, "write");
  EXPECT_EQ(report->slowest_nodes[1].duration_ms.average, 350);
  ASSERT_EQ(report->errors_of_nodes.size(), 1U);
  EXPECT_EQ(report->errors_of_nodes[0].node_id, "read");
  EXPECT_EQ(report->errors_of_nodes[0].type, "Timeout");
  EXPECT_EQ(report->errors_of_nodes[0].count, 1U);
}

TEST_F(ReportFigures, CountAnErrorOnce) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  // The node's failure, which the run repeats, and the agent's.
  EXPECT_EQ(report->errors, 2U);
  ASSERT_EQ(report->errors_by_type.size(), 2U);
  EXPECT_EQ(report->errors_by_type[0].type, "Timeout");
  EXPECT_EQ(report->errors_by_type[1].type, "failure");
}

TEST_F(ReportFigures, PutRunsWhereTheyBegan) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->bucket, 30min);
  std::vector<std::string> seen;
  for (const auto& bucket : report->buckets) {
    if (bucket.completed + bucket.failed + bucket.open == 0) continue;
    seen.push_back(to_string(bucket.from).substr(11, 5) + " " + std::to_string(bucket.completed) +
                   std::to_string(bucket.failed) + std::to_string(bucket.open) + " " +
                   std::to_string(bucket.most_runs) + std::to_string(bucket.most_nodes));
  }
  // The one that was interrupted has no end, and is not counted as being at work.
  EXPECT_THAT(seen, ElementsAre("03:00 100 11", "04:00 100 11", "05:00 010 11", "06:00 100 10",
                                "07:00 001 00"));
}

TEST_F(ReportFigures, TellHowDurationsAreDistributed) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  std::uint64_t runs = 0;
  for (const auto& bin : report->distribution) {
    runs += bin.runs;
    const bool has_one =
        bin.from_ms == 400 || bin.from_ms == 500 || bin.from_ms == 600 || bin.from_ms == 1000;
    EXPECT_EQ(bin.runs, has_one ? 1U : 0U) << bin.from_ms;
  }
  EXPECT_EQ(runs, 4U);
}

TEST_F(ReportFigures, AreOfTheWindowAndThePipelineThatAreAskedFor) {
  const auto begin = Timestamp(1'767'582'000s);
  const auto some = summary(source(), {.since = begin + 30min, .until = begin + 2h});
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_EQ(some->runs.total, 1U);  // the one of 4:00; that of 5:00 is the end, which is excluded
  const auto drafts = summary(source(), {.pipeline_id = "draft"});
  EXPECT_EQ(drafts->runs.total, 2U);
  EXPECT_EQ(drafts->errors, 1U);
  const auto acme = summary(source(), {.tenant_id = "acme"});
  EXPECT_EQ(acme->runs.total, 2U);
  EXPECT_EQ(acme->artifacts.created, 2U);
  const auto nobody = summary(source(), {.tenant_id = "nobody"});
  EXPECT_EQ(nobody->runs.total, 0U);
  EXPECT_EQ(summary(source(), {.since = begin, .until = begin}).error().code,
            ErrorCode::kInvalidInput);
}

TEST_F(ReportFigures, LeaveOutARunThatBeganBeforeAndEndedInTheWindow) {
  const auto begin = Timestamp(1'767'582'000s);
  const auto report = summary(source(), {.since = begin + 200ms, .until = begin + 30min});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->runs.total, 0U);
  EXPECT_EQ(report->nodes.executions(), 0U);
}

TEST_F(ReportFigures, KnowAgents) {
  const auto report = agents(source(), {}, {});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->agents.size(), 2U);
  const auto& drafter = report->agents[0];
  EXPECT_EQ(drafter.agent_id, "drafter");
  EXPECT_EQ(drafter.runs, 2U);
  EXPECT_EQ(drafter.success, 1U);
  EXPECT_EQ(drafter.failure, 1U);
  EXPECT_EQ(drafter.success_rate(), 0.5);
  EXPECT_EQ(drafter.duration_ms.average, 3000);
  EXPECT_EQ(drafter.input_tokens, 200U);
  EXPECT_EQ(drafter.output_tokens, 100U);
  EXPECT_EQ(drafter.cost_usd, 0.5);
  EXPECT_EQ(drafter.citations, 2);
  EXPECT_EQ(drafter.words, 100);
  EXPECT_EQ(drafter.completeness, 0.75);
  EXPECT_EQ(drafter.uncertain_areas, 2U);
  EXPECT_THAT(drafter.models, ElementsAre("m1"));
  EXPECT_EQ(report->agents[1].partial, 1U);
  EXPECT_EQ(report->agents[1].citations, std::nullopt);
  const auto one = agents(source(), "refiner", {});
  EXPECT_EQ(one->agents.size(), 1U);
  EXPECT_EQ(agents(source(), "nobody", {}).error().code, ErrorCode::kNotFound);
}

// The names are the agent system's.
TEST_F(ReportFigures, GiveTheDaysSummaryWithEveryField) {
  review(kHash1, "approved", "good");
  const auto report = daily_summary(source(), day_of(clock_.time));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(
      json::to_text(to_json(*report)),
      R"({"dailySummary":{"date":"2026-01-05",)"
      R"("overview":{"totalRuns":5,"successRate":0.75,"averageDuration":0.625,"activeWorkflows":2},)"
      R"("byAgent":[{"agent":"drafter","runs":2,"successRate":0.5,"avgDuration":3.0},)"
      R"({"agent":"refiner","runs":1,"successRate":0.0,"avgDuration":1.0}],)"
      R"("errors":{"total":2,"byType":[{"type":"Timeout","count":1},{"type":"failure","count":1}]},)"
      R"("artifacts":{"created":2,"pendingReview":1,"approved":1,"rejected":0}}})");
}

TEST_F(ReportFigures, ShowErrorsWithWhatHappenedAroundThem) {
  const auto report = recent_errors(source(), 10, {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->total, 2U);
  ASSERT_EQ(report->errors.size(), 2U);
  EXPECT_EQ(report->errors[0].error.agent_id, "drafter");
  const auto& [error, before, after] = report->errors[1];
  EXPECT_EQ(error.run_id, failed_);
  EXPECT_EQ(error.error_type, "Timeout");
  EXPECT_EQ(error.text, "it was late");
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].event_type, "pipeline_started");
  EXPECT_EQ(before[1].event_type, "pipeline_node_started");
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].event_type, "pipeline_failed");
  EXPECT_EQ(recent_errors(source(), 1, {})->errors.size(), 1U);
}

TEST_F(ReportFigures, TraceARunInOrder) {
  const auto trace = workflow_trace(source(), first_, 0);
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->runs.size(), 1U);
  EXPECT_EQ(trace->runs[0].state, "completed");
  EXPECT_EQ(trace->runs[0].duration_ms, 400);
  std::vector<std::string> types;
  types.reserve(trace->events.size());
  for (const auto& entry : trace->events) types.push_back(entry.event_type + entry.node_id);
  EXPECT_THAT(types, ElementsAre("pipeline_started", "pipeline_node_startedread",
                                 "pipeline_node_completedread", "pipeline_node_startedwrite",
                                 "pipeline_node_completedwrite", "pipeline_completed"));
  const auto some = workflow_trace(source(), first_, 2);
  EXPECT_EQ(some->events.size(), 2U);
  EXPECT_EQ(some->total_events, 6U);
  EXPECT_EQ(workflow_trace(source(), "nothing", 0).error().code, ErrorCode::kNotFound);
}

TEST_F(ReportFigures, TraceAllRunsOfAWorkflowAndTheirChildren) {
  std::string child_id;
  {
    const auto recorder = record();
    const std::string_view workflow = "wf-123";
    RecordedRun first(*recorder, clock_, "outline");
    first.emit(Type::kNotification,
               {{Field::kWorkflowId, workflow}, {Field::kMessage, std::string_view("one")}});
    const RecordedRun child(*recorder, clock_, "part");
    child_id = child.id();
    first.emit(Type::kChildSpawned, {{Field::kTargetRunId, std::string_view(child_id)}});
    clock_.time += 1s;
    RecordedRun second(*recorder, clock_, "draft");
    second.emit(Type::kNotification,
                {{Field::kWorkflowId, workflow}, {Field::kMessage, std::string_view("two")}});
  }
  const auto trace = workflow_trace(source(), "wf-123", 0);
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->runs.size(), 3U);
  EXPECT_EQ(trace->runs[2].pipeline_id, "draft");
  EXPECT_EQ(trace->total_events, 6U);
  EXPECT_EQ(trace->events.back().text, "two");
}

TEST_F(ReportFigures, KnowVersionsOfArtifactsAndWhatPeopleThinkOfThem) {
  review(kHash2, "rejected", "too short");
  clock_.time += 1min;
  review(kHash2, "approved", "better");
  const auto history = artifact_history(source(), {.path = "intro.tex"});
  ASSERT_TRUE(history) << history.error().message;
  ASSERT_EQ(history->size(), 2U);  // the same content again is no new version
  const auto& newest = history->at(0);
  EXPECT_EQ(newest.version, 2);
  EXPECT_TRUE(newest.is_newest);
  EXPECT_EQ(newest.sha256, kHash2);
  EXPECT_EQ(newest.review, "approved");
  EXPECT_EQ(newest.reviewed_by, "ada");
  EXPECT_EQ(newest.reviewed_at, clock_.time);
  EXPECT_EQ(newest.tenant_id, "acme");
  EXPECT_EQ(newest.bytes, 10);
  EXPECT_THAT(newest.comments, ElementsAre("too short", "better"));
  EXPECT_EQ(history->at(1).version, 1);
  EXPECT_EQ(history->at(1).review, "pending");
  EXPECT_EQ(artifact_history(source(), {.sha256 = "1111"})->size(), 1U);
  EXPECT_EQ(artifact_history(source(), {.path = "other.tex"}).error().code, ErrorCode::kNotFound);
}

// Numbers that nobody can have measured come from other systems; the report is made all the same.
TEST_F(ReportFigures, SurviveAbsurdDurations) {
  {
    const auto recorder = record();
    RecordedRun run(*recorder, clock_, "absurd");
    const std::string_view node = "n", error = "E", plugin = "p", tool = "t";
    run.emit(Type::kNodeFailed, {{Field::kNodeId, node},
                                 {Field::kPluginId, plugin},
                                 {Field::kToolId, tool},
                                 {Field::kStepIndex, std::int64_t{0}},
                                 {Field::kDurationMs, 1e300},
                                 {Field::kRows, std::int64_t{9'223'372'036'854'775'807}},
                                 {Field::kErrorType, error},
                                 {Field::kErrorMessage, error}});
    run.emit(Type::kPipelineFailed, {{Field::kDurationMs, -5.0},
                                     {Field::kErrorType, error},
                                     {Field::kErrorMessage, error},
                                     {Field::kFailedNodeId, node}});
    clock_.time += 1s;
  }
  const auto report = summary(source(), {.pipeline_id = "absurd"});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->runs.failed, 1U);
  EXPECT_EQ(report->runs.duration_ms.count, 0U);
  EXPECT_EQ(report->nodes.failed, 1U);
  EXPECT_EQ(report->nodes.duration_ms.count, 0U);
  EXPECT_THAT(bad_->all(), IsEmpty());
}

TEST(BinEdges, AreRoundAndHoldEveryDuration) {
  EXPECT_THAT(bin_edges(400, 1000), AllOf(testing::Contains(400.0), testing::Contains(1050.0)));
  EXPECT_THAT(bin_edges(3, 700), ElementsAre(2, 5, 10, 20, 50, 100, 200, 500, 1000));
  for (const auto& [least, most] :
       {std::pair{0.0, 0.0}, {5.0, 5.0}, {0.0, 1e12}, {1.0, 10.0}, {99.99, 100.01}, {1e12, 1e12}}) {
    const auto edges = bin_edges(least, most);
    ASSERT_GE(edges.size(), 2U) << most;
    EXPECT_LE(edges.size(), 64U) << most;
    EXPECT_TRUE(std::ranges::is_sorted(edges)) << most;
    EXPECT_GT(edges.back(), most);
    EXPECT_LE(edges.front(), std::max(least, 0.001)) << most;
  }
}

}  // namespace
}  // namespace weir::report
