#include "record/structured_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "log/log_writer.h"
#include "record/log_record.h"
#include "record/observation.h"
#include "record/process_memory.h"
#include "record/recorded_events.h"

// The suite TestStructuredLogger has the nine tests of ODIBI CORE
// (tests/test_phase8_observability.py in ODIBI CORE) under their names, over the records that
// to_log_record makes.
namespace weir::record {
namespace {

using event::Level;
using testing_support::attribute_of;
using testing_support::RecordedRun;
using testing_support::text_of;

/// Everything logged, in the form of ODIBI CORE.
std::vector<json::Object> records(RecordedRun& recorded) {
  std::vector<json::Object> records;
  event::Decoder decoder;
  for (const auto& line : recorded.lines()) {
    records.push_back(to_log_record(**decoder.decode(line)));
  }
  return records;
}

class TestStructuredLogger : public testing::Test {
 protected:
  RecordedRun recorded_;
  StructuredLogger logger_{recorded_.run(), segments_of(recorded_.store()), {.name = "test"}};
};

TEST_F(TestStructuredLogger, TestLoggerInitialization) {
  StructuredLogger logger(recorded_.run(), segments_of(recorded_.store()),
                          {.name = "test_pipeline"});
  logger.log(Level::kInfo, "m");
  EXPECT_EQ(text_of(recorded_.events().at(0), "logger"), "test_pipeline");
  const auto segments = *recorded_.store().segments();
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].extension(), ".jsonl");
}

TEST_F(TestStructuredLogger, TestLogNodeStart) {
  logger_.log_node_start("test_node", {.layer = "ingest", .engine = "pandas"});

  const auto entry = records(recorded_).at(0);
  EXPECT_EQ(text_of(entry, "event_type"), "node_start");
  EXPECT_EQ(text_of(entry, "node_name"), "test_node");
  EXPECT_EQ(text_of(entry, "layer"), "ingest");
  EXPECT_EQ(text_of(entry, "engine"), "pandas");
  EXPECT_EQ(text_of(entry, "status"), "running");
  EXPECT_EQ(text_of(entry, "level"), "info");
  EXPECT_EQ(text_of(entry, "message"), "Node 'test_node' started");
}

TEST_F(TestStructuredLogger, TestLogNodeComplete) {
  logger_.log_node_complete("test_node", {.duration_ms = 125.5, .rows = 1000, .cache_hit = true});

  const auto entry = records(recorded_).at(0);
  EXPECT_EQ(text_of(entry, "event_type"), "node_complete");
  EXPECT_EQ(text_of(entry, "node_name"), "test_node");
  EXPECT_EQ(text_of(entry, "status"), "success");
  EXPECT_EQ(text_of(entry, "duration_ms"), "125.5");
  EXPECT_EQ(text_of(entry, "row_count"), "1000");
  EXPECT_EQ(text_of(entry, "cache_hit"), "true");
  EXPECT_EQ(text_of(entry, "message"), "Node 'test_node' completed in 125.50ms");
}

TEST_F(TestStructuredLogger, TestLogNodeFailed) {
  logger_.log_node_failed(
      "test_node",
      {.error = "ValueError: Invalid data", .duration_ms = 50.0, .layer = "transform"});

  const auto entry = records(recorded_).at(0);
  EXPECT_EQ(text_of(entry, "event_type"), "node_failed");
  EXPECT_EQ(text_of(entry, "node_name"), "test_node");
  EXPECT_EQ(text_of(entry, "layer"), "transform");
  EXPECT_EQ(text_of(entry, "status"), "failed");
  EXPECT_EQ(text_of(entry, "error"), "ValueError: Invalid data");
  EXPECT_EQ(text_of(entry, "level"), "error");
  EXPECT_EQ(text_of(entry, "message"), "Node 'test_node' failed: ValueError: Invalid data");
  EXPECT_EQ(text_of(recorded_.events().at(0), "error_type"), "ValueError");
}

TEST_F(TestStructuredLogger, TestLogCacheEvents) {
  logger_.log_cache_hit("node1", "cache_key_123");
  logger_.log_cache_miss("node2", "cache_key_456_and_more");

  const auto entries = records(recorded_);
  EXPECT_EQ(text_of(entries[0], "event_type"), "cache_hit");
  EXPECT_EQ(text_of(entries[0], "cache_hit"), "true");
  EXPECT_EQ(text_of(entries[0], "level"), "info");
  EXPECT_EQ(text_of(entries[0], "metadata"), R"({"cache_key":"cache_key_123"})");
  EXPECT_EQ(text_of(entries[1], "event_type"), "cache_miss");
  EXPECT_EQ(text_of(entries[1], "cache_hit"), "false");
  EXPECT_EQ(text_of(entries[1], "level"), "debug");
  EXPECT_EQ(text_of(entries[1], "message"), "Cache miss for 'node2' (key: cache_key_456_an...)");
}

