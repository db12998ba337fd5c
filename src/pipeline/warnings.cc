#include <algorithm>

#include "pipeline/capabilities.h"
#include "pipeline/validate.h"

// What is right, and may not be meant.
namespace weir::pipeline {
namespace {

/// A node that is joined with no other, in a pipeline where others are.
void find_orphans(const Definition& definition, std::vector<Problem>& warnings) {
  if (definition.edges.empty()) return;
  std::vector<std::string_view> joined;
  joined.reserve(2 * definition.edges.size());
  for (const auto& edge : definition.edges) {
    joined.push_back(edge.from.text);
    joined.push_back(edge.to.text);
  }
  std::sort(joined.begin(), joined.end());
  for (const auto& node : definition.nodes) {
    if (std::binary_search(joined.begin(), joined.end(), node.id.text)) continue;
    warnings.push_back({node.id.position,
                        "node '" + node.id.text + "' is joined with no other node", "ORPHAN_NODE"});
  }
}

void find_fallbacks(const Definition& definition, const tool::Registry& tools,
                    std::vector<Problem>& warnings) {
  if (definition.fallback == Fallback::kReject) return;
  const bool is_emulated = definition.fallback == Fallback::kEmulate;
  for (const auto& capability : missing_capabilities(definition, tools)) {
    warnings.push_back({capability.position,
                        "capability '" + capability.text + "' is not there: the pipeline runs " +
                            (is_emulated ? "with what stands in for it" : "without it"),
                        is_emulated ? "CAPABILITY_EMULATED" : "CAPABILITY_DEGRADED"});
  }
}

}  // namespace

std::vector<Problem> find_warnings(const Definition& definition, const tool::Registry& tools) {
  std::vector<Problem> warnings;
  find_orphans(definition, warnings);
  find_fallbacks(definition, tools, warnings);
  return warnings;
}

}  // namespace weir::pipeline
