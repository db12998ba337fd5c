#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace weir::log {

/// Hears from the kernel (inotify) which files of a folder are written to, named and removed. Of
/// network file systems, and some others, the kernel hears nothing: look for yourself now and then.
///
/// Threads  One at a time.
class FolderWatch {
 public:
  /// Of what happens from now on. Errors: kNotFound, kIo (no inotify here, or too many).
  [[nodiscard]] static Result<FolderWatch> on(const std::filesystem::path& folder);
  /// Reads inotify's records from a descriptor that does not block.
  explicit FolderWatch(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  struct Changes {
    std::vector<std::string> names;  ///< of files; one may be there several times
    bool incomplete = false;         ///< there were more: look at the whole folder
  };
  /// What has come since the last call, without waiting; the rest at the next call if it was much.
  [[nodiscard]] Changes take();

  /// For poll: readable when there is something to take. -1 when nothing will come any more.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
};

}  // namespace weir::log
