#pragma once

#include <gtest/gtest.h>

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
  int run = 1;

  /// 2026-01-05T03:00:00.000001Z, of the first event; every later one is a microsecond later.
  static constexpr Timestamp kBegin{std::chrono::microseconds(1'767'582'000'000'001)};

  /// `members` without a comma in front.
  void event(std::string_view type, std::string_view members = "") {
    ++seq_;
    auto line = R"({"timestamp":")" + to_string(kBegin + std::chrono::microseconds(seq_ - 1)) +
                R"(","event_type":")" + std::string(type) +
                R"(","level":"INFO","pipeline_type":"dag","pipeline_id":")" + pipeline +
                R"(","pipeline_version":"1","run_id":"019b8a2f-7c00-7000-8000-00000000000)" +
                std::to_string(run) + R"(","run_seq":)" + std::to_string(seq_);
    if (!members.empty()) line.append(",").append(members);
    line += "}";
    const auto decoded = decoder_.decode(line);
    ASSERT_TRUE(decoded) << decoded.error().message << "\n" << line;
    take_(**decoded, line);
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
  void retry_node(std::string_view node) {
    event("pipeline_node_retry_scheduled",
          R"("node_id":")" + std::string(node) + R"(","attempt":2,"reason":"timeout")");
  }
  /// completed, failed or cancelled.
  void end_run(std::string_view how, double duration_ms) {
    std::string members = R"("duration_ms":)" + json::to_text(duration_ms);
    if (how == "completed") members += R"(,"output_node_ids":[],"node_count":1)";
    if (how == "failed")
      members += R"(,"error_type":"E","error_message":"m","failed_node_id":null)";
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
  int seq_ = 0;
};

}  // namespace weir::project::testing_support
