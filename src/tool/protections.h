#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace weir::tool {

/// One thing that holds a confined plugin, on this machine.
struct Protection {
  std::string name;  ///< "files"
  std::string what;  ///< for people
  bool available = false;
  std::string mechanism;  ///< by what it is held, or why it cannot be
};

/// Asks the kernel; changes nothing.
[[nodiscard]] std::vector<Protection> protections();

/// Whether a plugin of this tier may be run with these. Untrusted ones and partners need all of
/// them. Errors: kUnavailable, naming those that are missing.
[[nodiscard]] Result<void> check_protections(config::Trust trust,
                                             const std::vector<Protection>& available);

}  // namespace weir::tool
