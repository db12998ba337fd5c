#pragma once

#include <string_view>
#include <vector>

#include "pipeline/definition.h"

namespace weir::pipeline {

/// What is wrong with a run in `mode`; empty is no mode. A pipeline that declares modes has those
/// alone; to one that declares none, a mode is only what the run is called.
[[nodiscard]] std::vector<Problem> mode_problems(const Definition& definition,
                                                 std::string_view mode);

}  // namespace weir::pipeline
