#include "pipeline/rules.h"

#include <algorithm>
#include <array>

namespace weir::pipeline {
namespace {

constexpr auto kRules = std::to_array<Rule>({
    {"CAPABILITY_DEGRADED", "name a tool that has it, or leave it out of 'requires_capabilities'"},
    {"CAPABILITY_EMULATED", "name a tool that has it, or leave it out of 'requires_capabilities'"},
    {"CAPABILITY_NOT_SUPPORTED",
     "name a tool whose manifest has it, or say with 'fallback' that it may be missing"},
    {"CONTROL", "leave out one of the settings that do not go together"},
    {"CYCLE", "take out one of the edges of the path"},
    {"DEAD_END", "add the node to 'output_nodes', or an edge from it"},
    {"DUPLICATE_EDGE", "leave out the second one"},
    {"DUPLICATE_NEED", "leave out the second one"},
    {"NODE_ID", "give the node another id"},
    {"ORPHAN_NODE", "say what it needs, or put it into a pipeline of its own"},
    {"PIPELINE_ID", "give one of the two pipelines another id"},
    {"REFERENCE", "name what there is, of a node that comes before this one"},
    {"SELF_EDGE", "take out the edge"},
    {"SETTING", "look at what the tool takes: docs/reference/tools.md, or its plugin's manifest"},
    {"STREAM", "join two nodes that can start together and whose tools can stream"},
    {"TOOL", "name a plugin and a tool that there are: docs/reference/tools.md, weir plugins"},
    {"TYPE_MISMATCH", "put a node between them that makes what the second takes"},
    {"UNKNOWN_NODE", "name a node of this pipeline"},
    {"UNREACHABLE", "add it, or one before it, to 'entry_nodes'"},
});

static_assert(std::ranges::is_sorted(kRules, {}, &Rule::code));

}  // namespace

std::span<const Rule> rules() { return kRules; }

std::string_view fix_of(std::string_view code) {
  const auto* found = std::ranges::lower_bound(kRules, code, {}, &Rule::code);
  return found == kRules.end() || found->code != code ? std::string_view() : found->fix;
}

}  // namespace weir::pipeline
