#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "engine/engine_testing.h"
#include "engine/recorded_run.h"
#include "event/decoder.h"
#include "project/run_state.h"

/// For tests: what was recorded of a run, whole or up to where its process was lost.
namespace weir::engine {

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

class TakeUpTest : public EngineTest {
 protected:
  TakeUpTest() {
    add("x", "name", [this](const tool::Call& call) {
      count(call);
      auto output = call.payload;
      output.set(std::string(call.node_id), "done");
      output.set("list", json::Array{json::Value(1), json::Value(2)});
      return output;
    });
    add("x", "large", [this](const tool::Call& call) {
      count(call);
      json::Object output;
      output.set("large", std::string(2 * kMaxInlineOutput, 'x'));
      return output;
    });
    add("x", "flaky", [this](const tool::Call& call) {
      if (count(call) < 3) throw std::runtime_error("not yet");
      json::Object output;
      output.set("flaky", 1);
      return output;
    });
    add("x", "fail", [this](const tool::Call& call) -> json::Object {
      count(call);
      throw std::invalid_argument("never");
    });
  }

  /// How often the node has been called, this call included.
  int count(const tool::Call& call) {
    const std::lock_guard lock(mutex_);
    keys_[std::string(call.node_id)].emplace_back(call.idempotency_key);
    return ++calls_[std::string(call.node_id)];
  }

  /// Goes on with what `before` tells, in a store of its own; returns what was recorded there.
  /// `asked` came in between.
  Result<RunReport> take_up(const std::string& json, std::span<const std::string> before,
                            std::vector<std::string>& after, std::vector<SignalRequest> asked = {},
                            int jobs = 1) {
    const auto store = log::StoreDirectory::create(
        testing::TempDir() + "taken-up-" + std::to_string(random_bits()), files_);
    EXPECT_TRUE(store);
    const auto file = pipeline::read_definition(*json::parse(json));
    auto result = [&]() -> Result<RunReport> {
      record::Recorder recorder(*store, {});
      Engine engine(recorder, artifacts_, tools_);
      auto run = recorded_run(before);
      WEIR_TRY(auto lock, log::RunLock::take(*store, run.run_id));
      run.requests = std::move(asked);
      OwnedRun owned{.lock = std::move(lock), .recorded = std::move(run)};
      return engine.run({.definition = file.definition,
                         .definition_text = json,
                         .folder = ".",
                         .payload = {},
                         .owned = &owned,
                         .jobs = jobs,
                         .stop = {},
                         .on_update = {}});
    }();
    after = lines_of(*store);
    return result;
  }

  std::mutex mutex_;
  std::map<std::string, int> calls_;
  std::map<std::string, std::vector<std::string>> keys_;
};

}  // namespace weir::engine
