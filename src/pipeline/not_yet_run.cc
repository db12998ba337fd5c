#include "pipeline/not_yet_run.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace weir::pipeline {
namespace {

struct OfNode {
  std::string_view what;
  std::function<bool(const Node&)> is_used;
};
struct OfPipeline {
  std::string_view what;
  std::function<bool(const Definition&)> is_used;
};

const auto kOfNodes = std::to_array<OfNode>({
    {"guard_retry", [](const Node& node) { return node.guard_retry.has_value(); }},
    {"approval", [](const Node& node) { return node.approval.has_value(); }},
    {"undo", [](const Node& node) { return node.undo.has_value(); }},
    {"domain", [](const Node& node) { return !node.domain.empty(); }},
});

const auto kOfPipelines = std::to_array<OfPipeline>({
    {"execution_modes",
     [](const Definition& pipeline) { return !pipeline.execution_modes.empty(); }},
});

std::string message(std::string_view setting) {
  return "'" + std::string(setting) +
         "' is not obeyed yet, so the pipeline is not run: leave it out, or use a version that "
         "obeys it";
}

}  // namespace

std::vector<Problem> not_yet_run(const Definition& definition) {
  std::vector<Problem> problems;
  for (const auto& [what, is_used] : kOfPipelines) {
    if (is_used(definition)) problems.push_back({{1, 1}, message(what)});
  }
  for (const auto& [what, is_used] : kOfNodes) {
    const auto node = std::find_if(definition.nodes.begin(), definition.nodes.end(), is_used);
    if (node == definition.nodes.end()) continue;
    problems.push_back({node->id.position, "node '" + node->id.text + "': " + message(what)});
  }
  return problems;
}

}  // namespace weir::pipeline
