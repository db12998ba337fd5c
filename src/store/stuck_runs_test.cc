#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

// The recipe stuck-runs.
namespace weir::store {
namespace {

class StuckRunsTest : public CookbookTest {
 protected:
  /// Runs of a minute.
  void ran(const std::string& pipeline, const std::vector<std::string>& clocks) {
    for (const auto& clock : clocks) {
      begin(++run_, pipeline, clock);
      complete(run_, pipeline, clock, 60'000);
    }
  }
  /// A file of a pipeline was read that says what is expected of it.
  void expect(const std::string& clock, const std::string& pipeline, const std::string& members) {
    event(900, "weir", clock, 0, "pipeline_validated",
          R"(,"definition_sha256":")" + std::string(64, 'a') +
              R"(","attributes":{"pipeline_id":")" + pipeline + '"' +
              (members.empty() ? "" : R"(,"expect":{)" + members + "}") + "}",
          "external");
  }
  std::string problems_at(const std::string& clock, const std::string& columns) {
    return answer("stuck-runs", {{"now", "2026-01-01 " + clock}}, columns);
  }

  int run_ = 0;
};

TEST_F(StuckRunsTest, RunsAreJudgedByTheirPipelines) {
  ran("hourly", {"00:00", "01:00", "02:00", "03:00", "04:00", "05:00"});
  begin(50, "hourly", "05:30");
  event(50, "hourly", "05:31", 0, "log", R"(,"message":"m")");
  ran("quick", {"07:00", "07:10", "07:20", "07:30", "07:40"});
  begin(60, "quick", "07:50");
  event(60, "quick", "08:00", 30'000, "log", R"(,"message":"m")");
  begin(70, "unknown", "07:58");
  // 150 minutes of silence; 151 since the last start of an hourly pipeline; 11 minutes for one.
  EXPECT_EQ(problems_at("08:01:00", "* EXCLUDE (since, tenant_id)"),
            R"([["stuck","hourly",")" + id(50) + R"(",9060000,9000000,60000.0,null],)" +
                R"(["not started","hourly",null,9060000,null,7200000.0,"2026-01-01 07:30:00"],)" +
                R"(["late","quick",")" + id(60) + R"(",660000,30000,60000.0,null]])");
  EXPECT_EQ(problems_at("08:31:00", "problem, pipeline_id"),
            R"([["stuck","hourly"],["stuck","quick"],["stuck","unknown"],["not started","hourly"],)"
            R"(["not started","quick"]])");
}

TEST_F(StuckRunsTest, AFewSecondsAreNeverTooMany) {
  for (int i = 1; i <= 6; ++i) {
    event(i, "fast", "08:00", 1000 * i, "pipeline_started",
          R"(,"entry_nodes":[],"output_nodes":[],"node_count":1)");
    if (i < 6) complete(i, "fast", "08:00", 1000 * i + 100);
  }
  EXPECT_EQ(problems_at("08:00:30", "problem"), "[]");
  // A run of a second is late after a minute; a pipeline that began each second, after half an
  // hour.
  EXPECT_EQ(problems_at("08:01:07", "problem"), R"([["late"]])");
  EXPECT_EQ(problems_at("08:30:07", "problem"), R"([["stuck"],["not started"]])");
}

TEST_F(StuckRunsTest, APipelineIsDueWhenItsFileSaysSo) {
  expect("01:00", "every", R"("every_ms":3600000,"grace_ms":600000)");
  expect("01:00", "nightly", R"("cron":"0 6 * * *","grace_ms":0)");
  expect("01:00", "weekly", R"("cron":"0 2 * * sun","grace_ms":0)");  // that day is a Thursday
  // None has ever begun: what is due each hour is, an hour after that was said.
  EXPECT_EQ(problems_at("02:10:00", "problem"), "[]");
  const std::string columns = "problem, pipeline_id, since, for_ms, due_at";
  EXPECT_EQ(problems_at("02:11:00", columns),
            R"([["not started","every","2026-01-01 01:00:00",4260000,"2026-01-01 02:00:00"]])");
  ran("every", {"02:12"});
  EXPECT_EQ(problems_at("03:22:00", columns), "[]");
  EXPECT_EQ(problems_at("03:23:00", columns),
            R"([["not started","every","2026-01-01 02:12:00",4260000,"2026-01-01 03:12:00"]])");
  ran("every", {"06:00"});
  EXPECT_EQ(problems_at("06:00:00", columns), "[]");
  EXPECT_EQ(problems_at("06:00:01", columns),
            R"([["not started","nightly","2026-01-01 01:00:00",18001000,"2026-01-01 06:00:00"]])");
  ran("nightly", {"06:01"});
  EXPECT_EQ(problems_at("06:02:00", columns), "[]");
}

TEST_F(StuckRunsTest, WhatIsExpectedIsMoreThanHistory) {
  ran("p", {"00:00", "00:10", "00:20", "00:30", "00:40"});
  EXPECT_EQ(problems_at("05:00:00", "due_at"), R"([["2026-01-01 01:10:00"]])");
  expect("02:00", "p", R"("every_ms":36000000,"grace_ms":0)");
  EXPECT_EQ(problems_at("05:00:00", "due_at"), "[]");
  expect("03:00", "p", R"("every_ms":3600000,"grace_ms":0)");
  EXPECT_EQ(problems_at("05:00:00", "due_at"), R"([["2026-01-01 01:40:00"]])");
  expect("04:00", "p", "");  // nothing any more
  EXPECT_EQ(problems_at("05:00:00", "due_at"), R"([["2026-01-01 01:10:00"]])");
}

TEST_F(StuckRunsTest, ATenantsFileIsAboutItsOwnRuns) {
  expect("01:00", "p", R"("every_ms":3600000,"grace_ms":0)");
  tenant_ = "acme";
  ran("p", {"02:00"});
  tenant_.clear();
  EXPECT_EQ(problems_at("02:30:00", "since"), R"([["2026-01-01 01:00:00"]])");
}

TEST_F(StuckRunsTest, CronIsReadAsCronDoes) {
  // Until Wednesday, the 14th.
  const auto last = [this](const std::string& cron) {
    return query("SELECT weir_cron_last(string_split('" + cron +
                 "', ' '), TIMESTAMP '2023-01-01', TIMESTAMP '2026-01-14 05:02:30')");
  };
  EXPECT_EQ(last("* * * * *"), R"([["2026-01-14 05:02:00"]])");
  EXPECT_EQ(last("*/5 0-6,12 * jan mon"), R"([["2026-01-12 12:55:00"]])");
  EXPECT_EQ(last("7/20 4 * * *"), R"([["2026-01-14 04:47:00"]])");
  EXPECT_EQ(last("1-10/3 5 * * wed"), R"([["2026-01-14 05:01:00"]])");
  EXPECT_EQ(last("10 5 * * wed"), R"([["2026-01-07 05:10:00"]])");  // today's is to come
  EXPECT_EQ(last("0 6 * * 1-5"), R"([["2026-01-13 06:00:00"]])");
  EXPECT_EQ(last("0 12 * * 7"), last("0 12 * * 0"));
  EXPECT_EQ(last("0 12 * * sun"), R"([["2026-01-11 12:00:00"]])");
  EXPECT_EQ(last("30 9 1,15 * fri"), R"([["2026-01-09 09:30:00"]])");  // either
  EXPECT_EQ(last("15 3 31 * *"), R"([["2025-12-31 03:15:00"]])");
  EXPECT_EQ(last("0 0 29 2 *"), R"([["2024-02-29 00:00:00"]])");
  EXPECT_EQ(last("0 0 30 feb *"), R"([[null]])");
}

}  // namespace
}  // namespace weir::store
