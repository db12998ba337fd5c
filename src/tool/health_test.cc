#include "tool/health.h"

#include <gtest/gtest.h>

#include "tool/tool.h"

namespace weir::tool {
namespace {

using State = HealthReport::State;

/// Ends a call that took so long.
void end_call(Health& health, int milliseconds, std::string_view failure) {
  const auto now = std::chrono::steady_clock::now();
  health.call_ends(now - std::chrono::milliseconds(milliseconds), now, failure);
}

TEST(Health, GoesFromLoadedThroughRunningToHowTheLastCallEnded) {
  Health health;
  EXPECT_EQ(health.report().state, State::kLoaded);
  EXPECT_FALSE(health.report().last_used);
  health.call_begins();
  EXPECT_EQ(health.report().state, State::kRunning);
  end_call(health, 5, "");
  EXPECT_EQ(health.report().state, State::kInitialized);
  EXPECT_TRUE(health.report().last_used);
  health.call_begins();
  end_call(health, 7, "broken");
  EXPECT_EQ(health.report().state, State::kFailed);
  EXPECT_EQ(health.report().reason, "broken");
  health.set_unavailable("no kernel");
  EXPECT_EQ(health.report().state, State::kUnavailable);
  EXPECT_EQ(health.report().reason, "no kernel");
  health.set_unavailable("");
  EXPECT_EQ(health.report().state, State::kFailed);
  EXPECT_EQ(health.report().success_count, 1);
  EXPECT_EQ(health.report().error_count, 1);
  EXPECT_GE(health.report().uptime_seconds, 0);
}

TEST(Health, AveragesTheLastTenCalls) {
  Health health;
  for (int i = 1; i <= 12; ++i) {
    health.call_begins();
    end_call(health, i, "");
  }
  EXPECT_EQ(health.report().last_execution_time_ms, 12);
  EXPECT_DOUBLE_EQ(health.report().average_execution_time_ms.value_or(0), 7.5);  // of 3 … 12
}

TEST(Health, IsKeptByTheRegistryForAllToolsOfAPlugin) {
  Registry registry;
  registry.add(
      std::make_unique<FunctionTool>("p", "good", [](const Call&) { return json::Object(); }));
  registry.add(std::make_unique<FunctionTool>(
      "p", "bad", [](const Call&) -> json::Object { throw std::runtime_error("boom"); }));
  const Call call{.run_id = "r", .node_id = "n", .payload = {}, .with = {}, .folder = {}};
  EXPECT_TRUE(run_caught(*registry.find("p", "good"), call));
  EXPECT_FALSE(run_caught(*registry.find("p", "bad"), call));
  const auto report = registry.health("p")->report();
  EXPECT_EQ(report.success_count, 1);
  EXPECT_EQ(report.error_count, 1);
  EXPECT_EQ(report.reason, "std::runtime_error: boom");
  EXPECT_EQ(registry.health("q"), nullptr);
}

}  // namespace
}  // namespace weir::tool
