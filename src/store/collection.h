#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"
#include "store/part_folder.h"
#include "store/retention.h"
#include "store/survey.h"

namespace weir::store {

struct CollectionOptions {
  RetentionRules rules{};
  /// Only finds out what would be done.
  bool dry_run = false;
  /// How long files that are not needed any more stay, for those who read them now.
  std::chrono::seconds keep = kKeepForReaders;
  /// Where DuckDB makes files: see PartFolder::lock.
  std::filesystem::path scratch{};
  const Clock& clock = system_clock();
};

struct CollectionReport {
  std::vector<StoredRun> runs;    ///< that were deleted, or would be
  std::uint64_t kept_runs = 0;    ///< of which parts hold something
  std::vector<StoredRun> spared;  ///< that are over their age and stay for another reason
  std::uint64_t events = 0;       ///< of the deleted runs
  std::uint64_t bytes = 0;        ///< of the parts, about: what is freed
  std::uint64_t removed_parts = 0;
  std::uint64_t rewritten_parts = 0;
  std::uint64_t artifacts = 0;  ///< removed: only deleted runs named them
  std::uint64_t artifact_bytes = 0;
  std::vector<DamagedPart> left;  ///< could not be read: they stay
};

/// Deletes runs by the rules, as docs/formats/parts.md has it: first nobody sees them any more,
/// then they go, with the artifacts that they alone have named.
///
/// Threads  One at a time in a store, of all processes, compactions included.
/// Failure  Whenever it ends, a run is there or it is not. What is left of it, the next one
/// removes.
///          Errors: kConflict, kUnavailable (no DuckDB), kCorrupt (the manifest), kIo, kExhausted.
[[nodiscard]] Result<CollectionReport> collect(const log::StoreDirectory& store,
                                               const CollectionOptions& options);

/// Whether the last one was a day ago, or there was none.
[[nodiscard]] bool is_collection_due(const log::StoreDirectory& store,
                                     const Clock& clock = system_clock());

}  // namespace weir::store
