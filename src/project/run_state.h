#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "event/decoder.h"

/// Pure folds over events.
namespace weir::project {

enum class State : std::uint8_t { kPending, kRunning, kCompleted, kFailed, kSkipped, kCancelled };
[[nodiscard]] std::string_view to_string(State state);

inline constexpr std::size_t kLastLogLines = 5;

struct NodeState {
  std::string node_id;
  std::string plugin_id;
  std::string tool_id;
  std::int64_t step_index = 0;
  std::vector<std::string> predecessors;
  State state = State::kPending;
  Timestamp started_at{};
  std::optional<double> duration_ms;
  std::string error_type;
  std::string error_message;
  std::int64_t log_lines = 0;
  std::deque<std::string> last_log_lines;  ///< the newest kLastLogLines, oldest first
};

/// What is known of a run. Fold its events in their order: `apply` for each.
struct RunState {
  RunId run_id;
  std::string pipeline_id;
  std::string pipeline_version;
  std::string pipeline_type;
  State state = State::kPending;
  /// An event came that may not follow what came before it; the state stayed as it was.
  bool inconsistent = false;
  Timestamp started_at{};
  Timestamp last_event_at{};
  std::optional<double> duration_ms;
  std::int64_t node_count = 0;
  std::int64_t events = 0;
  std::string failed_node_id;
  std::string error_type;
  std::string error_message;
  std::vector<NodeState> nodes;  ///< in the order of their starts

  void apply(const event::EventView& event);
  [[nodiscard]] bool is_finished() const {
    return state == State::kCompleted || state == State::kFailed || state == State::kCancelled;
  }
  [[nodiscard]] const NodeState* find_node(std::string_view node_id) const;

 private:
  void apply_to_run(const event::EventView& event, State end);
  void apply_to_node(const event::EventView& event);
  std::map<std::string, std::size_t, std::less<>> node_index_;
};

}  // namespace weir::project
