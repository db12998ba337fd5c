#include "store/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::store {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp kNow = *parse_rfc3339("2026-11-29T12:00:00Z");

StoredRun run_of(std::chrono::microseconds age, RetentionClass kind = RetentionClass::kOperations) {
  return {.run = RunId::make(kNow - age),
          .pipeline = "p",
          .kind = kind,
          .last_event = kNow - age,
          .is_finished = true,
          .events = 1,
          .bytes = 100};
}

TEST(Retention, DeletesRunsWhoseLastEventIsOverTheAgeOfTheirClass) {
  const std::vector<StoredRun> runs = {run_of(days(30)),
                                       run_of(days(30) - std::chrono::microseconds(1)),
                                       run_of(days(89), RetentionClass::kAudit),
                                       run_of(days(90), RetentionClass::kAudit),
                                       run_of(days(89), RetentionClass::kMetrics),
                                       run_of(days(90), RetentionClass::kMetrics)};
  EXPECT_THAT(runs_to_delete(runs, {}, kNow), ElementsAre(0, 3, 5));
}

TEST(Retention, NeverDeletesWhatIsSpared) {
  std::vector<StoredRun> runs;
  for (const auto spared :
       {Spared::kHeld, Spared::kOwned, Spared::kInSegment, Spared::kDamaged, Spared::kNo}) {
    runs.push_back(run_of(days(1000)));
    runs.back().spared = spared;
  }
  EXPECT_THAT(runs_to_delete(runs, {}, kNow), ElementsAre(4));
  EXPECT_THAT(runs_to_delete(runs, {.operations = days(5000), .max_bytes = 0}, kNow),
              ElementsAre(4));
}

TEST(Retention, LetsAPipelineAndThenATenantSayOtherwise) {
  std::vector<StoredRun> runs = {run_of(days(2)), run_of(days(2)), run_of(days(2)),
                                 run_of(days(50))};
  runs[1].pipeline = "short";
  runs[2].tenant = "acme";
  runs[3].tenant = "acme";
  runs[3].pipeline = "long";
  RetentionRules rules;
  rules.pipelines["short"].operations = days(1);
  rules.pipelines["long"].operations = days(100);
  rules.tenants["acme"].operations = days(2);
  EXPECT_THAT(runs_to_delete(runs, rules, kNow), ElementsAre(1, 2));
}

TEST(Retention, DeletesTheOldestUntilTheRestFits) {
  const std::vector<StoredRun> runs = {run_of(days(3)), run_of(days(5)), run_of(days(4)),
                                       run_of(days(6), RetentionClass::kAudit)};
  EXPECT_THAT(runs_to_delete(runs, {.max_bytes = 400}, kNow), IsEmpty());
  EXPECT_THAT(runs_to_delete(runs, {.max_bytes = 399}, kNow), ElementsAre(1));
  EXPECT_THAT(runs_to_delete(runs, {.max_bytes = 200}, kNow), ElementsAre(1, 2));
  EXPECT_THAT(runs_to_delete(runs, {.max_bytes = 0}, kNow), ElementsAre(0, 1, 2))
      << "audits stay until they are old";
}

TEST(Retention, CountsASizeOnlyOverWhatItIsOf) {
  std::vector<StoredRun> runs = {run_of(days(9)), run_of(days(8)), run_of(days(7)),
                                 run_of(days(6))};
  runs[1].tenant = "acme";
  runs[2].tenant = "acme";
  runs[3].pipeline = "q";
  RetentionRules rules;
  rules.tenants["acme"].max_bytes = 100;
  EXPECT_THAT(runs_to_delete(runs, rules, kNow), ElementsAre(1));
  rules.pipelines["q"].max_bytes = 99;
  EXPECT_THAT(runs_to_delete(runs, rules, kNow), ElementsAre(1, 3));
}

TEST(Retention, LeavesARunWithoutAnEndThatMayBeWrittenStill) {
  std::vector<StoredRun> runs = {run_of(hours(23)), run_of(hours(25)), run_of(hours(23))};
  runs[0].is_finished = false;
  runs[1].is_finished = false;
  EXPECT_THAT(runs_to_delete(runs, {.max_bytes = 0}, kNow), ElementsAre(1, 2));
}

}  // namespace
}  // namespace weir::store