TEST_F(TestStructuredLogger, TestLogPipelineLifecycle) {
  logger_.log_pipeline_start("demo_pipeline", {});
  logger_.log_pipeline_complete("demo_pipeline", {.duration_ms = 5000.0, .success_count = 10});

  const auto entries = records(recorded_);
  EXPECT_EQ(text_of(entries[0], "event_type"), "pipeline_start");
  EXPECT_EQ(text_of(entries[0], "metadata"), R"({"pipeline_name":"demo_pipeline"})");
  EXPECT_EQ(text_of(entries[1], "event_type"), "pipeline_complete");
  EXPECT_EQ(text_of(entries[1], "status"), "success");
  EXPECT_EQ(text_of(entries[1], "duration_ms"), "5000.0");
  EXPECT_EQ(text_of(entries[1], "message"),
            "Pipeline 'demo_pipeline' completed in 5000.00ms (success: 10, failed: 0)");
  EXPECT_EQ(text_of(entries[1], "metadata"),
            R"({"pipeline_name":"demo_pipeline","success_count":10,"failed_count":0})");
}

TEST_F(TestStructuredLogger, TestQueryLogs) {
  logger_.log_node_start("node1", {.layer = "ingest"});
  logger_.log_node_complete("node1", {.duration_ms = 100});
  logger_.log_node_start("node2", {.layer = "transform"});
  logger_.log_error("node2", "Test error");

  EXPECT_EQ(logger_.query_logs({.event_type = "node_start"})->entries.size(), 2U);
  EXPECT_EQ(logger_.query_logs({.event_type = "pipeline_node_started"})->entries.size(), 2U);
  EXPECT_EQ(logger_.query_logs({.node_name = "node1"})->entries.size(), 2U);
  EXPECT_EQ(logger_.query_logs({.node_name = "node2"})->entries.size(), 2U);
  EXPECT_EQ(logger_.query_logs({.level = Level::kError})->entries.size(), 1U);
}

TEST_F(TestStructuredLogger, TestGetSummary) {
  logger_.log_node_start("node1", {.layer = "ingest"});
  logger_.log_node_complete("node1", {.duration_ms = 100});
  logger_.log_error("node2", "Test error");

  const auto summary = logger_.get_summary();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->total, 3U);
  EXPECT_EQ(summary->by_level.at("INFO"), 2U);
  EXPECT_EQ(summary->by_level.at("ERROR"), 1U);
  EXPECT_EQ(summary->by_event_type.at("pipeline_node_started"), 1U);
  ASSERT_EQ(summary->errors.size(), 1U);
  EXPECT_EQ(summary->errors[0].node_name, "node2");
  EXPECT_EQ(summary->errors[0].error, "Test error");
}

