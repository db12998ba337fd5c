#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::tool {

/// What the descendants of a process have and use now.
struct TreeUsage {
  std::int64_t processes = 0;
  std::int64_t threads = 0;
  /// Resident. A page that several processes share counts for each of them.
  std::uint64_t memory_bytes = 0;
  /// Of those that live, and of the children that they have waited for.
  std::chrono::milliseconds cpu{0};
};

/// Reads /proc, where a process that ends meanwhile is simply not seen any more. A tree larger than
/// `enough` processes is not looked at to its end.
[[nodiscard]] TreeUsage usage_of_descendants(pid_t process, std::int64_t enough);

/// Sends a signal to a process of ours that has not been waited for, and to its descendants. With
/// SIGSTOP and SIGKILL none is missed that is born meanwhile.
void signal_tree(pid_t process, int signal);

/// A file in /proc, which has no size; empty when it cannot be read.
[[nodiscard]] std::string read_small(const std::string& path);

/// Whether the kernel names the children of a process (CONFIG_PROC_CHILDREN) and /proc is there.
[[nodiscard]] bool can_see_descendants();

}  // namespace weir::tool
