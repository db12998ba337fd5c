#pragma once

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "base/result.h"
#include "engine/sub_pipelines.h"
#include "log/store_directory.h"

/// Runs whose process was lost, from the log.
namespace weir::cli {

/// Takes the run, and finds what it began with as it was then. Of a run of which nothing is in the
/// log, that is nothing. Errors: kConflict when another process has the run; kInvalidInput when it
/// was not begun by weir run; kIo, kCorrupt.
[[nodiscard]] Result<engine::LostRun> take_lost_run(const log::StoreDirectory& store,
                                                    const artifact::ArtifactStore& artifacts,
                                                    const RunId& id);

/// The definitions of the runs that a run had begun and that are lost with it, theirs too. What
/// cannot be read is left out.
[[nodiscard]] std::vector<pipeline::Definition> definitions_below(
    const log::StoreDirectory& store, const artifact::ArtifactStore& artifacts,
    const engine::RecordedRun& run);

}  // namespace weir::cli
