#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "base/result.h"
#include "engine/recorded_run.h"
#include "engine/sub_pipelines.h"
#include "log/store_directory.h"

/// Runs of the record that go on, or run again.
namespace weir::engine {

/// What the log tells of a run; of a tenant's, if one is named, which may be nobody's: empty.
/// Errors: kConflict when none is named and several have a run of this id; those of the log.
[[nodiscard]] Result<RecordedRun> read_recorded_run(const log::StoreDirectory& store,
                                                    const RunId& id,
                                                    const std::optional<std::string>& tenant = {});

/// Whether an engine began it, so that what it began with is known.
[[nodiscard]] bool has_beginning(const RecordedRun& run);

/// What a run began with, as it was then.
struct Beginning {
  SubPipeline pipeline;
  json::Object payload;
  json::Object params;
};
/// Errors: kInvalidInput for a run that no engine began; those of the artifact store; kCorrupt.
[[nodiscard]] Result<Beginning> beginning_of(const RecordedRun& run,
                                             const artifact::ArtifactStore& artifacts);

/// Takes the run, and finds what it began with. Unless it had ended, what its tools have left
/// running is ended. Of a run of which nothing is in the log, that is nothing. Errors: kConflict
/// when another process has the run; those of beginning_of; kIo, kCorrupt.
[[nodiscard]] Result<LostRun> take_lost_run(const log::StoreDirectory& store,
                                            const artifact::ArtifactStore& artifacts,
                                            const RunId& id,
                                            const std::optional<std::string>& tenant = {});

/// The run that a rerun repeats, if it takes outputs from there. Errors: kNotFound when it is gone.
[[nodiscard]] Result<std::optional<RecordedRun>> repeated_run(const log::StoreDirectory& store,
                                                              const RecordedRun& rerun);

/// Errors: kInvalidInput for a node that the pipeline does not have.
[[nodiscard]] Result<void> check_nodes(const pipeline::Definition& definition,
                                       const std::vector<std::string>& ids);

/// The definitions of the runs that a run had begun and that are lost with it, theirs too. What
/// cannot be read is left out.
[[nodiscard]] std::vector<pipeline::Definition> definitions_below(
    const log::StoreDirectory& store, const artifact::ArtifactStore& artifacts,
    const RecordedRun& run);

}  // namespace weir::engine
