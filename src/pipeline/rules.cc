#include "pipeline/rules.h"

#include <algorithm>
#include <array>

namespace weir::pipeline {
namespace {

constexpr auto kRules = std::to_array<Rule>({
    {"CACHE_UNNAMED_FILE", "name it in 'cache.files', or leave 'cache' away",
     "docs/reference/pipeline.md#cache"},
    {"CAPABILITY_DEGRADED", "name a tool that has it, or leave it out of 'requires_capabilities'",
     "docs/reference/pipeline.md#what-is-required"},
    {"CAPABILITY_EMULATED", "name a tool that has it, or leave it out of 'requires_capabilities'",
     "docs/reference/pipeline.md#what-is-required"},
    {"CAPABILITY_NOT_SUPPORTED",
     "name a tool whose manifest has it, or say with 'fallback' that it may be missing",
     "docs/reference/pipeline.md#what-is-required"},
    {"CHANGED_WITHOUT_VERSION",
     "give it a version of its own: the runs of both say the same one now",
     "docs/reference/pipeline.md#warnings"},
    {"CONTROL", "leave out one of the settings that do not go together",
     "docs/reference/pipeline.md#nodes"},
    {"CYCLE", "take out one of the edges of the path", "docs/reference/pipeline.md#edges"},
    {"DEAD_END", "add the node to 'output_nodes', or an edge from it",
     "docs/reference/pipeline.md#the-pipeline"},
    {"DUPLICATE_EDGE", "leave out the second one", "docs/reference/pipeline.md#edges"},
    {"DUPLICATE_NEED", "leave out the second one", "docs/reference/pipeline.md#warnings"},
    {"NODE_ID", "give the node another id", "docs/reference/pipeline.md#nodes"},
    {"ORPHAN_NODE", "say what it needs, or put it into a pipeline of its own",
     "docs/reference/pipeline.md#warnings"},
    {"PIPELINE_ID", "give one of the two pipelines another id",
     "docs/reference/pipeline.md#the-pipeline"},
    {"REFERENCE", "name what there is, of a node that comes before this one",
     "docs/reference/pipeline.md#references"},
    {"SELF_EDGE", "take out the edge", "docs/reference/pipeline.md#edges"},
    {"SETTING", "look at what the tool takes: docs/reference/tools.md, or its plugin's manifest",
     "docs/reference/tools.md"},
    {"STREAM", "join two nodes that can start together and whose tools can stream",
     "docs/reference/pipeline.md#streams"},
    {"TOOL", "name a plugin and a tool that there are: docs/reference/tools.md, weir plugins",
     "docs/reference/tools.md"},
    {"TYPES_MISSING", "give the node 'input_types' and 'output_types'",
     "docs/reference/pipeline.md#warnings"},
    {"TYPE_MISMATCH", "put a node between them that makes what the second takes",
     "docs/reference/pipeline.md#edges"},
    {"UNKNOWN_NODE", "name a node of this pipeline", "docs/reference/pipeline.md#nodes"},
    {"UNREACHABLE", "add it, or one before it, to 'entry_nodes'",
     "docs/reference/pipeline.md#the-pipeline"},
});

static_assert(std::ranges::is_sorted(kRules, {}, &Rule::code));

}  // namespace

std::span<const Rule> rules() { return kRules; }

const Rule* find_rule(std::string_view code) {
  const auto* found = std::ranges::lower_bound(kRules, code, {}, &Rule::code);
  return found == kRules.end() || found->code != code ? nullptr : found;
}

}  // namespace weir::pipeline
