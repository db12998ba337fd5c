#include "project/wide_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/event_feed_testing.h"

namespace weir::project {
namespace {

using event::Field;
using event::FieldValue;
using event::Type;

/// When the n-th event happened.
Timestamp second(int n) { return testing_support::EventFeed::kBegin + std::chrono::seconds(n - 1); }

/// Folds the events of a run, given as lines are.
class WideEventsTest : public testing::Test {
 protected:
  WideEventsTest() { feed_.step = std::chrono::seconds(1); }

  void apply(std::string_view type, std::string_view members) { feed_.event(type, members); }
  /// Of the node `id`, what stands between its place and its end.
  static std::string node(std::string_view id, int step, std::string_view more) {
    return R"("span_id":"b7ad6b7169203331","node_id":")" + std::string(id) +
           R"(","plugin_id":"p","tool_id":"t","step_index":)" + std::to_string(step) +
           std::string(more);
  }
  void start_node(std::string_view id, int step) {
    apply("pipeline_node_started", node(id, step, R"(,"predecessor_node_ids":[],"attempt":1)"));
  }
  void fail_run() {
    apply("pipeline_failed", R"("span_id":"00f067aa0ba902b7","duration_ms":9,"error_type":"E",)"
                             R"("error_message":"m","failed_node_id":"b")");
  }

  PipelineWide run_;
  testing_support::EventFeed feed_{
      [this](const event::EventView& event, std::string_view) { run_.apply(event); }};
};

TEST_F(WideEventsTest, SayAllThatIsKnownOfANode) {
  start_node("a", 1);
  apply("log", R"("node_id":"a","message":"changes nothing","duration_ms":99,"outcome":"no")");
  apply(
      "pipeline_node_completed",
      node(
          "a", 1,
          R"(,"attempt":1,"execution_mode":"practice","duration_ms":2.5,"outcome":"cached",)"
          R"("output_keys":["y","x"],"cache_hit":true,"cpu_ms":1.5,"memory_bytes":4096,"rows":7)"));

  const auto& node = run_.nodes.at("a");
  EXPECT_EQ(node.status, "completed");
  EXPECT_EQ(node.started_at, second(1));
  EXPECT_EQ(node.ended_at, second(3));
  EXPECT_EQ(node.output_keys, (std::vector<std::string>{"x", "y"}));
  const auto [fields, attributes] = fields_of(node);
  std::string names;
  for (const auto& field : fields) names += std::string(event::info(field.field).name) + " ";
  EXPECT_EQ(names,
            "span_id node_id plugin_id tool_id step_index attempt execution_mode duration_ms "
            "outcome output_keys cache_hit cpu_ms memory_bytes rows ");
  EXPECT_EQ(json::to_text(attributes), R"({"topology":"p","service":"p","status":"completed",)"
                                       R"("started_at":"2026-01-05T03:00:00.000001Z",)"
                                       R"("ended_at":"2026-01-05T03:00:02.000001Z"})");
}

TEST_F(WideEventsTest, SayOfARunHowItsStagesEnded) {
  apply("pipeline_started", R"("pipeline_name":"P","entry_nodes":[],"output_nodes":[],)"
                            R"("node_count":4)");
  start_node("b", 1);
  start_node("a", 0);
  start_node("c", 2);  // does not end
  apply("pipeline_node_completed", node("a", 0, R"(,"duration_ms":2,"output_keys":["k"])"));
  apply("pipeline_node_failed",
        node("b", 1, R"(,"duration_ms":3,"error_type":"E","error_message":"no luck")"));
  apply("pipeline_node_skipped", R"("node_id":"d","reason":"not needed")");
  fail_run();

  const auto attributes = fields_of(run_).attributes;
  EXPECT_EQ(json::to_text(*attributes.find("status")), R"("failed")");
  EXPECT_EQ(json::to_text(*attributes.find("stage_counts")),
            R"({"completed":1,"failed":1,"skipped":1})");
  EXPECT_EQ(
      json::to_text(*attributes.find("stage_details")),
      R"([{"stage":"d","status":"skipped","started_at":null,)"
      R"("ended_at":"2026-01-05T03:00:06.000001Z","duration_ms":null,"error":null,"data_keys":[]},)"
      R"({"stage":"a","status":"completed","started_at":"2026-01-05T03:00:02.000001Z",)"
      R"("ended_at":"2026-01-05T03:00:04.000001Z","duration_ms":2.0,"error":null,)"
      R"("data_keys":["k"]},)"
      R"({"stage":"b","status":"failed","started_at":"2026-01-05T03:00:01.000001Z",)"
      R"("ended_at":"2026-01-05T03:00:05.000001Z","duration_ms":3.0,"error":"no luck",)"
      R"("data_keys":[]}])");
  EXPECT_EQ(attributes.find("stage_details_left_out"), nullptr);
}

