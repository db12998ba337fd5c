#pragma once

#include <string>

namespace weir::cli {

/// Who uses this terminal: the name of the user, or "uid 1000".
[[nodiscard]] std::string person();

}  // namespace weir::cli
