#pragma once

#include <vector>

#include "pipeline/definition.h"
#include "tool/tool.h"

/// What pipelines require of who runs them. The engine has dvt's names for what it can do; a tool
/// has those that its plugin's manifest gives it.
namespace weir::pipeline {

/// Of those that a definition requires, what neither the engine nor a tool of its nodes has; in its
/// order, each once.
[[nodiscard]] std::vector<Located> missing_capabilities(const Definition& definition,
                                                        const tool::Registry& tools);

}  // namespace weir::pipeline
