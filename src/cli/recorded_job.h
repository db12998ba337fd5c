#pragma once

#include "artifact/artifact_store.h"
#include "base/result.h"
#include "cli/run_job.h"
#include "config/config.h"
#include "engine/recorded_run.h"
#include "log/store_directory.h"

/// Runs of the record that run again, or go on.
namespace weir::cli {

/// All that a run began with, as it was then. Errors: kInvalidInput for a run that `weir run` did
/// not begin; those of the artifact store.
[[nodiscard]] Result<RunJob> job_of(const engine::RecordedRun& run, config::Config settings,
                                    const artifact::ArtifactStore& artifacts);

}  // namespace weir::cli
