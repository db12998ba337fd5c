#include <algorithm>

#include "base/text.h"
#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

using Types = std::vector<std::string>;

/// The node's own, else its tool's.
const Types& types_of(const Checks& checks, const Node& node, Types Node::* of_node,
                      Types tool::ToolSpec::* of_tool) {
  static const Types none;
  if (!(node.*of_node).empty()) return node.*of_node;
  const auto* tool = checks.tools.find(node.plugin_id.text, node.tool_id.text);
  return tool == nullptr ? none : tool->spec().*of_tool;
}

}  // namespace

void check_types(Checks& checks) {
  const auto& nodes = checks.definition.nodes;
  for (const auto& [from, to, stream] : checks.definition.edges) {
    const auto source = checks.index.find(from.text), target = checks.index.find(to.text);
    if (source == checks.index.end() || target == checks.index.end()) continue;
    const auto& outputs =
        types_of(checks, nodes[source->second], &Node::output_types, &tool::ToolSpec::output_types);
    const auto& inputs =
        types_of(checks, nodes[target->second], &Node::input_types, &tool::ToolSpec::input_types);
    const auto is_taken = [&](const std::string& type) {
      return std::find(inputs.begin(), inputs.end(), type) != inputs.end();
    };
    if (outputs.empty() || inputs.empty() ||
        std::any_of(outputs.begin(), outputs.end(), is_taken)) {
      continue;
    }
    checks.problem(from.position, "type mismatch: " + from.text +
                                      " (outputs: " + text::join(outputs) + ") → " + to.text +
                                      " (inputs: " + text::join(inputs) + ")");
  }
}

}  // namespace weir::pipeline
