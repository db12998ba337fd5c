#pragma once

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"

namespace weir::store {

/// A folder below the store's cache for what a session does not keep: `cache/sql-<hex>`, and beside
/// it `cache/sql-<hex>.lock`, which its owner holds. Nobody else may look into it.
///
/// Shutdown  The destructor removes it. What a killed process left is removed by the next `make`.
class ScratchFolder {
 public:
  /// Errors: kIo, where nothing can be written.
  [[nodiscard]] static Result<ScratchFolder> make(const log::StoreDirectory& store);
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&& other) noexcept;
  ~ScratchFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  ScratchFolder(std::filesystem::path path, File lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;  // empty: moved from
  File lock_;
};

/// Makes one for what a database cannot have in memory. Nothing where nothing can be written:
/// memory has to do.
[[nodiscard]] std::optional<ScratchFolder> spill_below(const log::StoreDirectory& store,
                                                       DatabaseOptions& options);

}  // namespace weir::store
