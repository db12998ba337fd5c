#pragma once

#include "artifact/artifact_store.h"
#include "base/result.h"
#include "cli/run_job.h"
#include "config/config.h"
#include "engine/recorded_run.h"
#include "log/store_directory.h"

/// Runs of the record that run again, or go on.
namespace weir::cli {

/// What the log tells of a run. Errors: those of the log.
[[nodiscard]] Result<engine::RecordedRun> read_recorded_run(const log::StoreDirectory& store,
                                                            const RunId& id);

/// Adds what others have asked of the run, which stands in runs of their own. Errors: those of the
/// log.
[[nodiscard]] Result<void> read_requests(const log::StoreDirectory& store,
                                         engine::RecordedRun& run);

/// Whether it was begun by `weir run`, so that what it began with is known.
[[nodiscard]] bool has_beginning(const engine::RecordedRun& run);

/// A JSON object among the artifacts; `what` is for messages. Errors: those of the artifact store;
/// kCorrupt when it is none.
[[nodiscard]] Result<json::Object> kept_object(const artifact::ArtifactStore& artifacts,
                                               const Sha256& hash, std::string_view what);

/// All that a run began with, as it was then. Errors: kInvalidInput for a run that `weir run` did
/// not begin; those of the artifact store.
[[nodiscard]] Result<RunJob> job_of(const engine::RecordedRun& run, config::Config settings,
                                    const artifact::ArtifactStore& artifacts);

}  // namespace weir::cli
