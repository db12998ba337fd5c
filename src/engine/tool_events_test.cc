#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_testing.h"
#include "record/context.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ToolEventsTest : public EngineTest {};

TEST_F(ToolEventsTest, TellsOfEachCallWhereThePipelineWantsIt) {
  int calls = 0;
  add("x", "flaky", [&](const tool::Call&) -> json::Object {
    if (++calls == 1) throw std::runtime_error("it is down");
    json::Object output;
    output.set("k", 1);
    return output;
  });
  ASSERT_TRUE(run(R"({"id": "p", "tool_events": true, "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "flaky",
       "retry": {"max_attempts": 2, "delay": "1ms"}}]})"));
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started", "tool_invoked",
                                   "tool_started", "tool_failed", "pipeline_node_failed",
                                   "pipeline_node_retry_scheduled", "pipeline_node_started",
                                   "tool_invoked", "tool_started", "tool_completed",
                                   "pipeline_node_completed", "pipeline_completed"));
  const auto seen = events();
  EXPECT_EQ(seen[4].members.at("error_message"), "it is down");
  EXPECT_EQ(seen[4].members.at("call_id"), seen[1].members.at("span_id"));
  EXPECT_EQ(seen[4].topic, "tool.failed");
  EXPECT_NE(seen[10].members.at("call_id"), seen[4].members.at("call_id"));
  EXPECT_THAT(seen[10].members.at("attributes"), HasSubstr(R"("has_data":true)"));
}

TEST_F(ToolEventsTest, SumsUpWhatAToolIsGiven) {
  add("x", "large", [](const tool::Call&) {
    json::Object output;
    json::Array list;
    for (int i = 0; i < 3; ++i) list.emplace_back(i);
    output.set("text", std::string(300, 'x'));
    output.set("list", std::move(list));
    return output;
  });
  add("x", "end", [](const tool::Call&) { return json::Object(); });
  ASSERT_TRUE(run(R"({"id": "p", "tool_events": true, "nodes": [
      {"id": "a", "plugin_id": "x", "tool_id": "large"},
      {"id": "b", "plugin_id": "x", "tool_id": "end", "needs": ["a"]}]})"));
  std::string invoked;
  for (const auto& event : events()) {
    if (event.type == "tool_invoked" && event.node_id == "b") {
      invoked = event.members.at("attributes");
    }
  }
  EXPECT_THAT(invoked, HasSubstr("\"list\":\"<list with 3 items>\""));
  EXPECT_THAT(invoked, HasSubstr(std::string(200, 'x') + "...\""));
}

TEST_F(ToolEventsTest, SaysThatADeniedToolWasInvoked) {
  add("x", "t", [](const tool::Call&) { return json::Object(); });
  const auto context = std::make_shared<record::TraceContext>();
  context->ids.extra["execution_mode"] = "look";
  const record::ContextScope scope(context);
  ASSERT_TRUE(run(R"({"id": "p", "tool_events": true,
      "execution_modes": {"look": {"deny": ["x.*"]}},
      "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "t"}]})"));
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started", "tool_invoked",
                                   "tool_denied", "pipeline_node_failed", "pipeline_failed"));
}

}  // namespace
}  // namespace weir::engine
