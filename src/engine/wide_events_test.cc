#include "record/wide_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/engine_testing.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;

class WideEventsTest : public EngineTest {};

/// Stands still, so that what the engine saw and what the events say is one time.
class StillClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return now_; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }

 private:
  const Timestamp now_ = system_clock().now();
};

TEST_F(WideEventsTest, RecordsWideEventsThatTheLogWouldGive) {
  const StillClock clock;
  clock_ = &clock;
  add("b", "t1", [](const tool::Call&) -> json::Object { throw std::runtime_error("boom"); });
  auto definition = std::string(kTwoNodes);
  definition.insert(1, R"("wide_events": true,)");
  ASSERT_TRUE(run(definition));

  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_node_completed",
                          "node_wide", "pipeline_node_started", "pipeline_node_failed", "node_wide",
                          "pipeline_failed", "pipeline_wide"));
  const auto seen = events();
  for (const auto& event : seen) {
    if (event.type == "node_wide") {
      EXPECT_EQ(event.topic, "stage.wide");
      EXPECT_EQ(event.members.at("attributes"),
                json::to_text(project::fields_of(wide_.nodes.at(event.node_id)).attributes));
    }
  }
  const auto& good = seen[3].members;
  const auto& bad = seen[6].members;
  EXPECT_EQ(good.at("output_keys"), R"(["a"])");
  EXPECT_EQ(bad.at("error_message"), "boom");
  EXPECT_EQ(bad.at("span_id"), seen[5].members.at("span_id"));
  EXPECT_EQ(bad.at("trace_id"), seen[5].members.at("trace_id"));
  const auto pipeline = only("pipeline_wide");
  EXPECT_EQ(pipeline.topic, "pipeline.wide");
  EXPECT_EQ(pipeline.members.at("attributes"), json::to_text(project::fields_of(wide_).attributes));
  EXPECT_THAT(pipeline.members.at("attributes"),
              testing::HasSubstr(R"("stage_counts":{"completed":1,"failed":1})"));
  EXPECT_EQ(pipeline.members.at("pipeline_name"), "obs");
  EXPECT_EQ(pipeline.members.at("failed_node_id"), "n2");
}

TEST_F(WideEventsTest, RecordsTheWideEventsThatAreWanted) {
  const auto wide_types = [&](const std::string& wanted) {
    auto definition = std::string(kTwoNodes);
    definition.insert(1, R"("wide_events": )" + wanted + ",");
    EXPECT_TRUE(run(definition));
    std::vector<std::string> wide;
    for (const auto& type : types()) {
      if (type.ends_with("_wide")) wide.push_back(type);
    }
    return wide;
  };
  EXPECT_THAT(wide_types("false"), testing::IsEmpty());
  EXPECT_THAT(wide_types(R"({"run": true})"), ElementsAre("pipeline_wide"));
  EXPECT_THAT(wide_types(R"({"nodes": true})"),
              testing::UnorderedElementsAre("pipeline_wide", "node_wide", "node_wide"));
}

TEST_F(WideEventsTest, RecordsAWideEventOfACancelledNode) {
  std::stop_source stop;
  add("x", "wait", [&](const tool::Call& call) -> json::Object {
    stop.request_stop();
    while (!call.stop.stop_requested()) std::this_thread::yield();
    throw std::runtime_error("stopped");
  });
  add("x", "fail", [](const tool::Call&) { return json::Object(); });
  auto definition = std::string(kWaitAndFail);
  definition.insert(1, R"("wide_events": true,)");
  ASSERT_TRUE(run(definition, {}, 1, stop.get_token()));
  EXPECT_THAT(only("node_wide").members.at("attributes"),
              testing::HasSubstr(R"("status":"cancelled")"));
  EXPECT_THAT(only("pipeline_wide").members.at("attributes"),
              testing::HasSubstr(R"("stage_counts":{"cancelled":1})"));
}

TEST_F(WideEventsTest, EmitsWideEventsDirectlyWithWhatTheCallerAdds) {
  {
    record::Recorder recorder(store_);
    const auto recorded = *recorder.begin(some_run());
    json::Object extra;
    extra.set("shard", 7);
    record::emit_node_wide(*recorded, {.topology = "chat_fast", .node_id = "n", .status = "retry"},
                           extra);
    record::emit_pipeline_wide(*recorded, {.pipeline_name = "P", .status = "completed"}, extra);
  }
  EXPECT_EQ(only("node_wide").members.at("attributes"),
            R"({"topology":"chat_fast","service":"chat","status":"retry","started_at":null,)"
            R"("ended_at":null,"extra":{"shard":7}})");
  EXPECT_EQ(only("pipeline_wide").members.at("attributes"),
            R"({"topology":null,"service":null,"status":"completed","started_at":null,)"
            R"("ended_at":null,"stage_counts":{},)"
            R"("stage_details":[],"extra":{"shard":7}})");
}

}  // namespace
}  // namespace weir::engine
