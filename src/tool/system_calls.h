#pragma once

#include <cstdint>

#include "base/result.h"

/// Which system calls a plugin may not make (seccomp(2)).
namespace weir::tool {

struct CallRules {
  enum class Forbidden : std::uint8_t {
    kKills,  ///< the whole process, by SIGSYS
    kFails,  ///< with EPERM
  };
  Forbidden forbidden = Forbidden::kKills;
  bool network = false;
  /// Where Landlock cannot hold these, they fail for everybody.
  bool holds_signals = false;   ///< to processes that are none of its own
  bool holds_truncate = false;  ///< of files by their names
};

/// From now on this process and all that it starts are held to them. Needs no_new_privs. Errors:
/// kUnavailable.
[[nodiscard]] Result<void> enforce(const CallRules& rules);

/// Whether the kernel can kill a process for a call (Linux 4.14).
[[nodiscard]] bool can_filter_calls();

}  // namespace weir::tool
