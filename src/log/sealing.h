#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/store_directory.h"

namespace weir::log {

/// Bytes of a segment that nobody was told of or that are not what was written, and what was done.
struct Salvage {
  SegmentName segment;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string reason;
  bool quarantined = false;  ///< a copy is in the store's quarantine
};

/// Whether a segment of this size is known to be finished, each commit of it acknowledged.
using FinishedBefore = std::function<bool(const SegmentName& name, std::uint64_t bytes)>;

/// Seals every finished segment: one that is not sealed and that no writer has locked. Before that
/// it cuts off the torn tail. What looks like an event that was changed since, in the tail or
/// before it, is copied to the quarantine first. Returns what was cut off or quarantined.
///
/// One that is known to be finished has no tail, and nothing in it is doubtful: only its hash is
/// taken.
///
/// Threads  Any number of threads and processes at a time.
/// Failure  A segment that cannot be sealed now stays as it is, and the others are sealed. Errors:
///          kIo, kExhausted (no space): of the first that failed.
[[nodiscard]] Result<std::vector<Salvage>> seal_finished(const StoreDirectory& store,
                                                         const FinishedBefore& finished = {});

}  // namespace weir::log
