#pragma once

#include <vector>

#include "pipeline/definition.h"

namespace weir::pipeline {

/// Where a definition asks for what the engine does not do yet: it must not be run as if it had not
/// asked. One place for each setting, the first. A line goes when the engine obeys it.
[[nodiscard]] std::vector<Problem> not_yet_run(const Definition& definition);

}  // namespace weir::pipeline
