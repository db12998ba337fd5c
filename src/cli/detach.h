#pragma once

#include "cli/run_job.h"

namespace weir::cli {

/// As `run_job`, in a process of its own without a terminal: prints the run's id when it has begun
/// and is in the log, and returns then. What keeps it from beginning is said as ever, with its exit
/// code. Before this process has threads.
int run_detached(RunJob job, HowToRun how, const log::StoreDirectory& store);

}  // namespace weir::cli
