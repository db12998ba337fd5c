#include "cli/lost_run.h"

#include "cli/recorded_job.h"
#include "log/follower.h"

namespace weir::cli {
namespace {

Result<pipeline::File> kept_file(const artifact::ArtifactStore& artifacts,
                                 const engine::RecordedRun& run) {
  if (!run.definition_sha256) return fail(ErrorCode::kCorrupt, "its definition was not recorded");
  auto text = artifacts.get(*run.definition_sha256, pipeline::kMaxFileBytes);
  if (!text) return std::unexpected(std::move(text).error().within("its definition"));
  return pipeline::read_text(run.file, *std::move(text));
}

}  // namespace

Result<engine::LostRun> take_lost_run(const log::StoreDirectory& store,
                                      const artifact::ArtifactStore& artifacts, const RunId& id) {
  WEIR_TRY(auto lock, log::RunLock::take(store, id));
  WEIR_TRY(auto end, log::end_of_log(store));
  WEIR_TRY(auto recorded, read_recorded_run(store, id));
  WEIR_TRY(read_requests(store, recorded));
  engine::LostRun lost{.owned = {.lock = std::move(lock),
                                 .recorded = std::move(recorded),
                                 .read_from = std::move(end)},
                       .pipeline = {},
                       .payload = {},
                       .params = {}};
  const auto& run = lost.owned.recorded;
  if (run.last_run_seq == 0) return lost;
  if (!has_beginning(run) || !run.input_sha256) {
    return fail(ErrorCode::kInvalidInput,
                "run " + id.text() + " was not begun by weir run: it cannot be resumed");
  }
  WEIR_TRY(lost.pipeline.file, kept_file(artifacts, run));
  lost.pipeline.path = run.file;
  WEIR_TRY(lost.payload, kept_object(artifacts, *run.input_sha256, "its input"));
  lost.params = run.params;
  if (run.params_sha256) {
    WEIR_TRY(lost.params, kept_object(artifacts, *run.params_sha256, "its parameters"));
  }
  return lost;
}

std::vector<pipeline::Definition> definitions_below(const log::StoreDirectory& store,
                                                    const artifact::ArtifactStore& artifacts,
                                                    const engine::RecordedRun& run) {
  std::vector<pipeline::Definition> found;
  std::vector<engine::RecordedRun> runs = {run};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [node_id, child] : std::map(runs[i].children)) {
      auto recorded = read_recorded_run(store, child.run_id);
      if (!recorded || !recorded->definition_sha256) continue;
      if (auto file = kept_file(artifacts, *recorded)) {
        found.push_back(std::move(file->definition));
        runs.push_back(*std::move(recorded));
      }
    }
  }
  return found;
}

}  // namespace weir::cli
