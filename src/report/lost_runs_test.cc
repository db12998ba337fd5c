#include <gmock/gmock.h>

#include "report/figures.h"
#include "report/node_history.h"
#include "report/report_testing.h"
#include "store/query.h"

// What reports say of a run whose process was lost, and which was taken up again.
namespace weir::report {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing_support::Field;
using testing_support::FieldValue;
using testing_support::RecordedRun;
using testing_support::StoreFixture;
using testing_support::Type;

/// On the 5th of January 2026: a run begins at 3:00 and is lost a second later, while one of its
/// two items is being made anew that the cache does not know. It is taken up at 6:00:01 and ends
/// 100 ms later. Another run is made at 5:00.
class LostRuns : public StoreFixture {
 protected:
  void SetUp() override {
    const auto recorder = record();
    RecordedRun run(*recorder, clock_, "load");
    run.node("read[0]", 500ms);
    begin_item(run, {});
    clock_.time += 500ms;
    run.emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
    clock_.time += 2h - 1s;
    RecordedRun other(*recorder, clock_, "other");
    clock_.time += 1s;
    other.complete();
    clock_.time += 1h;
    const FieldValue second{Field::kEngineAttempt, std::int64_t{2}};
    run.emit(Type::kPipelineResumed, {second});
    begin_item(run, {second});
    clock_.time += 100ms;
    const std::vector<std::string> keys = {"k"};
    auto end = of_item({second});
    end.insert(end.end(), {{Field::kDurationMs, 100.0},
                           {Field::kOutputKeys, std::span(keys)},
                           {Field::kCacheHit, false}});
    run.emit(Type::kNodeCompleted, end);
    run.complete();
  }

  static std::vector<FieldValue> of_item(const std::vector<FieldValue>& more) {
    std::vector<FieldValue> fields = {{Field::kNodeId, std::string_view("read[1]")},
                                      {Field::kPluginId, std::string_view("p")},
                                      {Field::kToolId, std::string_view("t")},
                                      {Field::kStepIndex, std::int64_t{0}},
                                      {Field::kAttempt, std::int64_t{1}}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  }
  static void begin_item(RecordedRun& run, const std::vector<FieldValue>& more) {
    const std::vector<std::string> none;
    auto start = of_item(more);
    start.push_back({Field::kPredecessorNodeIds, std::span(none)});
    run.emit(Type::kNodeStarted, start);
    auto miss = of_item(more);
    miss.push_back({Field::kReason, std::string_view("input")});
    run.emit(Type::kCacheMiss, miss);
  }
};

TEST_F(LostRuns, AreNotAtWorkUntilTheyAreTakenUp) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  std::vector<std::string> seen;
  for (const auto& bucket : report->buckets) {
    seen.push_back(to_string(bucket.from).substr(11, 5) + " " + std::to_string(bucket.most_runs));
  }
  EXPECT_THAT(seen, testing::Contains("03:00 1"));
  EXPECT_THAT(seen, testing::Contains("05:00 1"));
  EXPECT_THAT(seen, testing::Not(testing::Contains("05:00 2")));
  EXPECT_THAT(seen, testing::Contains("06:00 1"));
}

TEST_F(LostRuns, AskTheCacheInEachExecution) {
  const auto report = summary(source(), {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->nodes.cache_misses, 2U);
  EXPECT_EQ(report->nodes.executions(), 2U);  // that ended
}

TEST_F(LostRuns, UsuallyTakeWhatTheyTakeWithoutThat) {
  const auto views = store::open_views(store_, bad_);
  ASSERT_TRUE(views) << views.error().message;
  auto connection = *views->database.connect();
  const auto history = NodeHistory::read(connection, "load", clock_.time + 1s);
  ASSERT_TRUE(history) << history.error().message;
  EXPECT_NEAR(history->usual("")->median, 1100, 0.01);
  EXPECT_NEAR(history->usual("read")->median, 1100, 0.01);
}

}  // namespace
}  // namespace weir::report
