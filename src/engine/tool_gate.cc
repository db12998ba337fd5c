#include "engine/tool_gate.h"

#include <algorithm>

namespace weir::engine {
namespace {

json::Array patterns(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

std::vector<ModeAround> modes_inside(const pipeline::Definition& definition,
                                     const RunPlace& place) {
  auto modes = place.modes_around;
  const auto own = definition.execution_modes.find(place.execution_mode);
  if (own != definition.execution_modes.end()) {
    modes.insert(modes.begin(), {.name = own->first, .rules = own->second});
  }
  return modes;
}

ToolGate::ToolGate(const pipeline::Definition& definition, const RunPlace& place)
    : modes_(modes_inside(definition, place)),
      has_own_(modes_.size() > place.modes_around.size()) {}

std::optional<tool::Failure> ToolGate::deny(const pipeline::Node& node, NodeEvents& events) const {
  const auto& plugin = node.plugin_id.text;
  const auto& tool = node.tool_id.text;
  const auto mode = std::ranges::find_if(
      modes_, [&](const ModeAround& one) { return !pipeline::allows(one.rules, plugin, tool); });
  if (mode == modes_.end()) return {};
  const bool is_own = has_own_ && mode == modes_.begin();
  json::Object attributes;
  attributes.set("allow", patterns(mode->rules.allow));
  attributes.set("deny", patterns(mode->rules.deny));
  if (!is_own) attributes.set("mode_around", mode->name);
  events.tool_denied("behavior_not_allowed", attributes);
  return tool::Failure{.type = std::string(kToolDenied),
                       .message = "tool '" + plugin + "." + tool +
                                  "' is not allowed in the execution mode '" + mode->name + "'" +
                                  (is_own ? "" : " of a run around this one"),
                       .exit_code = {},
                       .usage = {},
                       .retryable = false};
}

}  // namespace weir::engine