TEST_F(WideEventsTest, AreTheSameFromAProducersFields) {
  start_node("a", 0);
  const std::vector<std::string> keys{"y", "x"};
  apply("pipeline_node_completed", node("a", 0, R"(,"duration_ms":2,"output_keys":["y","x"])"));
  NodeWide given{.topology = run_.topology};
  const std::vector<FieldValue> place = {{Field::kSpanId, std::string_view("b7ad6b7169203331")},
                                         {Field::kNodeId, std::string_view("a")},
                                         {Field::kPluginId, std::string_view("p")},
                                         {Field::kToolId, std::string_view("t")},
                                         {Field::kStepIndex, std::int64_t{0}}};
  given.apply(Type::kNodeStarted, second(1), place);
  auto end = place;
  end.push_back({Field::kDurationMs, std::int64_t{2}});
  end.push_back({Field::kOutputKeys, std::span(keys)});
  given.apply(Type::kNodeCompleted, second(2), end);
  EXPECT_EQ(given, run_.nodes.at("a"));
}

TEST_F(WideEventsTest, AreOfANodesLastAttempt) {
  start_node("a", 0);
  apply("pipeline_node_failed",
        node("a", 0, R"(,"attempt":1,"duration_ms":3,"error_type":"E","error_message":"m")"));
  start_node("a", 0);
  EXPECT_EQ(run_.nodes.at("a").status, "");
  apply("pipeline_node_completed",
        node("a", 0, R"(,"attempt":2,"duration_ms":2,"output_keys":[])"));
  EXPECT_EQ(run_.nodes.at("a").status, "completed");
  EXPECT_EQ(run_.nodes.at("a").attempt, 2);
  EXPECT_EQ(run_.nodes.at("a").started_at, second(3));
  EXPECT_EQ(run_.nodes.at("a").error_type, "");
}

TEST(WideEvents, NameTheServiceOfATopologyAsStageflowDoes) {
  EXPECT_EQ(service_of("chat_fast"), "chat");
  EXPECT_EQ(service_of("very_long_chat_fast"), "very_long_chat");
  EXPECT_EQ(service_of("chat"), "chat");
  EXPECT_EQ(service_of("fast_kernel"), "");
  EXPECT_EQ(service_of(""), "");
}

TEST(WideEvents, CountTheStagesForWhichThereIsNoRoom) {
  PipelineWide run;
  for (int i = 0; i < 2000; ++i) {
    auto& node = run.nodes["n" + std::to_string(i)];
    node.status = "failed";
    node.step_index = i;
    node.error_message = std::string(10'000, 'x');
  }
  const auto attributes = fields_of(run).attributes;
  const auto& details = *attributes.find("stage_details")->array();
  EXPECT_LE(json::to_text(*attributes.find("stage_details")).size(), kMaxStageDetailsBytes + 1);
  EXPECT_GT(details.size(), 50U);
  EXPECT_EQ(*attributes.find("stage_details_left_out")->integer(),
            2000 - static_cast<std::int64_t>(details.size()));
  EXPECT_EQ(json::to_text(*attributes.find("stage_counts")), R"({"failed":2000})");
}

}  // namespace
}  // namespace weir::project
