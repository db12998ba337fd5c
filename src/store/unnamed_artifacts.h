#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"
#include "store/part_folder.h"

namespace weir::store {

struct RemovedArtifacts {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

/// Removes the artifacts that deleted runs of the parts have named and nobody else: no other event,
/// anywhere in it, and no output that an event names. What was put within the last day stays: it
/// may be named soon. Errors: kIo, kInvalidInput (a part that cannot be read: nothing is removed
/// then).
[[nodiscard]] Result<RemovedArtifacts> remove_unnamed_artifacts(const PartFolder& folder,
                                                                Connection& connection,
                                                                Timestamp now);

}  // namespace weir::store