// The log begins a new segment by size; questions are answered over all of them, where ODIBI's are
// over the last file only.
TEST_F(TestStructuredLogger, TestLogRotation) {
  json::Object metadata;
  metadata.append({"data", std::string(1000, 'x')});
  for (int i = 0; i < 100; ++i) {
    logger_.log_node_complete("node_" + std::to_string(i),
                              {.duration_ms = 100, .metadata = metadata});
  }
  const auto store =
      *log::StoreDirectory::create(testing::TempDir() + "rotated-" + std::to_string(random_bits()));
  log::LogWriter writer(store, system_clock(), {.segment_bytes = 10'000});
  for (auto line : recorded_.lines()) {
    line += '\n';
    ASSERT_TRUE(writer.commit(line, 1));
  }
  EXPECT_GT(store.segments()->size(), 10U);
  EXPECT_EQ(record::query_logs(segments_of(store), {.event_type = "node_complete"})->entries.size(),
            100U);
  EXPECT_EQ(record::get_summary(segments_of(store))->total, 100U);
}

// Beyond the nine.

TEST_F(TestStructuredLogger, RecordsHaveTheFifteenKeysOfTheSeedInItsOrder) {
  logger_.log(Level::kFatal, "m");
  std::vector<std::string> keys;
  const auto entry = records(recorded_).at(0);
  for (const auto& member : entry) keys.push_back(member.key);
  EXPECT_THAT(keys,
              testing::ElementsAre("timestamp", "level", "event_type", "message", "node_name",
                                   "layer", "engine", "status", "duration_ms", "error", "cache_hit",
                                   "row_count", "memory_mb", "user", "metadata"));
  EXPECT_EQ(text_of(entry, "level"), "critical");
  EXPECT_EQ(text_of(entry, "node_name"), "null");
}

TEST_F(TestStructuredLogger, EveryEventHasTheMemoryOfTheProcessAndTheUser) {
  StructuredLogger logger(recorded_.run(), segments_of(recorded_.store()),
                          {.name = "t", .user = "u"});
  const std::vector<std::string> names = {"a"};
  logger.log_pipeline_start("p", {.entry_nodes = names, .output_nodes = names, .node_count = 1});
  logger.log_node_start("a", {});
  logger.log_cache_hit("a", "k");
  logger.log_cache_miss("a", "k", "");
  logger.log_node_failed("a", {.error = "no type: here"});
  logger.log_error("c", "e");
  logger.log_checkpoint_created("cp", 3);
  logger.log_pipeline_complete("p", {});
  const auto now = resident_bytes();
  ASSERT_TRUE(now);
  for (const auto& event : recorded_.events()) {
    const auto* memory = event.find("memory_bytes");
    ASSERT_NE(memory, nullptr);
    EXPECT_GT(*memory->integer(), 1 << 20);  // bytes, not pages or KiB
    EXPECT_GT(*memory->integer(), *now / 4);
    EXPECT_LT(*memory->integer(), *now * 4);
    EXPECT_EQ(text_of(event, "user_id"), "u");
  }
  EXPECT_EQ(text_of(recorded_.events().at(4), "error_type"), "Error");
  EXPECT_EQ(text_of(recorded_.events().at(3), "reason"), "unknown");
  EXPECT_EQ(text_of(recorded_.events().at(6), "message"),
            "Checkpoint 'cp' created (3 nodes completed)");
}

TEST_F(TestStructuredLogger, KnowsANodesLayerEngineAndPlaceFromItsStart) {
  logger_.log_node_start("a", {.layer = "ingest", .engine = "pandas"});
  logger_.log_node_start("b", {.layer = "store", .engine = "duckdb"});
  logger_.log_node_complete("a", {});
  logger_.log_node_complete("unknown", {});
  const auto events = recorded_.events();
  EXPECT_EQ(text_of(events[1], "step_index"), "1");
  EXPECT_EQ(text_of(events[2], "plugin_id"), "pandas");
  EXPECT_EQ(text_of(events[2], "tool_id"), "ingest");
  EXPECT_EQ(text_of(events[2], "step_index"), "0");
  EXPECT_EQ(text_of(events[3], "plugin_id"), "test");
  EXPECT_EQ(text_of(events[3], "step_index"), "2");
}

TEST_F(TestStructuredLogger, APipelineWithFailedNodesIsCompletedInPart) {
  logger_.log_pipeline_complete("p", {.duration_ms = 1, .success_count = 2, .failed_count = 1});
  EXPECT_EQ(text_of(recorded_.events().at(0), "outcome"), "partial");
  EXPECT_EQ(text_of(recorded_.events().at(0), "node_count"), "3");
  EXPECT_EQ(text_of(records(recorded_).at(0), "status"), "partial_failure");
}

// What is no node must not become one in the run's state.
TEST_F(TestStructuredLogger, AnErrorNamesANodeOnlyIfThereIsOne) {
  logger_.log_node_start("a", {});
  logger_.log_error("a", "E: x");
  logger_.log_error("config", "E: x");
  const auto events = recorded_.events();
  EXPECT_EQ(text_of(events[1], "node_id"), "a");
  EXPECT_EQ(text_of(events[2], "node_id"), "-");
  EXPECT_EQ(text_of(events[2], "component"), "config");
  EXPECT_EQ(text_of(records(recorded_).at(2), "node_name"), "config");
  EXPECT_EQ(text_of(records(recorded_).at(2), "event_type"), "error");
}

TEST_F(TestStructuredLogger, TakesDurationsThatAreNoneAndTextsThatAreTooLong) {
  const std::string text(2 * Observation::kMaxTextBytes, 'x');
  logger_.log_node_complete(text, {.duration_ms = std::numeric_limits<double>::quiet_NaN()});
  logger_.log_node_failed("a", {.error = text, .duration_ms = -1});
  logger_.log_node_complete("b", {.duration_ms = std::numeric_limits<double>::max()});
  const auto events = recorded_.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(text_of(events[0], "duration_ms"), "0.0");
  EXPECT_EQ(text_of(events[0], "node_id").size(), Observation::kMaxTextBytes);
  EXPECT_EQ(text_of(events[1], "duration_ms"), "0.0");
  EXPECT_EQ(text_of(events[1], "error_message").size(), Observation::kMaxTextBytes);
}

TEST(ThreadsStructuredLogger, GivesEveryNodeOnePlaceWhateverThreadsSayIt) {
  constexpr int kThreads = 4, kNodes = 200;
  RecordedRun recorded;
  StructuredLogger logger(recorded.run(), segments_of(recorded.store()));
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kNodes; ++i) {
          logger.log_node_start("n" + std::to_string(i), {.layer = "l", .engine = "e"});
          logger.log_node_complete("n" + std::to_string(i), {.duration_ms = 1});
        }
      });
    }
  }
  std::map<std::string, std::set<std::string>> places;
  for (const auto& event : recorded.events()) {
    places[text_of(event, "node_id")].insert(text_of(event, "step_index"));
  }
  std::set<std::string> all;
  for (const auto& [node, indexes] : places) {
    EXPECT_EQ(indexes.size(), 1U) << node;
    all.insert(indexes.begin(), indexes.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kNodes});
}

}  // namespace
}  // namespace weir::record
