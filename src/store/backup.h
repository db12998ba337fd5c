#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"
#include "store/backup_list.h"

namespace weir::store {

struct BackupReport {
  BackupList list;
  std::uint64_t bytes = 0;         ///< of all files
  std::uint64_t copied_bytes = 0;  ///< of those that are no hard links
};

/// Makes a consistent copy of a store that may be written meanwhile: docs/formats/backup.md.
/// `folder` is not there, or a backup, in whose place the new one comes and of which it takes what
/// is the same. What is damaged is left out and named.
///
/// Threads  Any; it waits for a compaction to end, and keeps others from beginning one.
/// Failure  `folder` is as it was. Errors: kConflict (something else is there), kIo, kExhausted.
[[nodiscard]] Result<BackupReport> back_up(const log::StoreDirectory& store,
                                           const std::filesystem::path& folder,
                                           const Clock& clock = system_clock());

/// Makes a store of a backup, where none is. Everything in it was held to its hash and to the chain
/// of seals, and is durable, when it has its name.
///
/// Failure  There is no store. Errors: kConflict (something is there), kNotFound (no backup),
///          kCorrupt (the backup is not as it was made), kIo, kExhausted.
[[nodiscard]] Result<BackupReport> restore(const std::filesystem::path& backup,
                                           FileSystem& backup_files,
                                           const std::filesystem::path& store,
                                           FileSystem& store_files);

}  // namespace weir::store
