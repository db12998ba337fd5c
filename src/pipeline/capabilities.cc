#include "pipeline/capabilities.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

/// dvt's, but for workflow.continue.as.new: a run is one run, however long.
constexpr auto kOfEngine = std::to_array<std::string_view>(
    {"cancel.cooperative", "cancel.forced", "history.rotation", "query.task.state",
     "query.workflow.state", "replay.full", "replay.task", "signal.pause.emulated",
     "signal.pause.native", "signals.concurrent", "signals.rate.limit", "workflow.child.workflows",
     "workflow.fan.dynamic", "workflow.fan.parallel"});

std::set<std::string, std::less<>> known_capabilities(const Definition& definition,
                                                      const tool::Registry& tools) {
  std::set<std::string, std::less<>> known(kOfEngine.begin(), kOfEngine.end());
  for (const auto& node : definition.nodes) {
    const auto* tool = tools.find(node.plugin_id.text, node.tool_id.text);
    if (tool == nullptr) continue;
    const auto& its = tool->spec().capabilities;
    known.insert(its.begin(), its.end());
  }
  return known;
}

std::string without(const Located& capability) {
  return "capability '" + capability.text +
         "': neither the engine nor a tool of the pipeline has it";
}

}  // namespace

std::vector<Located> missing_capabilities(const Definition& definition,
                                          const tool::Registry& tools) {
  std::vector<Located> missing;
  if (definition.requires_capabilities.empty()) return missing;
  auto known = known_capabilities(definition, tools);
  for (const auto& capability : definition.requires_capabilities) {
    if (known.insert(capability.text).second) missing.push_back(capability);
  }
  return missing;
}

void check_capabilities(Checks& checks) {
  if (checks.definition.fallback != Fallback::kReject) return;
  checks.code = "CAPABILITY_NOT_SUPPORTED";
  const auto missing = missing_capabilities(checks.definition, checks.tools);
  if (missing.empty()) return;
  const auto known = known_capabilities(checks.definition, checks.tools);
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& capability : missing) {
    checks.problem(capability.position,
                   without(capability) + text::did_you_mean(capability.text, names));
  }
}

}  // namespace weir::pipeline
