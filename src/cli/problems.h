#pragma once

#include <string>
#include <vector>

#include "pipeline/file.h"
#include "tool/tool.h"

namespace weir::cli {

/// Everything wrong with a file, in its form and in its meaning, by place.
[[nodiscard]] std::vector<Problem> problems_of(const pipeline::File& file,
                                               const tool::Registry& tools);

/// A line each: "file:line:column: message". Of more than a thousand, how many are left out.
[[nodiscard]] std::string to_text(const std::vector<Problem>& problems, std::string_view file);

}  // namespace weir::cli
