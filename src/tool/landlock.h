#pragma once

#include <filesystem>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

/// Landlock, the kernel's way for a process to give up files. Needs no privilege, and works in a
/// chroot (landlock(7)).
namespace weir::tool {

/// The version of the interface that the kernel has; 0: it has none, or it is switched off.
[[nodiscard]] int landlock_version();
/// From this one on files cannot be cut by their names (Linux 6.2).
inline constexpr int kLandlockHoldsTruncate = 3;
/// From this one on no process outside can be signalled (Linux 6.12).
inline constexpr int kLandlockHoldsSignals = 6;

/// A set of files that a process may use.
class FileRules {
 public:
  /// Errors: kUnavailable.
  [[nodiscard]] static Result<FileRules> create();
  /// Files, or folders with all below them, that may be read and run. A missing one is nothing.
  [[nodiscard]] Result<void> allow_reading(const std::filesystem::path& path);
  /// Also written, made and removed.
  [[nodiscard]] Result<void> allow_writing(const std::filesystem::path& path);
  /// From now on this process and all that it starts have nothing else. Needs no_new_privs.
  [[nodiscard]] Result<void> enforce() const;

 private:
  explicit FileRules(Descriptor rules) : rules_(std::move(rules)) {}
  [[nodiscard]] Result<void> allow(const std::filesystem::path& path, std::uint64_t rights);
  Descriptor rules_;
};

}  // namespace weir::tool
