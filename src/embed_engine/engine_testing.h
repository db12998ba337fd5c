#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "log/store_directory.h"
#include "record/recorded_events.h"
#include "weir/engine.h"

/// For tests: an engine of weir/engine.h over a store and a folder of pipelines.
namespace weir::embed::testing_support {

class EngineInProgram : public testing::Test {
 protected:
  EngineInProgram() { std::filesystem::create_directories(folder_ / "pipelines"); }
  ~EngineInProgram() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Engine open(std::vector<std::pair<std::string, std::string>> secrets = {}) {
    EngineOptions options;
    options.pipelines = {folder_ / "pipelines"};
    options.secrets = std::move(secrets);
    auto engine = Engine::open(folder_ / "store", options);
    EXPECT_TRUE(engine) << engine.status().message();
    EXPECT_TRUE((*engine).add_tool({"x", "echo"}, [](ToolCall& call) -> ToolResult {
      return ToolOutput{std::string(call.settings())};
    }));
    return *std::move(engine);
  }

  void pipeline(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / "pipelines" / name) << text;
  }

  /// Of all runs, as lines of the log.
  [[nodiscard]] std::vector<std::string> lines() const {
    const auto store = log::StoreDirectory::open(folder_ / "store");
    return store ? record::testing_support::committed_lines(*store) : std::vector<std::string>();
  }
  [[nodiscard]] std::string all_lines() const {
    std::string all;
    for (const auto& line : lines()) all.append(line).append("\n");
    return all;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("engine-" + std::to_string(random_bits()));
};

}  // namespace weir::embed::testing_support
