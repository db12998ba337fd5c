#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/child_runs_testing.h"

// What people may ask of a run that a node of another one runs. Pauses and stops that come down to
// it: child_runs_test.cc.
namespace weir::engine {
namespace {

using testing::HasSubstr;

class NestedRunsAsked : public ChildRunsTest {};

TEST_F(NestedRunsAsked, AreNotRunAnewByThemselves) {
  add("x", "anew", [this](const tool::Call& call) {
    ask(*RunId::parse(call.run_id), "retry-run");
    return json::Object();
  });
  pipeline(R"({"id": "q", "nodes": [{"id": "q1", "plugin_id": "x", "tool_id": "anew"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "inside", "pipeline": "q"}]})");
  const auto report = run_pipeline("p", {}, {.is_asked = true});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  const auto rejected = only("signal_rejected");
  EXPECT_EQ(rejected.members.at("error_code"), "SIGNAL_UNSUPPORTED");
  EXPECT_THAT(rejected.members.at("reason"), HasSubstr(report->run_id.text()));
}

}  // namespace
}  // namespace weir::engine
