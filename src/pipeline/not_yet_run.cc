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

const auto kOfNodes = std::to_array<OfNode>({
    {"cache", [](const Node& node) { return node.cache && node.cache->enabled; }},
    {"pipeline", [](const Node& node) { return !node.pipeline.empty(); }},
    {"circuit_breaker", [](const Node& node) { return node.circuit_breaker.has_value(); }},
});

std::string message(std::string_view setting) {
  return "'" + std::string(setting) +
         "' is not obeyed yet, so the pipeline is not run: leave it out, or use a version that "
         "obeys it";
}

}  // namespace

std::vector<Problem> not_yet_run(const Definition& definition) {
  std::vector<Problem> problems;
  for (const auto& [what, is_used] : kOfNodes) {
    const auto node = std::find_if(definition.nodes.begin(), definition.nodes.end(), is_used);
    if (node == definition.nodes.end()) continue;
    problems.push_back({node->id.position, "node '" + node->id.text + "': " + message(what)});
  }
  return problems;
}

}  // namespace weir::pipeline
