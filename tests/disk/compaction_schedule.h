#pragma once

#include "tests/disk/schedule.h"

namespace weir::disk {

/// Lets processes write and compact one store on a simulated disk, while the disk refuses,
/// processes are killed and the power fails, as `seed` decides. Then the store is copied to the
/// local file system, and held to it that each acknowledged event is read once, from parts and
/// segments together, each run in its order, nothing else but what was emitted, and that nothing is
/// damaged.
[[nodiscard]] ScheduleReport run_compaction_schedule(std::uint64_t seed,
                                                     std::FILE* trace = nullptr);

}  // namespace weir::disk
