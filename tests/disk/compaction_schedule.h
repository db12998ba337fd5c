#pragma once

#include "tests/disk/schedule.h"

namespace weir::disk {

/// Lets processes write and compact one store on a simulated disk, merge its parts and delete old
/// runs, while the disk refuses, processes are killed, the power fails and the manifest is lost, as
/// `seed` decides. Then the store is copied to the local file system, and held to it that each
/// acknowledged event is read once, from parts and segments together and by SQL, each run in its
/// order, but for runs that were deleted: of these none, and of one that was being deleted all or
/// none; nothing else but what was emitted, and that nothing is damaged. A backup of it becomes a
/// store on the disk, whole or not at all.
[[nodiscard]] ScheduleReport run_compaction_schedule(std::uint64_t seed,
                                                     std::FILE* trace = nullptr);

}  // namespace weir::disk
