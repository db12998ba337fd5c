#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_testing.h"
#include "engine/recorded_run.h"
#include "event/decoder.h"
#include "project/run_state.h"

/// For tests: what was recorded of a run, whole or up to where its process was lost.
namespace weir::engine {

/// Segments are named by the millisecond in which their writer began: after this, those of the next
/// one come after those of the last one.
inline void wait_for_next_writer() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

/// The lines of a store's events, in their order.
[[nodiscard]] inline std::vector<std::string> lines_of(const log::StoreDirectory& store) {
  std::vector<std::string> lines;
  const auto segments = store.segments();
  EXPECT_TRUE(segments);
  for (const auto& segment : *segments) {
    std::ifstream file(segment);
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("{\"timestamp\"")) lines.push_back(line);
    }
  }
  return lines;
}

[[nodiscard]] inline RecordedRun recorded_run(std::span<const std::string> lines) {
  RecordedRun run;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    EXPECT_TRUE(event);
    run.apply(**event);
  }
  return run;
}

[[nodiscard]] inline project::RunState state_of(std::span<const std::string> before,
                                                std::span<const std::string> after = {}) {
  project::RunState state;
  event::Decoder decoder;
  for (const auto& part : {before, after}) {
    for (const auto& line : part) state.apply(**decoder.decode(line));
  }
  return state;
}

[[nodiscard]] inline std::map<std::string, project::State> states_of(const project::RunState& run) {
  std::map<std::string, project::State> states;
  for (const auto& node : run.nodes) states[node.node_id] = node.state;
  return states;
}

/// Removes the content of all artifacts.
inline void lose_artifacts(const log::StoreDirectory& store) {
  std::vector<std::filesystem::path> lost;
  for (const auto& file : std::filesystem::recursive_directory_iterator(store.artifacts())) {
    if (file.is_regular_file()) lost.push_back(file.path());
  }
  for (const auto& file : lost) std::filesystem::remove(file);
}

}  // namespace weir::engine
