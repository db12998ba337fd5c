#pragma once

#include <string>
#include <vector>

#include "cli/styled_line.h"
#include "report/status.h"

namespace weir::cli {

/// What goes on, for people: lines without their newlines. Long lists are cut, and say so.
[[nodiscard]] std::vector<std::string> status_lines(const report::Status& status, LineStyle style);

}  // namespace weir::cli
