#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/execution.h"

namespace weir::random_runs {

/// What the engine held of a run, whenever the run had moved: where each node and item stood, the
/// tries that it counts, whether the run was paused, and what was open.
class HeldStates : public engine::RunWatcher {
 public:
  explicit HeldStates(std::vector<std::string> ids) : ids_(std::move(ids)) {}

  void moved(const engine::Execution& run) override;

  /// Folds the run's events, those before it was taken up included, and looks at each moment
  /// whether the state is what the engine held: what differs; nothing: nothing. `compared` is
  /// counted up by the events after which that was looked at.
  [[nodiscard]] std::optional<std::string> difference(const std::vector<std::string>& lines,
                                                      std::size_t& compared) const;

 private:
  struct Moment {
    std::int64_t last_number = 0;  ///< of the events until then
    bool is_paused = false;
    std::size_t open_questions = 0;
    std::size_t deferred_requests = 0;
    std::vector<std::optional<engine::Execution::Standing>> standings;  ///< as `ids_`
  };

  std::vector<std::string> ids_;
  std::vector<Moment> moments_;
};

}  // namespace weir::random_runs
