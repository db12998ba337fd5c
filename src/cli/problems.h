#pragma once

#include <string>
#include <vector>

#include "base/problem.h"

namespace weir::cli {

/// A line each: "file:line:column: message". Of more than a thousand, how many are left out.
[[nodiscard]] std::string to_text(const std::vector<Problem>& problems, std::string_view file);

}  // namespace weir::cli
