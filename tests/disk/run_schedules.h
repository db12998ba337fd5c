#pragma once

#include <functional>

#include "tests/disk/schedule.h"

namespace weir::disk {

/// The main function of `PROGRAM COUNT [FIRST_SEED]`: runs so many schedules. The first that breaks
/// a promise ends it, with its seed: `PROGRAM 1 SEED` repeats that one and says what happens in it.
int run_schedules(int argc, char** argv,
                  const std::function<ScheduleReport(std::uint64_t seed, std::FILE* trace)>& run);

}  // namespace weir::disk
