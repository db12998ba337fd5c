#include "engine/lost_run.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "log/follower.h"
#include "store/history.h"
#include "tool/leftovers.h"
#include "tool/tool.h"

namespace weir::engine {
namespace {

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

Result<pipeline::File> kept_file(const artifact::ArtifactStore& artifacts, const RecordedRun& run) {
  if (!run.definition_sha256) return fail(ErrorCode::kCorrupt, "its definition was not recorded");
  auto text = artifacts.get(*run.definition_sha256, pipeline::kMaxFileBytes);
  if (!text) return std::unexpected(std::move(text).error().within("its definition"));
  return pipeline::read_text(run.file, *std::move(text));
}

/// Adds what others have asked of the run, which stands in runs of their own.
Result<void> read_requests(const log::StoreDirectory& store, RecordedRun& run) {
  const auto read = store::read_mentions(store, run.run_id, [&](const event::EventView& event) {
    const project::RunKey key(run.run_id, run.ids.tenant_id);
    if (event.run_id() != run.run_id && key.may_be_meant_by(event)) run.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return {};
}

}  // namespace

Result<RecordedRun> read_recorded_run(const log::StoreDirectory& store, const RunId& id,
                                      const std::optional<std::string>& tenant) {
  RecordedRun run{.run_id = id};
  std::optional<project::RunKey> key;
  const store::EventHandler take = [&](const event::EventView& event) -> Result<void> {
    if (!key) key = project::RunKey::of(event);
    if (*key != project::RunKey::of(event)) {
      return fail(ErrorCode::kConflict, "several tenants have a run " + id.text());
    }
    run.apply(event);
    return {};
  };
  const auto read = tenant ? store::read_run(store, project::RunKey(id, *tenant), take)
                           : store::read_run(store, id, take);
  if (!read) return std::unexpected(read.error());
  return run;
}

bool has_beginning(const RecordedRun& run) {
  return !run.file.empty() && run.definition_sha256 && run.input_sha256;
}

Result<Beginning> beginning_of(const RecordedRun& run, const artifact::ArtifactStore& artifacts) {
  if (!has_beginning(run) || !run.definition_sha256 || !run.input_sha256) {
    return fail(ErrorCode::kInvalidInput, "run " + run.run_id.text() +
                                              " was not begun by weir run: what it began with is "
                                              "not known");
  }
  Beginning beginning{.pipeline = {}, .payload = {}, .params = run.params};
  WEIR_TRY(beginning.pipeline.file, kept_file(artifacts, run));
  beginning.pipeline.path = run.file;
  WEIR_TRY(beginning.payload, kept_object(artifacts, *run.input_sha256, "its input"));
  if (run.params_sha256) {
    WEIR_TRY(beginning.params, kept_object(artifacts, *run.params_sha256, "its parameters"));
  }
  return beginning;
}

Result<LostRun> take_lost_run(const log::StoreDirectory& store,
                              const artifact::ArtifactStore& artifacts, const RunId& id,
                              const std::optional<std::string>& tenant) {
  WEIR_TRY(auto lock, log::RunLock::take(store, id));
  WEIR_TRY(auto end, log::end_of_log(store));
  WEIR_TRY(auto recorded, read_recorded_run(store, id, tenant));
  WEIR_TRY(read_requests(store, recorded));
  LostRun lost{.owned = {.lock = std::move(lock),
                         .recorded = std::move(recorded),
                         .read_from = std::move(end)},
               .pipeline = {},
               .payload = {},
               .params = {}};
  if (lost.owned.recorded.last_run_seq == 0) return lost;
  WEIR_TRY(auto beginning, beginning_of(lost.owned.recorded, artifacts));
  lost.pipeline = std::move(beginning.pipeline);
  lost.payload = std::move(beginning.payload);
  lost.params = std::move(beginning.params);
  // What a run that ended has left may stay: it was no loss.
  if (lost.owned.recorded.end.empty()) tool::end_leftovers(id.text());
  return lost;
}

Result<std::optional<RecordedRun>> repeated_run(const log::StoreDirectory& store,
                                                const RecordedRun& rerun) {
  if (rerun.rerun_from.empty()) return std::nullopt;
  const auto& named = rerun.rerun_of;
  if (const auto id = RunId::parse(named)) {
    WEIR_TRY(auto run, read_recorded_run(store, *id, rerun.ids.tenant_id));
    if (run.engine_attempt > 0) return run;
  }
  return fail(ErrorCode::kNotFound, "it takes outputs from run " + named +
                                        ", which is not there any more: rerun it in full");
}

Result<void> check_nodes(const pipeline::Definition& definition,
                         const std::vector<std::string>& ids) {
  std::vector<std::string> known;
  known.reserve(definition.nodes.size());
  for (const auto& node : definition.nodes) known.push_back(node.id.text);
  for (const auto& id : ids) {
    if (std::ranges::find(known, id) != known.end()) continue;
    return fail(ErrorCode::kInvalidInput, "pipeline '" + definition.id + "' has no node '" + id +
                                              "'" + text::did_you_mean(id, known));
  }
  return {};
}

std::vector<pipeline::Definition> definitions_below(const log::StoreDirectory& store,
                                                    const artifact::ArtifactStore& artifacts,
                                                    const RecordedRun& run) {
  std::vector<pipeline::Definition> found;
  std::vector<RecordedRun> runs = {run};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [node_id, child] : std::map(runs[i].children)) {
      auto recorded = read_recorded_run(store, child.run_id, run.ids.tenant_id);
      if (!recorded || !recorded->definition_sha256) continue;
      if (auto file = kept_file(artifacts, *recorded)) {
        found.push_back(std::move(file->definition));
        runs.push_back(*std::move(recorded));
      }
    }
  }
  return found;
}

}  // namespace weir::engine
