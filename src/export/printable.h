#pragma once

#include <string>
#include <string_view>

namespace weir::exporting {

/// `text` on one line and harmless to a terminal: control characters as `\x1b`, what is not UTF-8
/// as U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace weir::exporting
