#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_testing.h"
#include "engine/take_up_testing.h"
#include "record/context.h"

// In an execution mode some tools are not called.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ExecutionModeTest : public TakeUpTest {
 protected:
  ExecutionModeTest() {
    add("x", "undo", [this](const tool::Call& call) {
      count(call);
      return json::Object();
    });
  }

  static constexpr const char* kModes = R"("execution_modes": {
      "practice": {"allow": ["x.*", "a.t1"], "deny": ["x.name", "x.undo"]}, "real": {}})";

  std::string pipeline(const std::string& tool) {
    return R"({"id": "p", )" + std::string(kModes) +
           R"(, "nodes": [{"id": "n", "plugin_id": "x", "tool_id": ")" + tool + R"("}]})";
  }

  Result<RunReport> run_in(const std::string& mode, const std::string& json) {
    const record::ContextScope scope([&] {
      auto context = std::make_shared<record::TraceContext>();
      if (!mode.empty()) context->ids.extra["execution_mode"] = mode;
      return context;
    }());
    return run(json, {}, 1);
  }
};

TEST_F(ExecutionModeTest, DoesNotCallAToolThatTheModeDenies) {
  const auto report = run_in("practice", pipeline("name"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failure.type, "ToolDenied");
  EXPECT_EQ(report->failure.message,
            "tool 'x.name' is not allowed in the execution mode 'practice'");
  EXPECT_EQ(calls_["n"], 0);
  EXPECT_THAT(types(), ElementsAre("pipeline_started", "pipeline_node_started", "tool_denied",
                                   "pipeline_node_failed", "pipeline_failed"));
  const auto denied = only("tool_denied");
  EXPECT_EQ(denied.members.at("reason"), "behavior_not_allowed");
  EXPECT_EQ(denied.members.at("execution_mode"), "practice");
  EXPECT_EQ(denied.members.at("attributes"),
            R"({"allow":["x.*","a.t1"],"deny":["x.name","x.undo"]})");
  const auto failed = only("pipeline_node_failed");
  EXPECT_EQ(failed.members.at("outcome"), "denied");
  EXPECT_EQ(failed.members.at("retryable"), "false");
  EXPECT_EQ(only("pipeline_started").members.at("execution_mode"), "practice");
}

TEST_F(ExecutionModeTest, DoesNotTryADeniedToolAgain) {
  auto text = pipeline("name");
  text.insert(text.find(R"("id": "n")"), R"("retry": {"max_attempts": 3, "delay": "1ms"}, )");
  ASSERT_TRUE(run_in("practice", text));
  EXPECT_EQ(only("tool_denied").node_id, "n");
}

TEST_F(ExecutionModeTest, CallsWhatTheModeAllowsAndEverythingWithoutAMode) {
  for (const auto* mode : {"real", ""}) {
    const auto report = run_in(mode, pipeline("name"));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  }
  EXPECT_EQ(calls_["n"], 2);
}

TEST_F(ExecutionModeTest, DoesNotCallAnUndoThatTheModeDenies) {
  const auto report = run_in("practice", R"({"id": "p", )" + std::string(kModes) + R"(, "nodes": [
      {"id": "done", "plugin_id": "x", "tool_id": "large", "undo": {"tool": "undo"}},
      {"id": "bad", "plugin_id": "x", "tool_id": "fail", "needs": ["done"]}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(calls_["done"], 1) << "and not by its undo";
  EXPECT_EQ(only("tool_denied").members.at("tool_id"), "undo");
  EXPECT_EQ(only("tool_undo_failed").members.at("error_type"), "ToolDenied");
  ASSERT_EQ(report->undo_failures.size(), 1U);
  EXPECT_EQ(report->undo_failures[0].node_id, "done");
}

TEST_F(ExecutionModeTest, RefusesAModeThatThePipelineHasNotAndRecordsNothing) {
  const auto report = run_in("practise", pipeline("name"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(report.error().message, HasSubstr("did you mean 'practice'"));
  EXPECT_THAT(events(), testing::IsEmpty());
}

TEST_F(ExecutionModeTest, IsOnlyALabelToAPipelineThatDeclaresNone) {
  const auto report = run_in("nightly", kTwoNodes);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(only("pipeline_started").members.at("execution_mode"), "nightly");
}

TEST_F(ExecutionModeTest, ALostRunGoesOnInItsMode) {
  ASSERT_TRUE(run_in("practice", pipeline("name")));
  const auto all = lines_of(store_);
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE(all[lost_after - 1]);
    std::vector<std::string> after;
    const auto report = take_up(pipeline("name"), std::span(all.data(), lost_after), after);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->failure.type, "ToolDenied");
    EXPECT_EQ(calls_["n"], 0);
    EXPECT_FALSE(state_of(std::span(all.data(), lost_after), after).is_inconsistent());
  }
}

}  // namespace
}  // namespace weir::engine
