#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "store/database.h"
#include "weir/metrics.h"

// The suites TestMetricsManagerPhase8 and TestMetricsExporter have ODIBI CORE's tests of both
// (tests/test_phase8_observability.py in ODIBI CORE) under their names.
namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class TestMetricsManagerPhase8 : public testing::Test {
 protected:
  MetricsManager metrics_;
};
using Metrics = TestMetricsManagerPhase8;

TEST_F(TestMetricsManagerPhase8, TestRecordMemoryUsage) {
  metrics_.record_memory_usage("n", 1'048'576);
  metrics_.record_memory_usage("n", 3'145'728);
  const auto stats = metrics_.get_node_stats("n").value_or(NodeStats());
  EXPECT_EQ(stats.max_memory_bytes, 3'145'728);
  EXPECT_EQ(stats.avg_memory_bytes, 2'097'152);
  EXPECT_EQ(stats.executions, 0U);
  EXPECT_EQ(metrics_.summary().max_memory_bytes, 3'145'728);
}

TEST_F(TestMetricsManagerPhase8, TestRecordNodeExecution) {
  metrics_.record_node_execution(
      {.node = "load", .duration_ms = 125.5, .rows = 1000, .memory_bytes = 64, .cached = true});
  metrics_.record_node_execution({.node = "store",
                                  .duration_ms = 10,
                                  .success = false,
                                  .cached = false,
                                  .error_type = "ValueError"});
  const auto summary = metrics_.summary();
  EXPECT_EQ(summary.executions, 2U);
  EXPECT_EQ(summary.success_count, 1U);
  EXPECT_EQ(summary.failure_count, 1U);
  EXPECT_EQ(summary.cache_hit_ratio, 0.5);
  EXPECT_EQ(summary.error_rate, 0.5);
  EXPECT_EQ(summary.rows, 1000U);
  EXPECT_EQ(summary.avg_duration_ms, 67.75);
  EXPECT_DOUBLE_EQ(summary.avg_throughput, 1000 / 125.5 * 1000);
  EXPECT_EQ(summary.max_memory_bytes, 64);
  // Two executions with a duration and an answer each, one of them with rows and memory.
  EXPECT_EQ(summary.total_metrics, 8U);
}

TEST_F(TestMetricsManagerPhase8, TestGetNodeStats) {
  metrics_.record_node_execution({.node = "n", .duration_ms = 100});
  metrics_.record_node_execution({.node = "n", .duration_ms = 300});
  metrics_.record_node_execution({.node = "n", .duration_ms = 50, .success = false});
  metrics_.record_retry("n");
  const auto stats = metrics_.get_node_stats("n").value_or(NodeStats());
  EXPECT_EQ(stats.node_name, "n");
  EXPECT_EQ(stats.executions, 3U);
  EXPECT_EQ(stats.success_count, 2U);
  EXPECT_EQ(stats.failure_count, 1U);
  EXPECT_EQ(stats.retries, 1U);
  EXPECT_EQ(stats.avg_duration_ms, 150);
  EXPECT_EQ(stats.min_duration_ms, 50);
  EXPECT_EQ(stats.max_duration_ms, 300);
  EXPECT_FALSE(metrics_.get_node_stats("unknown"));
}

TEST_F(Metrics, KeepNodesOfTwoPipelinesApart) {
  metrics_.record_node_execution({.node = "n", .duration_ms = 1, .pipeline = "a"});
  metrics_.record_node_execution({.node = "n", .duration_ms = 3, .pipeline = "b"});
  EXPECT_FALSE(metrics_.get_node_stats("n"));
  EXPECT_EQ(metrics_.get_node_stats("n", "b").value_or(NodeStats()).avg_duration_ms, 3);
  EXPECT_EQ(metrics_.all_node_stats().size(), 2U);
}

TEST_F(Metrics, SaveWhatCannotBeWrittenAsAnError) {
  const auto status = MetricsExporter(metrics_).save_json("/dev/null/x/y.json");
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.message(), HasSubstr("/dev/null"));
}

TEST(ThreadsMetrics, CountEveryExecutionOfManyThreads) {
  MetricsManager metrics;
  constexpr int kEach = 2000, kThreads = 4;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < kEach; ++j) {
          metrics.record_node_execution({.node = "n", .duration_ms = 1, .cached = j % 2 == 0});
          if (j % 500 == 0) (void)MetricsExporter(metrics).export_prometheus();
        }
      });
    }
  }
  EXPECT_EQ(metrics.summary().success_count, 4U * kEach);
  EXPECT_EQ(metrics.summary().cache_hits, 4U * kEach / 2);
}

