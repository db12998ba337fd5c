#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/priority.h"
#include "base/result.h"
#include "base/time.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/merging.h"
#include "store/part_folder.h"
#include "store/rollup.h"

namespace weir::store {

struct CompactionOptions {
  /// So many bytes of segments are in memory at once: a third is read while parts are made of two.
  /// A segment over a third is a batch by itself; one that is larger than all of it, which `weir`
  /// writes none of, is in memory alone.
  std::uint64_t batch_bytes = std::uint64_t{256} << 20;
  /// And of so many dates and tenants: each becomes a part. A segment over it is by itself, too.
  std::size_t batch_places = log::kMaxPartChanges;
  /// How long replaced segments and parts stay, for those who read them now.
  std::chrono::seconds keep = kKeepForReaders;
  /// And how long, and how many bytes, for registered cursors that are behind them.
  std::chrono::seconds keep_for_cursors{86'400};
  std::uint64_t keep_bytes_for_cursors = std::uint64_t{4} << 30;
  MergeLimits merge{};
  /// Where DuckDB makes the files that the store then takes, in a folder `compaction`: in the local
  /// file system, whatever the store's is. Empty: the store's `cache`.
  std::filesystem::path scratch{};
  const Clock& clock = system_clock();
  /// Whether it may give up the store's reserve on a full disk, for a second try. Whoever wants to
  /// delete runs then needs it more.
  enum class Reserve : std::uint8_t { kMayBeSpent, kStays };
  Reserve reserve = Reserve::kMayBeSpent;
  /// Whoever records comes first.
  Priority priority = Priority::kBackground;
};

/// A segment that could have been replaced and was not.
struct LeftSegment {
  log::SegmentName segment;
  std::string reason;
};

struct CompactionReport {
  std::uint64_t segments = 0;    ///< replaced
  std::uint64_t events = 0;      ///< in the parts that replaced them
  std::uint64_t duplicates = 0;  ///< of foreign events with a key, left out
  std::uint64_t segment_bytes = 0;
  std::uint64_t most_bytes = 0;  ///< of segments that were in memory at once
  std::uint64_t parts = 0;
  std::uint64_t part_bytes = 0;
  std::uint64_t removed_segments = 0;  ///< replaced now or before
  std::uint64_t merged_parts = 0;      ///< small ones
  std::uint64_t merged_into = 0;       ///< parts that these became
  std::string manifest_damage;         ///< before it was put back from its copy; empty: none
  std::vector<LeftSegment> left;
  std::vector<DamagedPart> left_parts;         ///< that cannot be read, as far as was seen
  std::vector<std::filesystem::path> foreign;  ///< among the parts and none of them: left alone
  RollupReport rollups{};
};

/// Replaces sealed segments by parts, removes those that were replaced long enough ago, and merges
/// small parts; see docs/formats/parts.md. What it cannot read stays where it is.
///
/// Threads  One at a time in a store, of all processes: the others get kConflict. It makes two
///          more threads.
/// Memory   `batch_bytes`, or the largest segment, a fifth of it for their order, and what
/// PartWriter says, twice. Failure  Whenever it ends, in whatever way, each event is there once.
/// Errors: kConflict,
///          kUnavailable (no DuckDB), kCorrupt (the manifest), kIo, kExhausted (no space).
[[nodiscard]] Result<CompactionReport> compact(const log::StoreDirectory& store,
                                               const CompactionOptions& options = {});

/// Whether 64 MiB or 200 segments are sealed and not replaced: what a command that has written does
/// something about before it ends. Errors: kCorrupt (the manifest), kIo.
[[nodiscard]] Result<bool> is_compaction_due(const log::StoreDirectory& store);

}  // namespace weir::store
