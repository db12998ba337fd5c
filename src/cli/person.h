#pragma once

#include <string>

namespace weir::cli {

/// Who uses this terminal, or has asked the server that started this process: the name of the user,
/// "uid 1000", or the key's id. The first call is made before there are other threads.
[[nodiscard]] std::string person();

}  // namespace weir::cli
