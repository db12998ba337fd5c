#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "project/run_state.h"
#include "tests/random_runs/held_states.h"
#include "tests/random_runs/random_pipeline.h"

namespace weir::random_runs {

/// A store of its own, for as long as it lives.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const log::StoreDirectory store;
};

/// A run as it was recorded, and how often its tools were called.
struct PlayedRun {
  std::vector<std::string> lines;  ///< its events and those of the runs that its nodes began
  /// The place of the one that ended it: a late line may follow, and what is wide.
  std::size_t end = 0;
  Result<engine::RunReport> report = fail(ErrorCode::kCancelled, "not run");
  std::map<std::string, int> calls;  ///< of each node and item of each run: see `call_key`
  std::map<std::string, int> undos;  ///< the same, of what takes back what they did
  int alerts = 0;                    ///< that the run has fired
  HeldStates held;
};

[[nodiscard]] std::string call_key(std::string_view run_id, std::string_view node_id);

/// Of an event's line.
[[nodiscard]] std::string type_of(const std::string& line);

/// What lines tell of each run, by its id.
[[nodiscard]] std::map<std::string, project::RunState> states_of(
    std::span<const std::string> lines);

/// What is wrong with the runs' events: order, numbers, state; nothing: nothing. `states` become
/// those of `states_of`.
[[nodiscard]] std::optional<std::string> fault_in(const std::vector<std::string>& lines,
                                                  std::map<std::string, project::RunState>& states);

/// Plays one pipeline, as often as it is wanted. What its runs keep outlives their processes.
class Player {
 public:
  explicit Player(const RandomPipeline& pipeline);
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// Runs the pipeline to its end.
  [[nodiscard]] PlayedRun play();
  /// Another process has recorded `before` of the run, and was lost: it is taken up, and `lines`
  /// are what came after. `states` are those of `before`.
  [[nodiscard]] PlayedRun take_up(const RunId& run, const std::vector<std::string>& before,
                                  const std::map<std::string, project::RunState>& states);

  /// The engine that takes the run up after these events stands where they say: what differs;
  /// nothing: nothing.
  [[nodiscard]] std::optional<std::string> difference(const engine::RecordedRun& past,
                                                      const project::RunState& state) const;

 private:
  class Stage;
  void fill_cache();
  [[nodiscard]] Result<engine::LostRun> take_child(const log::StoreDirectory& store,
                                                   const RunId& run,
                                                   const std::vector<std::string>& before) const;

  const RandomPipeline& pipeline_;
  const Scratch scratch_;
  const artifact::ArtifactStore artifacts_;
  const pipeline::File file_;
  std::map<std::string, std::shared_ptr<const engine::SubPipeline>> children_;
};

}  // namespace weir::random_runs
