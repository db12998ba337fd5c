#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "event/decoder.h"

/// For tests of what is made from the events of runs: events in few words, given to a function.
namespace weir::project::testing_support {

class EventFeed {
 public:
  using Take = std::function<void(const event::EventView& event, std::string_view line)>;
  explicit EventFeed(Take take) : take_(std::move(take)) {}

  std::string pipeline = "p";
  std::string pipeline_type = "dag";
  std::string level = "INFO";
  int run = 1;
  /// Of the last event: the next has the next.
  std::int64_t seq = 0;
  /// Between an event and the next.
  std::chrono::microseconds step{1};

  /// 2026-01-05T03:00:00.000001Z, of the first event.
  static constexpr Timestamp kBegin{std::chrono::microseconds(1'767'582'000'000'001)};

  /// `members` without a comma in front.
  void event(std::string_view type, std::string_view members = "") {
    ++seq;
    auto line = R"({"timestamp":")" + weir::to_string(kBegin + (seq - 1) * step) +
                R"(","event_type":")" + std::string(type) + R"(","level":")" + level +
                R"(","pipeline_type":")" + pipeline_type + R"(","pipeline_id":")" + pipeline +
                R"(","pipeline_version":"1","run_id":"019b8a2f-7c00-7000-8000-00000000000)" +
                std::to_string(run) + R"(","run_seq":)" + std::to_string(seq);
    if (!members.empty()) line.append(",").append(members);
    line += "}";
    const auto decoded = decoder_.decode(line);
    ASSERT_TRUE(decoded) << decoded.error().message << "\n" << line;
    take_(**decoded, line);
  }
  void start_run(std::string_view members = "") {
    event("pipeline_started",
          R"("entry_nodes":["a"],"output_nodes":["a"],"node_count":2)" + more(members));
  }
  void start_node(std::string_view node, std::string_view members = "") {
    event("pipeline_node_started", of_node(node) + R"(,"predecessor_node_ids":[])" + more(members));
  }
  void complete_node(std::string_view node, double duration_ms, std::string_view members = "") {
    event("pipeline_node_completed", of_node(node) + R"(,"output_keys":[],"duration_ms":)" +
                                         json::to_text(duration_ms) + more(members));
  }
  void fail_node(std::string_view node, std::string_view error_type,
                 std::string_view members = "") {
    event("pipeline_node_failed", of_node(node) + R"(,"error_message":"m","error_type":")" +
                                      std::string(error_type) + "\"" + more(members));
  }
  void retry_node(std::string_view node, std::int64_t attempt = 2) {
    event("pipeline_node_retry_scheduled", R"("node_id":")" + std::string(node) +
                                               R"(","reason":"timeout","attempt":)" +
                                               std::to_string(attempt));
  }
  /// completed, failed or cancelled. `failed_node` is of one that failed.
  void end_run(std::string_view how, double duration_ms = 9, std::string_view failed_node = "") {
    std::string members = R"("duration_ms":)" + json::to_text(duration_ms);
    if (how == "completed") members += R"(,"output_node_ids":[],"node_count":1)";
    if (how == "failed") {
      members += R"(,"error_type":"E","error_message":"m","failed_node_id":)" +
                 (failed_node.empty() ? "null" : json::to_text(std::string(failed_node)));
    }
    if (how == "cancelled") members += R"(,"reason":"r")";
    event("pipeline_" + std::string(how), members);
  }

 private:
  static std::string of_node(std::string_view node) {
    return R"("node_id":")" + std::string(node) +
           R"(","plugin_id":"plug","tool_id":"tool","step_index":0)";
  }
  static std::string more(std::string_view members) {
    return members.empty() ? std::string() : "," + std::string(members);
  }

  Take take_;
  event::Decoder decoder_;
};

}  // namespace weir::project::testing_support
