#include "cli/lost_run.h"

#include "store/history.h"
#include "tool/tool.h"

namespace weir::cli {
namespace {

Result<engine::RecordedRun> read_recorded(const log::StoreDirectory& store, const RunId& id) {
  engine::RecordedRun recorded;
  const auto read = store::read_run(store, id, [&](const event::EventView& event) {
    if (event.run_id() == id) recorded.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return recorded;
}

Result<json::Object> kept_object(const artifact::ArtifactStore& artifacts, const Sha256& hash,
                                 std::string_view what) {
  auto text = artifacts.get(hash, tool::kMaxPayloadBytes);
  if (!text) return std::unexpected(std::move(text).error().within(what));
  auto value = json::parse(*text);
  if (!value || value->object() == nullptr) {
    return fail(ErrorCode::kCorrupt, std::string(what) + ": no JSON object");
  }
  return std::move(*value->object());
}

Result<pipeline::File> kept_file(const artifact::ArtifactStore& artifacts,
                                 const engine::RecordedRun& run) {
  auto text = artifacts.get(*run.definition_sha256, pipeline::kMaxFileBytes);
  if (!text) return std::unexpected(std::move(text).error().within("its definition"));
  return pipeline::read_text(run.file, *std::move(text));
}

}  // namespace

Result<engine::LostRun> take_lost_run(const log::StoreDirectory& store,
                                      const artifact::ArtifactStore& artifacts, const RunId& id) {
  WEIR_TRY(auto lock, log::RunLock::take(store, id));
  WEIR_TRY(auto recorded, read_recorded(store, id));
  engine::LostRun lost{.owned = {.lock = std::move(lock), .recorded = std::move(recorded)},
                       .pipeline = {},
                       .payload = {},
                       .params = {}};
  const auto& run = lost.owned.recorded;
  if (run.last_run_seq == 0) return lost;
  if (run.file.empty() || !run.definition_sha256 || !run.input_sha256) {
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
      auto recorded = read_recorded(store, child.run_id);
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
