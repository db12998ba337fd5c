#include "weir/structured_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embed/recorded_store.h"
#include "weir/correlation.h"

namespace weir::embed {
namespace {

using testing::HasSubstr;
using testing_support::attribute_of;
using testing_support::Recording;
using testing_support::text_of;

TEST(EmbeddedStructuredLogger, SaysWhatHappensInAPipeline) {
  Recording it({.pipeline_id = "p", .fields = {{field::kEnvironmentId, "test"}}});
  StructuredLogger logger(it.run, {.name = "etl", .user = "ann"});
  EXPECT_TRUE(logger.log_pipeline_start("sales", {{"read"}, {"write"}, 2}));
  EXPECT_TRUE(logger.log_node_start("read", "ingest", "pandas"));
  EXPECT_TRUE(logger.log_cache_miss("read", "0123456789abcdef0123"));
  EXPECT_TRUE(logger.log_cache_hit("read", "0123456789abcdef0123"));
  StructuredLogger::NodeComplete complete;
  complete.duration_ms = 125.5;
  complete.rows = 1000;
  EXPECT_TRUE(logger.log_node_complete("read", complete));
  EXPECT_TRUE(logger.log_node_start("write", {"publish", "spark", {"read"}, 1, {{"shard", 7}}}));
  EXPECT_TRUE(logger.log_node_failed("write", {"IOError: disk full", 3.0}));
  EXPECT_TRUE(logger.log_error("uploader", "gone", {}, {{"code", 7}}));
  EXPECT_TRUE(logger.log_checkpoint_created("c1", 1));
  EXPECT_TRUE(logger.log(Level::kWarning, "slow", {{"took", 1.5}}));
  EXPECT_TRUE(logger.log_pipeline_complete("sales", {5000, 1, 1}));

  const auto completed = it.event("pipeline_node_completed");
  EXPECT_EQ(text_of(completed, "message"), "Node 'read' completed in 125.50ms");
  EXPECT_EQ(text_of(completed, "tool_id"), "ingest");
  EXPECT_EQ(text_of(completed, "logger"), "etl");
  EXPECT_EQ(text_of(completed, "user_id"), "ann");
  EXPECT_EQ(text_of(completed, "environment_id"), "test");
  EXPECT_EQ(text_of(completed, "rows"), "1000");
  EXPECT_NE(completed.find("memory_bytes"), nullptr);
  const auto failed = it.event("pipeline_node_failed");
  EXPECT_EQ(text_of(failed, "error_type"), "IOError");
  EXPECT_EQ(text_of(it.event("pipeline_completed"), "outcome"), "partial");
  EXPECT_EQ(it.events("log").size(), 2U);
  EXPECT_EQ(attribute_of(it.events("pipeline_node_started")[1], "shard"), "7");
}

TEST(EmbeddedStructuredLogger, AnswersQuestions) {
  Recording it;
  StructuredLogger logger(it.run);
  for (int i = 0; i < 3; ++i) logger.log_node_start("n" + std::to_string(i));
  logger.log_node_failed("n1", {"ValueError: bad"});

  LogQuery query;
  query.event_type = "node_start";
  query.order = LogQuery::Order::kNewestFirst;
  query.limit = 2;
  const auto newest = logger.query_logs(query);
  ASSERT_TRUE(newest) << newest.status().message();
  ASSERT_EQ(newest->entries.size(), 2U);
  EXPECT_THAT(newest->entries[0].line, HasSubstr(R"("node_id":"n2")"));
  const auto record = to_log_record(newest->entries[0].line);
  ASSERT_TRUE(record);
  EXPECT_THAT(*record, HasSubstr(R"("event_type":"node_start","message":"Node 'n2' started")"));
  EXPECT_EQ(to_log_record("nothing").status().code(), StatusCode::kInvalidInput);

  LogQuery errors;
  errors.level = Level::kError;
  errors.run_id = it.run.id();
  ASSERT_EQ(logger.query_logs(errors)->entries.size(), 1U);
  errors.run_id = "mine";
  EXPECT_EQ(logger.query_logs(errors).status().code(), StatusCode::kInvalidInput);
  errors = {};
  errors.limit = 10'001;
  EXPECT_EQ(logger.query_logs(errors).status().code(), StatusCode::kInvalidInput);

  const auto summary = logger.get_summary();
  ASSERT_TRUE(summary) << summary.status().message();
  EXPECT_EQ(summary->total, 4U);
  EXPECT_EQ(summary->by_level.at("ERROR"), 1U);
  EXPECT_EQ(summary->by_event_type.at("pipeline_node_started"), 3U);
  ASSERT_EQ(summary->errors.size(), 1U);
  EXPECT_EQ(summary->errors[0].node_name, "n1");
  EXPECT_EQ(summary->errors[0].error, "ValueError: bad");
  EXPECT_EQ(summary->log_file, it.store.folder / "log");
  EXPECT_DOUBLE_EQ(summary->file_size_mb, static_cast<double>(summary->read.bytes) / (1 << 20));
  EXPECT_GT(summary->file_size_mb, 0);
}

TEST(EmbeddedStructuredLogger, IsSilentWhenTheRunHasEnded) {
  Recording it;
  StructuredLogger logger(it.run);
  ASSERT_TRUE(it.run.end());
  EXPECT_FALSE(logger.log_node_start("late"));
  EXPECT_EQ(it.run.flush().code(), StatusCode::kCancelled);
  EXPECT_TRUE(it.store.events().empty());
}

}  // namespace
}  // namespace weir::embed
