#include "export/metrics_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/id.h"
#include "export/prometheus_parser_testing.h"
#include "project/event_feed_testing.h"

// The suite TestMetricsExporter has ODIBI CORE's tests of its exporter
// (tests/test_phase8_observability.py in ODIBI CORE) under their names.
namespace weir::exporting {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::parse_exposition;
using EventFeed = project::testing_support::EventFeed;

constexpr MetricsFormat kBoth[] = {MetricsFormat::kJson, MetricsFormat::kPrometheus};
constexpr auto kNow = EventFeed::kBegin + std::chrono::seconds(90);

class TestMetricsExporter : public testing::Test {
 protected:
  void SetUp() override {
    feed_.complete_node("load", 125.5, R"("rows":1000,"cache_hit":true)");
    feed_.complete_node("load", 74.5, R"("memory_bytes":2097152,"cache_hit":false)");
    feed_.fail_node("store", "ValueError");
    feed_.retry_node("store");
    feed_.end_run("failed", 2500);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string text() const { return to_prometheus(metrics_, kNow); }
  /// The value at the end of a path of members.
  [[nodiscard]] json::Value at(std::initializer_list<std::string_view> path) const {
    json::Value value(to_json(metrics_, kNow));
    for (const auto key : path) {
      const auto* member = value.object() == nullptr ? nullptr : value.object()->find(key);
      if (member == nullptr) return {};
      value = json::Value(*member);
    }
    return value;
  }

  project::RunMetrics metrics_;
  EventFeed feed_{
      [this](const event::EventView& event, std::string_view) { metrics_.apply(event); }};
  std::filesystem::path folder_ = testing::TempDir() + "metrics-" + std::to_string(random_bits());
};
using MetricsFiles = TestMetricsExporter;

TEST_F(TestMetricsExporter, TestExportPrometheus) {
  const auto parsed = parse_exposition(text());
  EXPECT_THAT(parsed.problems, IsEmpty());
  const auto& values = parsed.values;
  EXPECT_EQ(values.at(R"(weir_node_duration_seconds_sum{pipeline="p",node="load"})"), 0.2);
  EXPECT_EQ(values.at(R"(weir_node_duration_seconds_count{pipeline="p",node="load"})"), 2);
  EXPECT_EQ(values.at(R"(weir_node_duration_max_seconds{pipeline="p",node="load"})"), 0.1255);
  EXPECT_EQ(values.at(R"(weir_node_executions_total{pipeline="p",node="store",state="failed"})"),
            1);
  EXPECT_EQ(values.at(R"(weir_node_errors_total{pipeline="p",node="store",type="ValueError"})"), 1);
  EXPECT_EQ(values.at(R"(weir_node_retries_total{pipeline="p",node="store"})"), 1);
  EXPECT_EQ(values.at(R"(weir_node_memory_bytes{pipeline="p",node="load"})"), 2097152);
  EXPECT_EQ(values.at(R"(weir_tool_rows_total{plugin="plug",tool="tool"})"), 1000);
  EXPECT_EQ(values.at(R"(weir_pipeline_executions_total{pipeline="p",state="failed"})"), 1);
  EXPECT_EQ(values.at(R"(weir_pipeline_duration_seconds_sum{pipeline="p"})"), 2.5);
  EXPECT_EQ(values.at("weir_cache_hits_total"), 1);
  EXPECT_EQ(values.at("weir_cache_misses_total"), 1);
  EXPECT_EQ(values.at("weir_cache_hit_rate"), 0.5);
  EXPECT_EQ(values.at("weir_errors_total"), 1);
  EXPECT_EQ(values.at("weir_uptime_seconds"), 90);
}

TEST_F(TestMetricsExporter, TestExportJson) {
  EXPECT_EQ(at({"export_time"}), json::Value("2026-01-05T03:01:30.000001Z"));
  EXPECT_EQ(at({"summary", "total_metrics"}), json::Value(12));
  EXPECT_EQ(at({"summary", "uptime_seconds"}), json::Value(90.0));
  EXPECT_EQ(at({"summary", "cache_hit_rate"}), json::Value(0.5));
  EXPECT_EQ(at({"summary", "error_rate"}), json::Value(1.0 / 3));
  EXPECT_EQ(at({"summary", "avg_throughput"}), json::Value(1000 / 125.5 * 1000));
  EXPECT_EQ(at({"aggregations", "node_duration_ms", "avg"}), json::Value(100.0));
  EXPECT_EQ(at({"aggregations", "node_duration_ms", "min"}), json::Value(74.5));
  EXPECT_EQ(at({"counters", "success_count:p/load"}), json::Value(2));
  EXPECT_EQ(at({"counters", "retry_count:p/store"}), json::Value(1));
  EXPECT_EQ(at({"gauges", "memory_usage_mb:p/load"}), json::Value(2.0));
  const auto by_node = at({"by_node"});
  ASSERT_NE(by_node.array(), nullptr);
  EXPECT_EQ(
      json::to_text(by_node.array()->at(1)),
      R"({"pipeline_id":"p","node_name":"store","metrics":[)"
      R"({"type":"failure_count","value":1,"timestamp":"2026-01-05T03:00:00.000004Z","labels":{}},)"
      R"({"type":"retry_count","value":1,"timestamp":"2026-01-05T03:00:00.000004Z","labels":{}},)"
      R"({"type":"error_count","value":1,"timestamp":"2026-01-05T03:00:00.000004Z",)"
      R"("labels":{"error_type":"ValueError"}}]})");
}

TEST_F(TestMetricsExporter, TestSavePrometheus) {
  const MetricsFormat formats[] = {MetricsFormat::kPrometheus};
  const auto paths = save_metrics(metrics_, folder_ / "made", formats, kNow);
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_THAT(*paths, ElementsAre(folder_ / "made" / "metrics_20260105_030130_000001.prom"));
  EXPECT_EQ(read_file(paths->at(0), 1 << 20), text());
}

TEST_F(TestMetricsExporter, TestSaveJson) {
  const MetricsFormat formats[] = {MetricsFormat::kJson};
  const auto paths = save_metrics(metrics_, folder_, formats, kNow);
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_THAT(*paths, ElementsAre(folder_ / "metrics_20260105_030130_000001.json"));
  const auto content = read_file(paths->at(0), 1 << 20);
  ASSERT_TRUE(content);
  EXPECT_EQ(json::parse(*content), json::Value(to_json(metrics_, kNow)));
}

TEST_F(TestMetricsExporter, TestExportDataframe) {
  const auto rows = metric_rows(metrics_);
  ASSERT_EQ(rows.size(), 9U);
  EXPECT_EQ(rows[0].metric_type, "node_duration_ms");
  EXPECT_EQ(rows[0].name, "load");
  EXPECT_EQ(rows[0].pipeline, "p");
  EXPECT_EQ(rows[0].value, 100);
  EXPECT_EQ(rows[0].values.value_or(project::Statistics()).sum, 200);
  EXPECT_EQ(rows[2].metric_type, "memory_usage_mb");
  EXPECT_EQ(rows[2].values.value_or(project::Statistics()).max, 2);
  EXPECT_EQ(rows[8].metric_type, "error_count");
  EXPECT_EQ(rows[8].error_type, "ValueError");
  EXPECT_FALSE(rows[8].values);
}

TEST_F(TestMetricsExporter, TestSaveParquet) {
  const MetricsFormat formats[] = {MetricsFormat::kParquet};
  const auto paths = save_metrics(metrics_, folder_, formats, kNow);
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_THAT(*paths, ElementsAre(folder_ / "metrics_20260105_030130_000001.parquet"));
  const auto content = read_file(paths->at(0), 1 << 20);
  ASSERT_TRUE(content);
  EXPECT_THAT(*content, testing::StartsWith("PAR1"));
}

TEST_F(TestMetricsExporter, TestGetNodeSummary) {
  const auto summary = node_summary(metrics_, "p", "load");
  EXPECT_EQ(json::to_text(json::Value(summary)),
            R"({"node_name":"load","total_executions":2,"avg_duration_ms":100.0,)"
            R"("min_duration_ms":74.5,"max_duration_ms":125.5,"avg_throughput":)" +
                json::to_text(json::Value(1000 / 125.5 * 1000)) + "}");
  EXPECT_TRUE(node_summary(metrics_, "p", "unknown").empty());
}

TEST_F(TestMetricsExporter, TestGenerateReport) {
  const std::string thick(70, '='), thin(70, '-');
  EXPECT_EQ(metrics_report(metrics_, kNow),
            thick + "\nWeir Metrics Report\n" + thick +
                "\nGenerated: 2026-01-05T03:01:30.000001Z\nUptime: 90.00s\nTotal Metrics: 12\n\n"
                "Summary Statistics:\n" +
                thin +
                "\nCache Hit Rate: 50.0%\nError Rate: 33.3%\nAvg Throughput: 7968.13 rows/sec\n\n"
                "Per-Node Statistics:\n" +
                thin +
                "\nload                           Avg:   100.00ms  Executions:   2"
                "\nstore                          Avg:     0.00ms  Executions:   1\n" +
                thick + "\n");
}

TEST_F(MetricsFiles, AreValidWithoutAnyEvent) {
  const project::RunMetrics nothing;
  EXPECT_THAT(parse_exposition(to_prometheus(nothing, kNow)).problems, IsEmpty());
  EXPECT_TRUE(json::parse(json::to_text(json::Value(to_json(nothing, kNow)))));
  EXPECT_THAT(metrics_report(nothing, kNow), HasSubstr("Total Metrics: 0\n"));
}

// One line a series is what a scraper wants; ODIBI CORE writes one a record.
TEST_F(MetricsFiles, StayValidWhateverNamesAndNumbersComeIn) {
  feed_.pipeline = R"(a\"b\\c\nd{e=\"f\"} 1)";
  feed_.complete_node(R"(Zoë\u0007\u001b[2J\")", 1e308, R"("rows":9223372036854775807)");
  feed_.complete_node(R"(Zoë\u0007\u001b[2J\")", 1e308, R"("rows":9223372036854775807)");
  feed_.complete_node("x", 1e-300, R"("rows":9223372036854775807)");
  feed_.fail_node("x", R"(E\n\"\\)");
  const auto parsed = parse_exposition(text());
  EXPECT_THAT(parsed.problems, IsEmpty());
  EXPECT_EQ(
      parsed.values.at("weir_node_executions_total{pipeline=\"a\\\"b\\\\c\\nd{e=\\\"f\\\"} 1\","
                       "node=\"x\",state=\"failed\"}"),
      1);
  EXPECT_TRUE(json::parse(json::to_text(json::Value(to_json(metrics_, kNow)))));
  EXPECT_THAT(metrics_report(metrics_, kNow), Not(HasSubstr("\x1b")));
}

TEST_F(MetricsFiles, OfOneMomentGetNamesOfTheirOwn) {
  ASSERT_TRUE(save_metrics(metrics_, folder_, kBoth, kNow));
  ASSERT_TRUE(save_metrics(metrics_, folder_, kBoth, kNow));
  EXPECT_THAT(*list_directory(folder_), ElementsAre("metrics_20260105_030130_000001.json",
                                                    "metrics_20260105_030130_000001.prom",
                                                    "metrics_20260105_030130_000001_2.json",
                                                    "metrics_20260105_030130_000001_2.prom"));
}

TEST_F(MetricsFiles, SayWhereTheyCannotBeWritten) {
  std::filesystem::create_directories(folder_);
  ASSERT_TRUE(write_file_durably(folder_ / "file", "x"));
  const auto paths = save_metrics(metrics_, folder_ / "file", kBoth, kNow);
  ASSERT_FALSE(paths);
  EXPECT_THAT(paths.error().message, HasSubstr((folder_ / "file").string()));
}

TEST(ExpositionParser, FindsWhatAScraperWouldRefuse) {
  for (const char* text :
       {"a 1", "a 1\n", "# HELP a h\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a h\n# TYPE a counter\na 1\n", "# HELP a h\n# TYPE a gauge\na{b=\"\n\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na{b=\"\\x\"} 1\n", "# HELP a h\n# TYPE a gauge\nb 1\n",
        "# HELP a h\n# TYPE a gauge\n# HELP b h\n# TYPE b gauge\nb 1\na 1\n",
        "# HELP a h\n# TYPE a gauge\na{1b=\"c\"} 1\n", "# HELP a h\n# TYPE a gauge\na x\n"}) {
    EXPECT_THAT(parse_exposition(text).problems, Not(IsEmpty())) << text;
  }
}

}  // namespace
}  // namespace weir::exporting
