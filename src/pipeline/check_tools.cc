#include <algorithm>

#include "base/text.h"
#include "pipeline/checks.h"
#include "pipeline/settings.h"

namespace weir::pipeline {
namespace {

void check_settings(Checks& checks, const json::Object& with, json::Position position,
                    const tool::Tool& tool) {
  for (auto& problem : settings_problems(with, position, tool.spec())) {
    problem.code = "SETTING";
    checks.problems.push_back(std::move(problem));
  }
}

/// Null, and a problem, when there is no such tool.
const tool::Tool* find_tool(Checks& checks, const Located& plugin, const Located& tool) {
  const auto* found = checks.tools.find(plugin.text, tool.text);
  if (found != nullptr) return found;
  const auto plugins = checks.tools.plugin_ids();
  if (std::find(plugins.begin(), plugins.end(), plugin.text) == plugins.end()) {
    checks.problem(plugin.position, "unknown plugin '" + plugin.text + "'" +
                                        text::did_you_mean(plugin.text, plugins) +
                                        " (known: " + text::join(plugins) + ")");
    return nullptr;
  }
  if (tool.text.empty()) return nullptr;  // reported: it is missing, or no text
  const auto known = checks.tools.tool_ids(plugin.text);
  checks.problem(tool.position, "plugin '" + plugin.text + "' has no tool '" + tool.text + "'" +
                                    text::did_you_mean(tool.text, known) +
                                    " (known: " + text::join(known) + ")");
  return nullptr;
}

void check_undo(Checks& checks, const Node& node) {
  if (!node.undo || node.undo->tool.empty()) return;
  const auto& undo = *node.undo;
  const Located plugin = undo.plugin.empty()
                             ? node.plugin_id
                             : Located{.text = undo.plugin, .position = undo.position};
  if (plugin.text.empty()) return;  // reported: the node has none
  const Located tool{.text = undo.tool, .position = undo.position};
  if (const auto* undoing = find_tool(checks, plugin, tool)) {
    check_settings(checks, undo.with, undo.position, *undoing);
  }
}

void check_sub_pipeline(Checks& checks, const Node& node) {
  for (const auto* name : {&node.plugin_id, &node.tool_id}) {
    if (name->position.line == 0) continue;
    return checks.problem(name->position,
                          "node '" + node.id.text + "' has a 'pipeline' and a tool: leave one out");
  }
  if (node.undo && node.undo->plugin.empty()) {
    checks.problem(node.undo->position, "node '" + node.id.text +
                                            "' is a pipeline: its 'undo' has to name the 'plugin' "
                                            "of its tool");
  }
  if (node.effects_once) {
    checks.problem(node.id.position, "node '" + node.id.text +
                                         "' is a pipeline: its nodes say themselves which of them "
                                         "have 'effects_once'");
  }
  for (const auto& reference : node.references) {
    if (reference.root != Reference::Root::kSecrets) continue;
    checks.problem(reference.position,
                   to_string(reference) + ": node '" + node.id.text +
                       "' is a pipeline, and parameters are recorded: name the secret where a tool "
                       "of that pipeline needs it");
  }
}

void check_tool(Checks& checks, const Node& node) {
  check_undo(checks, node);
  if (!node.pipeline.empty()) return check_sub_pipeline(checks, node);
  const auto missing = [&](const Located& name, const char* key) {
    const bool is_missing = name.text.empty() && name.position.line == 0;
    if (!is_missing || node.id.text.empty()) return;
    checks.problem(node.id.position, "node '" + node.id.text + "' has no '" + key + "'");
  };
  missing(node.plugin_id, "plugin_id");
  missing(node.tool_id, "tool_id");
  if (node.plugin_id.text.empty()) return;
  const auto* tool = find_tool(checks, node.plugin_id, node.tool_id);
  if (tool != nullptr && node.with_was_read) {
    const auto position = node.with_position.line == 0 ? node.id.position : node.with_position;
    check_settings(checks, node.with, position, *tool);
  }
}

void check_mode(Checks& checks, const std::string& name, const ExecutionMode& mode,
                const std::vector<std::pair<std::string, std::string>>& tools) {
  const auto unknown_tool = [&](const std::string& pattern) {
    return "execution mode '" + name + "': there is no tool '" + pattern +
           "': a pattern is plugin.tool, and * is any part of it";
  };
  for (const auto* patterns : {&mode.allow, &mode.deny}) {
    for (const auto& pattern : *patterns) {
      const auto is_meant = [&](const auto& tool) {
        return matches_tool(pattern, tool.first, tool.second);
      };
      if (std::any_of(tools.begin(), tools.end(), is_meant)) continue;
      checks.problem(mode.position, unknown_tool(pattern));
    }
  }
}

}  // namespace

void check_tools(Checks& checks) {
  for (const auto& node : checks.definition.nodes) check_tool(checks, node);
  if (checks.definition.execution_modes.empty()) return;
  std::vector<std::pair<std::string, std::string>> tools;
  for (const auto& plugin : checks.tools.plugin_ids()) {
    for (auto& tool : checks.tools.tool_ids(plugin)) tools.emplace_back(plugin, std::move(tool));
  }
  for (const auto& [name, mode] : checks.definition.execution_modes) {
    check_mode(checks, name, mode, tools);
  }
}

}  // namespace weir::pipeline
