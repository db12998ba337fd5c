#pragma once

#include <cstdint>

#include "base/descriptor.h"
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

/// From now on this process and all that it starts are held to them. Needs no_new_privs. Returns
/// the listener that hears of each file that they open, for OpenedFiles; a closed one where the
/// kernel has none to give, as with a filter around that has one already. While it is open and
/// nobody answers, who opens a file waits. Errors: kUnavailable.
[[nodiscard]] Result<Descriptor> enforce(const CallRules& rules);

/// Whether the kernel can kill a process for a call (Linux 4.14).
[[nodiscard]] bool can_filter_calls();
/// Whether it can tell another process of a call (Linux 5.0).
[[nodiscard]] bool can_tell_calls();

}  // namespace weir::tool
