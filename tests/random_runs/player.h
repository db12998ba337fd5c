#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/random_runs/held_states.h"
#include "tests/random_runs/random_pipeline.h"

namespace weir::random_runs {

/// A run as it was recorded, and how often its tools were called.
struct PlayedRun {
  std::vector<std::string> lines;  ///< its events
  std::size_t end = 0;             ///< the place of the one that ended it: a late line may follow
  Result<engine::RunReport> report = fail(ErrorCode::kCancelled, "not run");
  std::map<std::string, int> calls;  ///< of each node and item
  std::map<std::string, int> undos;  ///< the same, of what takes back what they did
  int alerts = 0;                    ///< that the run has fired
  HeldStates held;
};

/// Of an event's line.
[[nodiscard]] std::string type_of(const std::string& line);

/// Runs the pipeline to its end. With `before`, another process has recorded that of the run, and
/// was lost: then it is taken up, and `lines` are what came after.
[[nodiscard]] PlayedRun play(const RandomPipeline& pipeline,
                             const std::vector<std::string>& before);

/// What is wrong with a run's events: order, numbers, state; nothing: nothing.
[[nodiscard]] std::optional<std::string> fault_in(const std::vector<std::string>& lines);

/// The engine that takes the run up after these events stands where they say: what differs;
/// nothing: nothing.
[[nodiscard]] std::optional<std::string> difference(const RandomPipeline& pipeline,
                                                    const std::vector<std::string>& lines);

}  // namespace weir::random_runs
