#pragma once

#include <memory>
#include <string_view>

#include "base/json.h"
#include "event/redaction.h"

/// How data moves between nodes.
namespace weir::engine {

/// A node's output; null until it has completed.
using OutputPointer = std::shared_ptr<const json::Object>;

/// Of an empty one, which many are, there is one for all: nobody owns it, so nobody counts.
[[nodiscard]] OutputPointer keep_output(json::Object output);

/// The initial payload, updated with the predecessors' outputs in the order of the edges, is a
/// node's input; with those of the output nodes, a run's result. The last one wins.
inline void update(json::Object& payload, const OutputPointer& output) {
  if (output) payload.update(*output);
}

/// Outputs up to this size may stand in their event.
inline constexpr std::size_t kMaxInlineOutput = 4096;

/// Whether an output, as JSON, may stand in its event: it is small, and `redactor` finds nothing in
/// it. Otherwise it is an artifact, whose hash the event names.
[[nodiscard]] bool may_stand_in_event(std::string_view output, const event::Redactor& redactor);

/// The one of a policy that says nothing.
[[nodiscard]] const event::Redactor& default_redactor();

}  // namespace weir::engine
