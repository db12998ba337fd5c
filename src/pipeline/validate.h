#pragma once

#include <filesystem>
#include <vector>

#include "pipeline/definition.h"
#include "tool/tool.h"

namespace weir::pipeline {

/// Everything that is wrong with what a definition means, by position: ids, edges, cycles (with the
/// path), reachability, entries, outputs, types along edges, references, control, and plugins,
/// tools and settings that `tools` does not have.
[[nodiscard]] std::vector<Problem> validate(const Definition& definition,
                                            const tool::Registry& tools);

/// What is right and may not be meant: nodes that nothing joins, what is required and will be done
/// without, and files of `folder` (empty: none) that a node with a cache reads and does not name.
[[nodiscard]] std::vector<Problem> find_warnings(const Definition& definition,
                                                 const std::filesystem::path& folder,
                                                 const tool::Registry& tools);

}  // namespace weir::pipeline
