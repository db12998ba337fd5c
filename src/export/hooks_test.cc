#include "export/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/id.h"
#include "project/event_feed_testing.h"

namespace weir::exporting {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using EventFeed = project::testing_support::EventFeed;

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  Timestamp time = EventFeed::kBegin + std::chrono::seconds(1);
};

/// A bus with the hooks of a test, and what they printed and what went wrong.
class BusTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void add(Result<record::Hook> hook) {
    ASSERT_TRUE(hook) << hook.error().message;
    ASSERT_TRUE(bus_.add(*std::move(hook)));
  }
  record::Print print() {
    return [this](std::string_view text) -> Result<void> {
      printed_.append(text);
      return {};
    };
  }
  std::vector<std::string> files() const {
    return list_directory(folder_).value_or(std::vector<std::string>());
  }

  std::filesystem::path folder_ = testing::TempDir() + "export-" + std::to_string(random_bits());
  FakeClock clock_;
  std::string printed_;
  std::vector<std::string> problems_;
  record::EventBus bus_{{.on_problem = [this](const record::HookProblem& problem) {
    problems_.push_back(problem.message);
  }}};
  EventFeed feed_{
      [this](const event::EventView& event, std::string_view line) { bus_.publish(event, line); }};
};

// ODIBI CORE's test of this name.
using TestEventBus = BusTest;
TEST_F(TestEventBus, TestMetricsExportHook) {
  add(metrics_export_hook({.folder = folder_, .clock = &clock_}));
  feed_.complete_node("a", 100, R"("rows":10)");
  EXPECT_THAT(files(), IsEmpty());
  feed_.end_run("completed", 150);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(files(), ElementsAre("metrics_20260105_030001_000001.json",
                                   "metrics_20260105_030001_000001.prom"));
  const auto text = read_file(folder_ / files()[1], 1 << 20);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("weir_node_rows_total{pipeline=\"p\",node=\"a\"} 10\n"));
  EXPECT_THAT(*text, HasSubstr("weir_pipeline_duration_seconds_sum{pipeline=\"p\"} 0.15\n"));
}

using MetricsExportHook = BusTest;

TEST_F(MetricsExportHook, CountsAllRunsAndKeepsTheNewestFiles) {
  add(metrics_export_hook(
      {.folder = folder_, .formats = {MetricsFormat::kPrometheus}, .keep = 2, .clock = &clock_}));
  for (const char* how : {"completed", "failed", "cancelled"}) {
    feed_.end_run(how, 1);
    clock_.time += std::chrono::seconds(1);
  }
  EXPECT_THAT(files(), ElementsAre("metrics_20260105_030002_000001.prom",
                                   "metrics_20260105_030003_000001.prom"));
  const auto text = read_file(folder_ / files()[1], 1 << 20);
  ASSERT_TRUE(text);
  for (const char* state : {"completed", "failed", "cancelled"}) {
    EXPECT_THAT(*text, HasSubstr("weir_pipeline_executions_total{pipeline=\"p\",state=\"" +
                                 std::string(state) + "\"} 1\n"));
  }
}

TEST_F(MetricsExportHook, ReportsThatItCannotWriteAndGoesOnCounting) {
  ASSERT_TRUE(write_file_durably(folder_, "in the way"));
  add(metrics_export_hook({.folder = folder_, .clock = &clock_}));
  feed_.end_run("completed", 1);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr(folder_.string())));
  std::filesystem::remove(folder_);
  feed_.end_run("completed", 1);
  EXPECT_THAT(*read_file(folder_ / files().at(1), 1 << 20),
              HasSubstr("{pipeline=\"p\",state=\"completed\"} 2\n"));
}

TEST_F(MetricsExportHook, NeedsAFolderAndAFormat) {
  EXPECT_EQ(metrics_export_hook({}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(metrics_export_hook({.folder = folder_, .formats = {}}).error().code,
            ErrorCode::kInvalidInput);
}

using CacheStatisticsHook = BusTest;

std::string statistics(std::string_view lines) {
  const std::string rule = std::string(40, '-') + "\n";
  return "\nCache Statistics:\n" + rule + std::string(lines) + rule + "\n";
}

TEST_F(CacheStatisticsHook, PrintsTheAnswersOfEachRunAtItsEnd) {
  add(cache_statistics_hook(print()));
  feed_.event("cache_hit", R"("node_id":"a","read_bytes":1048576)");
  feed_.complete_node("a", 1, R"("outcome":"cached")");
  feed_.event("cache_hit", R"("node_id":"b","read_bytes":524288)");
  feed_.complete_node("c", 1, R"("outcome":"cached")");
  feed_.event("cache_miss", R"("node_id":"d","reason":"new")");
  feed_.run = 2;
  feed_.event("cache_miss", R"("node_id":"a","reason":"new")");
  EXPECT_EQ(printed_, "");
  feed_.end_run("failed", 1);
  EXPECT_EQ(printed_, statistics("Hits: 0\nMisses: 1\nHit Rate: 0.0%\n"));
  printed_.clear();
  feed_.run = 1;
  feed_.end_run("completed", 1);
  EXPECT_EQ(printed_, statistics("Hits: 3\nMisses: 1\nHit Rate: 75.0%\nSize: 1.50 MB\n"));
}

TEST_F(CacheStatisticsHook, PrintsNothingWhereNoCacheWasAsked) {
  add(cache_statistics_hook(print()));
  feed_.complete_node("a", 1);
  feed_.end_run("completed", 1);
  EXPECT_EQ(printed_, "");
}

}  // namespace
}  // namespace weir::exporting
