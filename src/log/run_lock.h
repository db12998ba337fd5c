#pragma once

#include <optional>
#include <unordered_set>

#include "log/store_directory.h"

namespace weir::log {

/// Ownership of a run by this process. Free when the object or the process ends, however it ends.
class RunLock {
 public:
  /// Errors: kConflict (another process owns the run), kIo.
  [[nodiscard]] static Result<RunLock> take(const StoreDirectory& store, const RunId& run);
  /// Whether some process owns the run now. Asking is in nobody's way.
  [[nodiscard]] static bool is_held(const StoreDirectory& store, const RunId& run);
  /// All runs that some process owns now.
  [[nodiscard]] static std::unordered_set<RunId> held(const StoreDirectory& store);

  /// In a forked child: leaves the run to the parent, whose lock it still is.
  void abandon() { file_.reset(); }

  RunLock(RunLock&&) noexcept = default;
  RunLock& operator=(RunLock&&) noexcept = default;
  ~RunLock();

 private:
  RunLock(File file, FileSystem& files) : file_(std::move(file)), files_(&files) {}
  std::optional<File> file_;
  FileSystem* files_;
};

}  // namespace weir::log
