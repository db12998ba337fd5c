#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/mode_around.h"
#include "engine/node_events.h"
#include "pipeline/definition.h"
#include "tool/tool.h"

namespace weir::engine {

/// The type of a failure of a node whose tool may not be called.
inline constexpr std::string_view kToolDenied = "ToolDenied";

/// Those that hold for the runs that a run's nodes begin: its own, if the definition declares it,
/// and those that are around the run itself.
[[nodiscard]] std::vector<ModeAround> modes_inside(const pipeline::Definition& definition,
                                                   const RunPlace& place);

/// Which tools a run may call in its execution mode, and in those of the runs around it.
class ToolGate {
 public:
  ToolGate(const pipeline::Definition& definition, const RunPlace& place);

  /// If one of the modes does not allow the tool of `node`: records that, and returns why the node
  /// fails.
  [[nodiscard]] std::optional<tool::Failure> deny(const pipeline::Node& node,
                                                  NodeEvents& events) const;

 private:
  const std::vector<ModeAround> modes_;  // empty: every tool
  const bool has_own_;                   // it is the first
};

}  // namespace weir::engine
