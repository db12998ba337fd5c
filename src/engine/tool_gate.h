#pragma once

#include <optional>
#include <string_view>

#include "engine/node_events.h"
#include "pipeline/definition.h"
#include "tool/tool.h"

namespace weir::engine {

/// The type of a failure of a node whose tool may not be called.
inline constexpr std::string_view kToolDenied = "ToolDenied";

/// Which tools a run may call in its execution mode.
class ToolGate {
 public:
  /// `definition` outlives it.
  ToolGate(const pipeline::Definition& definition, std::string_view mode);

  /// If the mode does not allow the tool of `node`: records that, and returns why the node fails.
  [[nodiscard]] std::optional<tool::Failure> deny(const pipeline::Node& node,
                                                  NodeEvents& events) const;

 private:
  std::string_view name_;
  const pipeline::ExecutionMode* mode_;  // null: every tool
};

}  // namespace weir::engine
