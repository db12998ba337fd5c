#pragma once

#include <vector>

#include "pipeline/definition.h"
#include "tool/tool.h"

namespace weir::pipeline {

/// Everything that is wrong with what a definition means, by position: ids, edges, cycles (with the
/// path), reachability, entries, outputs, types along edges, references, control, and plugins,
/// tools and settings that `tools` does not have.
[[nodiscard]] std::vector<Problem> validate(const Definition& definition,
                                            const tool::Registry& tools);

}  // namespace weir::pipeline
