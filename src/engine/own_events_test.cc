#include <gmock/gmock.h>

#include "engine/engine_testing.h"
#include "tool/own_event.h"

// What tools say themselves of their nodes.
namespace weir::engine {
namespace {

using testing::HasSubstr;

constexpr const char* kOneNode =
    R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "t"}]})";

TEST_F(EngineTest, RecordsEventsOfAToolAsItsNodes) {
  add("x", "t", [](const tool::Call& call) {
    tool::OwnEvent page{.type = "page.read", .level = event::Level::kWarning};
    page.members.set("rows", 3);
    page.members.set("cost_usd", 2);
    page.members.append({"rows", 4});
    page.members.set("run_id", "another");
    page.members.set("token", "ghp_0123456789abcdefghijABCDEFGHIJ012345");
    EXPECT_TRUE(call.emit(page));
    tool::OwnEvent agent{.type = "agent_run"};
    agent.members.set("agent_id", "drafter");
    agent.members.set("outcome", "completed");
    EXPECT_TRUE(call.emit(agent));
    const auto taken = call.emit({.type = "pipeline_failed"});
    EXPECT_EQ(taken.error().code, ErrorCode::kInvalidInput);
    return json::Object();
  });
  ASSERT_TRUE(run(kOneNode));
  const auto page = only("page.read");
  EXPECT_EQ(page.level, "WARNING");
  EXPECT_EQ(page.node_id, "n");
  EXPECT_EQ(page.topic, "custom.page.read");
  EXPECT_EQ(page.run_id, only("pipeline_started").run_id);
  EXPECT_EQ(page.members.at("plugin_id"), "x");
  EXPECT_EQ(page.members.at("attempt"), "1");
  EXPECT_EQ(page.members.at("rows"), "4") << "the last one counts";
  EXPECT_EQ(page.members.at("span_id"), only("pipeline_node_started").members.at("span_id"));
  EXPECT_THAT(page.members.at("attributes"), HasSubstr(R"("run_id":"another")"));
  EXPECT_THAT(page.members.at("attributes"), testing::Not(HasSubstr("ghp_")));
  EXPECT_EQ(only("agent_run").members.at("agent_id"), "drafter");
  EXPECT_THAT(types(), testing::Not(testing::Contains("pipeline_failed")));
}

TEST_F(EngineTest, DoesNotRecordMoreEventsOfACallThanAPersonReads) {
  add("x", "t", [](const tool::Call& call) {
    for (int i = 0; i < tool::kMaxOwnEvents; ++i) EXPECT_TRUE(call.emit({.type = "tick"}));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(call.emit({.type = "tick"}).error().code, ErrorCode::kExhausted);
    }
    return json::Object();
  });
  ASSERT_TRUE(run(kOneNode));
  EXPECT_EQ(std::ranges::count(types(), "tick"), tool::kMaxOwnEvents);
  EXPECT_THAT(only("log").members.at("message"), HasSubstr("is not recorded: the limit is 1000"));
}

}  // namespace
}  // namespace weir::engine
