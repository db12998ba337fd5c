#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/database.h"
#include "store/part_folder.h"

namespace weir::store {

/// What became of parts.
struct MergedPart {
  std::optional<log::Part> part;  ///< nothing: no event is left
  std::uint64_t duplicates = 0;   ///< foreign events with a key that was there, left out
};

/// Makes one part of some that have their date and tenant in common, in the order of their batches,
/// without the runs in them that are deleted, and of the foreign events of a run that have the same
/// key only the first. One part is written anew without them.
///
/// `number` is that of the manifest which will name it. Its file is written; the manifest is not.
///
/// Memory  What open_scratch_session says; what does not fit is in `scratch`.
/// Errors  kCorrupt, kNotFound (a part is not what was written: all stay as they are),
///         kInvalidInput (what DuckDB says of them), kIo, kExhausted (no space).
[[nodiscard]] Result<MergedPart> merge_parts(PartFolder& folder, Connection& connection,
                                             const std::vector<log::Part>& parts,
                                             std::uint64_t number);

}  // namespace weir::store
