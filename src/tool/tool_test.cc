#include "tool/tool.h"

#include <gtest/gtest.h>

#include <ctime>
#include <stdexcept>

namespace weir::tool {
namespace {

/// Works for a millisecond of processor time.
class BusyTool final : public Tool {
 public:
  explicit BusyTool(bool measures) {
    spec_.plugin_id = "x";
    spec_.tool_id = "busy";
    spec_.measures_cpu = measures;
  }
  [[nodiscard]] const ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<Output, Failure> run(const Call& call) override {
    const auto end = std::clock() + CLOCKS_PER_SEC / 1000;
    while (std::clock() < end) continue;
    if (call.payload.empty()) return Output{.payload = {}, .usage = {}};
    if (call.payload.find("throw") != nullptr) throw std::runtime_error("no");
    return std::unexpected(Failure{.type = "E", .message = "no", .exit_code = {}, .usage = {}});
  }

 private:
  ToolSpec spec_;
};

Usage used(bool measures, const json::Object& payload) {
  BusyTool tool(measures);
  const json::Object with;
  const std::filesystem::path folder;
  auto output = run_caught(tool, {.run_id = "r",
                                  .node_id = "n",
                                  .payload = payload,
                                  .with = with,
                                  .folder = folder,
                                  .stop = {},
                                  .log = {},
                                  .kept = {},
                                  .environment = {}});
  return output ? output->usage : output.error().usage;
}

TEST(Tool, SaysWhatProcessorTimeItsThreadUsedIfItsToolAsksForThat) {
  json::Object failing;
  failing.set("fail", true);
  EXPECT_GT(used(true, {}).cpu_ms.value_or(0), 0.5);
  EXPECT_GT(used(true, failing).cpu_ms.value_or(0), 0.5);
  json::Object throwing;
  throwing.set("throw", true);
  EXPECT_GT(used(true, throwing).cpu_ms.value_or(0), 0.5);
  EXPECT_FALSE(used(false, {}).cpu_ms);
}

}  // namespace
}  // namespace weir::tool
