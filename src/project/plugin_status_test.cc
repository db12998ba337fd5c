#include "project/plugin_status.h"

#include <gtest/gtest.h>

namespace weir::project {
namespace {

std::string status_of(const std::string& type, const std::string& more = "") {
  const auto line =
      R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + type +
      R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)"
      R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":1,"node_id":"n","plugin_id":"p",)"
      R"("tool_id":"t","step_index":0)" +
      more + "}";
  event::Decoder decoder;
  const auto event = decoder.decode(line);
  if (!event) return event.error().message;
  return std::string(plugin_status(**event).value_or("nothing"));
}

TEST(PluginStatus, IsSaidOfEveryEndOfAnAttempt) {
  const std::string took = R"(,"attempt":1,"duration_ms":1.5)", why = R"(,"reason":"asked")";
  const auto failed = [&](const std::string& outcome) {
    return status_of("pipeline_node_failed", took + outcome +
                                                 R"(,"error_type":"E","error_message":"m")"
                                                 R"(,"retryable":false)");
  };
  EXPECT_EQ(status_of("pipeline_node_completed", took + R"(,"output_keys":[])"), "success");
  EXPECT_EQ(failed(R"(,"outcome":"timeout")"), "timeout");
  EXPECT_EQ(failed(R"(,"outcome":"denied")"), "permission_denied");
  EXPECT_EQ(failed(R"(,"outcome":"oom")"), "isolated_failure");
  EXPECT_EQ(failed(""), "isolated_failure");
  EXPECT_EQ(status_of("pipeline_node_cancelled", took + R"(,"outcome":"timeout")" + why),
            "timeout");
  EXPECT_EQ(status_of("pipeline_node_cancelled", took + why), "nothing");
  EXPECT_EQ(status_of("pipeline_node_started", R"(,"predecessor_node_ids":[],"attempt":1)"),
            "nothing");
}

}  // namespace
}  // namespace weir::project
