#pragma once

#include <optional>

#include "base/time.h"
#include "event/decoder.h"
#include "project/node_state.h"

namespace weir::project {

/// What an event `span` tells, read as the SQL views read it (weir_is_of_trace, weir_state_of_span
/// and weir_begin_of_span in sql/views): it is told when it ends, and one without a duration has
/// only begun.
struct ObservedSpan {
  Timestamp started_at{};
  std::optional<Timestamp> ended_at{};
  State state = State::kRunning;
  /// The trace is a run of its own, of which this is the root or a node. Otherwise it tells of what
  /// a node of some run does inside.
  bool is_of_trace = false;

  [[nodiscard]] static ObservedSpan of(const event::EventView& event);
};

}  // namespace weir::project
