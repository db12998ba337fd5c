#include "pipeline/validate.h"

#include <algorithm>

#include "base/text.h"
#include "pipeline/checks.h"

namespace weir::pipeline {

Checks::Checks(const Definition& checked, const tool::Registry& registry)
    : definition(checked), tools(registry), graph(checked) {
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    const auto& id = definition.nodes[node].id.text;
    if (!id.empty()) index.try_emplace(id, node);
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
}

void Checks::problem(json::Position at, std::string message) {
  problems.push_back({at, std::move(message), std::string(code)});
}

std::string Checks::suggest_node(std::string_view id) {
  constexpr int kMaxSuggestions = 20;
  if (suggestions_ == kMaxSuggestions) return {};
  ++suggestions_;
  return text::did_you_mean(id, ids);
}

std::vector<Problem> validate(const Definition& definition, const tool::Registry& tools) {
  Checks checks(definition, tools);
  check_graph(checks);
  checks.code = "TOOL";
  check_tools(checks);
  checks.code = "TYPE_MISMATCH";
  check_types(checks);
  checks.code = "REFERENCE";
  check_references(checks);
  checks.code = "CONTROL";
  check_control(checks);
  checks.code = "STREAM";
  check_streams(checks);
  check_capabilities(checks);
  std::stable_sort(checks.problems.begin(), checks.problems.end(),
                   [](const Problem& a, const Problem& b) {
                     return std::pair(a.position.line, a.position.column) <
                            std::pair(b.position.line, b.position.column);
                   });
  return std::move(checks.problems);
}

std::string_view to_string(PipelineType type) {
  return type == PipelineType::kDag ? "dag" : "linear";
}

}  // namespace weir::pipeline
