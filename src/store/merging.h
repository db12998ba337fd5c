#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/part_folder.h"
#include "store/survey.h"

namespace weir::store {

struct MergeLimits {
  /// Batches, or ranges of them, with less are merged,
  std::uint64_t small_bytes = std::uint64_t{16} << 20;
  /// while together they have no more than this,
  std::uint64_t most_bytes = std::uint64_t{64} << 20;
  /// and if there are so many.
  std::size_t fewest = 4;
};

/// The parts of some batches that follow each other.
struct MergeRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
  std::vector<log::Part> parts{};
  bool may_merge = true;
};

/// Which ranges become one, as indices of the first and the one after the last: none that has more
/// than the others together, so that each event is written anew only as often as its store doubles.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> merges(
    const std::vector<MergeRange>& ranges, const MergeLimits& limits);

struct MergeReport {
  std::uint64_t from = 0;        ///< parts
  std::uint64_t into = 0;        ///< parts that these became
  std::uint64_t duplicates = 0;  ///< of foreign events with a key, left out
  std::vector<DamagedPart> left;
};

/// Merges small parts, as docs/formats/parts.md has it: batches of which segments are still there
/// are not, since somebody may go on from these, nor those that a registered cursor has not passed.
///
/// Memory  What open_scratch_session says.
/// Errors  kUnavailable (no DuckDB), kIo, kExhausted.
[[nodiscard]] Result<MergeReport> merge_small_parts(PartFolder& folder, const MergeLimits& limits,
                                                    Timestamp now);

}  // namespace weir::store