class TestMetricsExporter : public testing::Test {
 protected:
  void SetUp() override {
    metrics_.record_node_execution(
        {.node = "load", .duration_ms = 125.5, .rows = 1000, .cached = true});
    metrics_.record_node_execution(
        {.node = "load", .duration_ms = 74.5, .memory_bytes = 2'097'152, .cached = false});
    metrics_.record_node_execution(
        {.node = "store", .duration_ms = -1, .success = false, .error_type = "Value\"Error"});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// What DuckDB finds in a Parquet file, row by row.
  static std::vector<std::string> rows_of(const std::filesystem::path& file,
                                          const std::string& columns) {
    const auto database = store::Database::open_in_memory();
    auto connection = database->connect();
    auto rows = connection->query("SELECT " + columns + " FROM read_parquet(" +
                                  store::sql_string(file.string()) + ")");
    std::vector<std::string> all;
    if (!rows) return {rows.error().message};
    while (const auto* row = rows->next()) {
      all.push_back(json::to_text(json::Array(row->begin(), row->end())));
    }
    return all;
  }
  [[nodiscard]] std::string content(const char* file) const {
    return read_file(folder_ / file, 1 << 20).value_or("it is not there");
  }

  MetricsManager metrics_;
  MetricsExporter exporter_{metrics_};
  std::filesystem::path folder_ = testing::TempDir() + "metrics-" + std::to_string(random_bits());
};

TEST_F(TestMetricsExporter, TestExportPrometheus) {
  const auto text = exporter_.export_prometheus();
  for (const auto* line :
       {"# TYPE weir_node_executions_total counter\n",
        "weir_node_executions_total{pipeline=\"\",node=\"load\",state=\"completed\"} 2\n",
        "weir_node_duration_seconds_sum{pipeline=\"\",node=\"load\"} 0.2\n",
        "weir_node_errors_total{pipeline=\"\",node=\"store\",type=\"Value\\\"Error\"} 1\n",
        "weir_node_memory_bytes{pipeline=\"\",node=\"load\"} 2097152\n",
        "weir_cache_hit_rate 0.5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(TestMetricsExporter, TestExportJson) {
  const auto parsed = json::parse(exporter_.export_json());
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& summary = *parsed->object()->find("summary")->object();
  EXPECT_EQ(*summary.find("cache_hit_rate"), json::Value(0.5));
  EXPECT_EQ(*summary.find("error_rate"), json::Value(1.0 / 3));
  EXPECT_EQ(parsed->object()->find("by_node")->array()->size(), 2U);
}

TEST_F(TestMetricsExporter, TestExportDataframe) {
  const auto file = exporter_.export_parquet();
  ASSERT_TRUE(file) << file.status().message();
  EXPECT_THAT(*file, StartsWith("PAR1"));
}

TEST_F(TestMetricsExporter, TestSavePrometheus) {
  ASSERT_TRUE(exporter_.save_prometheus(folder_ / "run_001.prom"));
  EXPECT_THAT(content("run_001.prom"), StartsWith("# HELP weir_"));
}

TEST_F(TestMetricsExporter, TestSaveJson) {
  ASSERT_TRUE(exporter_.save_json(folder_ / "run_001.json"));
  EXPECT_TRUE(json::parse(content("run_001.json")));
}

TEST_F(TestMetricsExporter, TestSaveParquet) {
  const auto saved = exporter_.save_parquet(folder_ / "run_001.parquet");
  ASSERT_TRUE(saved) << saved.message();
  EXPECT_THAT(rows_of(folder_ / "run_001.parquet",
                      "metric_type, name, value, label_error_type, count, sum, min, max"),
              ElementsAre(R"(["cache_hit","load",1.0,null,null,null,null,null])",
                          R"(["cache_miss","load",1.0,null,null,null,null,null])",
                          R"(["memory_usage_mb","load",2.0,null,1,2.0,2.0,2.0])",
                          R"(["node_duration_ms","load",100.0,null,2,200.0,74.5,125.5])",
                          R"(["success_count","load",2.0,null,null,null,null,null])",
                          testing::ContainsRegex(R"(throughput_rows_per_sec","load",7968\.)"),
                          R"(["error_count","store",1.0,"Value\"Error",null,null,null,null])",
                          R"(["failure_count","store",1.0,null,null,null,null,null])"));
  EXPECT_THAT(rows_of(folder_ / "run_001.parquet", "DISTINCT typeof(timestamp), typeof(count)"),
              ElementsAre(R"(["TIMESTAMP","UBIGINT"])"));
}

TEST_F(TestMetricsExporter, TestGetNodeSummary) {
  EXPECT_THAT(exporter_.node_summary("load"),
              StartsWith(R"({"node_name":"load","total_executions":2,"avg_duration_ms":100.0,)"
                         R"("min_duration_ms":74.5,"max_duration_ms":125.5,"avg_throughput":)"));
  EXPECT_EQ(exporter_.node_summary("unknown"), "{}");
}

TEST_F(TestMetricsExporter, TestGenerateReport) {
  const auto report = exporter_.generate_report();
  for (const auto* line : {"Weir Metrics Report\n", "Cache Hit Rate: 50.0%\n",
                           "Error Rate: 33.3%\n", "Avg Throughput: 7968.13 rows/sec\n",
                           "load                           Avg:   100.00ms  Executions:   2\n"}) {
    EXPECT_THAT(report, HasSubstr(line));
  }
}

}  // namespace
}  // namespace weir
