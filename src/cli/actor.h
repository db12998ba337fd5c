#pragma once

#include <string>

namespace weir::cli {

/// Who uses this terminal.
[[nodiscard]] std::string actor();

}  // namespace weir::cli
