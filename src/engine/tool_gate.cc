#include "engine/tool_gate.h"

namespace weir::engine {
namespace {

json::Array patterns(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

ToolGate::ToolGate(const pipeline::Definition& definition, std::string_view mode) {
  const auto found = definition.execution_modes.find(mode);
  const bool is_declared = found != definition.execution_modes.end();
  name_ = is_declared ? std::string_view(found->first) : std::string_view();
  mode_ = is_declared ? &found->second : nullptr;
}

std::optional<tool::Failure> ToolGate::deny(const pipeline::Node& node, NodeEvents& events) const {
  const auto& plugin = node.plugin_id.text;
  const auto& tool = node.tool_id.text;
  if (mode_ == nullptr || pipeline::allows(*mode_, plugin, tool)) return {};
  json::Object attributes;
  attributes.set("allow", patterns(mode_->allow));
  attributes.set("deny", patterns(mode_->deny));
  events.tool_denied("behavior_not_allowed", attributes);
  return tool::Failure{.type = std::string(kToolDenied),
                       .message = "tool '" + plugin + "." + tool +
                                  "' is not allowed in the execution mode '" + std::string(name_) +
                                  "'",
                       .exit_code = {},
                       .usage = {},
                       .retryable = false};
}

}  // namespace weir::engine
