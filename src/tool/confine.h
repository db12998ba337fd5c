#pragma once

#include <sys/types.h>

#include "base/descriptor.h"
#include "base/result.h"
#include "tool/policy.h"

namespace weir::tool {

/// Takes from this process what the policy does not give, before it becomes the plugin: called by
/// the supervisor's child, which has one thread. `supervisor` is its parent. Errors: the protection
/// that could not be had, by its name; the plugin is not to be started then.
/// Returns what `enforce` of system_calls.h does.
[[nodiscard]] Result<Descriptor> confine(const Policy& policy, pid_t supervisor);

/// The kernel's walls stand this much behind the limits, which the supervisor holds and explains.
inline constexpr unsigned kWallFactor = 4;

/// As root: the user that a confined process runs as, one that nobody else has. RLIMIT_NPROC counts
/// the processes of a user, and does not hold root at all.
[[nodiscard]] uid_t user_for(pid_t process);

}  // namespace weir::tool
