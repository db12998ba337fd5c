#pragma once

namespace weir::tool {

/// A descriptor of the launcher (launcher/main.cc), which is a part of this program and no file, to
/// be executed by execveat with AT_EMPTY_PATH; closed by exec. -1 where the kernel gives none.
[[nodiscard]] int launcher();

}  // namespace weir::tool
