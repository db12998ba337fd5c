#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace weir::config {

/// What the names of a map are.
struct Names {
  std::string what;  ///< "a logger": in messages
  std::string pattern;
  std::size_t max_bytes = 128;
  std::function<bool(std::string_view)> accepts;  ///< as the pattern
};

/// Of environment variables, as POSIX has them.
[[nodiscard]] Names variable_names();
/// Of headers of HTTP: tokens (RFC 9110, section 5.6.2).
[[nodiscard]] Names header_names();

}  // namespace weir::config
