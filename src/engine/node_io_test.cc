#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_testing.h"
#include "engine/node_events.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class NodeIoTest : public EngineTest {
 protected:
  NodeIoTest() { loggers_ = &levels_; }

  std::vector<Seen> io() {
    auto all = events();
    std::erase_if(all, [](const Seen& event) { return event.type != "node_io"; });
    return all;
  }

  record::Loggers levels_;
};

TEST_F(NodeIoTest, SaysWhatGoesInAndComesOutWhenItsLoggerIsAtDebug) {
  ASSERT_TRUE(levels_.set_level("pipeline_dag", event::Level::kDebug));
  json::Object payload;
  payload.set("mail", "ann@example.com");
  ASSERT_TRUE(run(kTwoNodes, payload));
  const auto seen = io();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].topic, "stage.n1.io");
  EXPECT_EQ(seen[0].level, "DEBUG");
  EXPECT_EQ(seen[0].members.at("logger"), "pipeline_dag");
  EXPECT_THAT(seen[0].members.at("attributes"),
              HasSubstr(R"("input":{"mail":"[REDACTED:email]"}})"));
  EXPECT_THAT(seen[1].members.at("attributes"), HasSubstr(R"("output":{)"));
  EXPECT_THAT(seen[1].members.at("attributes"), HasSubstr(R"("a":"t1")"));
  for (const auto& event : seen) {
    EXPECT_THAT(event.members.at("attributes"), Not(HasSubstr("ann@example.com")));
  }
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "node_io", "node_io",
                          "pipeline_node_completed", "pipeline_node_started", "node_io", "node_io",
                          "pipeline_node_completed", "pipeline_completed"));
}

TEST_F(NodeIoTest, IsNotSaidOtherwise) {
  ASSERT_TRUE(run(kTwoNodes));
  EXPECT_TRUE(io().empty());
}

TEST_F(NodeIoTest, IsToldByItsSizeWhenItIsLarge) {
  ASSERT_TRUE(levels_.set_level("weir", event::Level::kDebug));
  json::Object payload;
  payload.set("text", std::string(kMaxIoBytes, 'x'));
  ASSERT_TRUE(run(kTwoNodes, payload));
  EXPECT_THAT(io()[0].members.at("attributes"), HasSubstr(R"({"input_bytes":65)"));
}

}  // namespace
}  // namespace weir::engine
