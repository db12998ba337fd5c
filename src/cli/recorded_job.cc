#include "cli/recorded_job.h"

#include "engine/lost_run.h"

namespace weir::cli {

Result<RunJob> job_of(const engine::RecordedRun& run, config::Config settings,
                      const artifact::ArtifactStore& artifacts) {
  WEIR_TRY(auto beginning, engine::beginning_of(run, artifacts));
  return RunJob{.settings = std::move(settings),
                .file = std::move(beginning.pipeline.file),
                .path = std::move(beginning.pipeline.path),
                .payload = std::move(beginning.payload),
                .params = std::move(beginning.params),
                .execution_mode = run.execution_mode};
}

}  // namespace weir::cli
