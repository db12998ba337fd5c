#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "embed/recorded_store.h"
#include "weir/hooks.h"
#include "weir/report.h"
#include "weir/structured_logger.h"

namespace weir {
namespace {

using embed::testing_support::Recording;
using testing::HasSubstr;

/// A run of which a cache was asked twice.
void record_run(Recording& it) {
  StructuredLogger logger(it.run);
  logger.log_pipeline_start("p", {{"a"}, {"a"}, 1});
  logger.log_node_start("a");
  logger.log_cache_hit("a", "0123456789abcdef");
  StructuredLogger::NodeComplete complete;
  complete.duration_ms = 12.5;
  complete.cache_hit = true;
  logger.log_node_complete("a", complete);
  logger.log_pipeline_complete("p", {20, 1, 0});
  ASSERT_TRUE(it.run.end());
}

TEST(EmbeddedMetricsHooks, ExportMetricsAndPrintWhatACacheHasDone) {
  const embed::testing_support::RecordedStore folder;
  std::string printed;
  EventBus bus;
  ASSERT_TRUE(bus.add(cache_statistics_hook([&](std::string_view text) {
    printed += text;
    return Status();
  })));
  auto exported = metrics_export_hook({folder.folder, {MetricsFormat::kPrometheus}});
  ASSERT_TRUE(exported) << exported.status().message();
  ASSERT_TRUE(bus.add(*std::move(exported)));
  EXPECT_EQ(metrics_export_hook({}).status().code(), StatusCode::kInvalidInput);
  {
    Recording it;
    ASSERT_TRUE(it.recorder.add_sink(bus.sink()));
    record_run(it);
  }
  EXPECT_THAT(printed, HasSubstr("Cache Statistics:"));
  EXPECT_THAT(printed, HasSubstr("Hits: 1"));
  std::stringstream metrics;
  for (const auto& entry : std::filesystem::directory_iterator(folder.folder)) {
    EXPECT_EQ(entry.path().extension(), ".prom");
    metrics << std::ifstream(entry.path()).rdbuf();
  }
  EXPECT_THAT(metrics.str(), HasSubstr("weir_node_executions_total"));
}

TEST(EmbeddedReports, AnswerQuestionsToTheLog) {
  Recording it;
  record_run(it);
  const auto reports = Reports::open(it.store.folder);
  ASSERT_TRUE(reports);
  LogQuery query;
  query.event_type = "node_complete";
  const auto entries = reports->query_logs(query);
  ASSERT_TRUE(entries) << entries.status().message();
  ASSERT_EQ(entries->entries.size(), 1U);
  EXPECT_THAT(entries->entries[0].line, HasSubstr("pipeline_node_completed"));
  const auto summary = reports->log_summary(it.run.id());
  ASSERT_TRUE(summary) << summary.status().message();
  EXPECT_EQ(summary->total, 5U);
  EXPECT_EQ(summary->log_file, it.store.folder / "log");
  EXPECT_EQ(reports->log_summary("mine").status().code(), StatusCode::kInvalidInput);
}

TEST(EmbeddedReports, GiveTheMetricsOfRecordedRuns) {
  Recording it;
  record_run(it);
  const auto reports = Reports::open(it.store.folder);
  ASSERT_TRUE(reports);
  const auto metrics = reports->metrics();
  ASSERT_TRUE(metrics) << metrics.status().message();
  const auto all = metrics->all_node_stats();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].executions, 1U);
  EXPECT_EQ(metrics->summary().cache_hits, 1U);
  EXPECT_THAT(MetricsExporter(*metrics).export_prometheus(),
              HasSubstr("weir_node_executions_total"));

  ReportScope scope;
  scope.pipeline_id = "another";
  EXPECT_EQ(reports->metrics(scope)->summary().executions, 0U);
  scope.since =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  scope.until = *scope.since - std::chrono::hours(1);
  EXPECT_EQ(reports->metrics(scope).status().code(), StatusCode::kInvalidInput);
}

}  // namespace
}  // namespace weir
