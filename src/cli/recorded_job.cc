#include "cli/recorded_job.h"

#include "store/history.h"
#include "tool/tool.h"

namespace weir::cli {
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

Result<engine::RecordedRun> read_recorded_run(const log::StoreDirectory& store, const RunId& id) {
  engine::RecordedRun run{.run_id = id};
  const auto read = store::read_run(store, id, [&](const event::EventView& event) {
    run.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return run;
}

Result<void> read_requests(const log::StoreDirectory& store, engine::RecordedRun& run) {
  const auto read = store::read_mentions(store, run.run_id, [&](const event::EventView& event) {
    if (event.run_id() != run.run_id) run.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return {};
}

bool has_beginning(const engine::RecordedRun& run) {
  return !run.file.empty() && run.definition_sha256 && run.input_sha256;
}

Result<RunJob> job_of(const engine::RecordedRun& run, config::Config settings,
                      const artifact::ArtifactStore& artifacts) {
  if (!has_beginning(run) || !run.definition_sha256 || !run.input_sha256) {
    return fail(ErrorCode::kInvalidInput,
                "run " + run.run_id.text() + " was not begun by weir run: it cannot be run again");
  }
  auto text = artifacts.get(*run.definition_sha256, pipeline::kMaxFileBytes);
  if (!text) return std::unexpected(std::move(text).error().within("its definition"));
  WEIR_TRY(auto payload, kept_object(artifacts, *run.input_sha256, "its input"));
  auto params = run.params;
  if (run.params_sha256) {
    WEIR_TRY(params, kept_object(artifacts, *run.params_sha256, "its parameters"));
  }
  return RunJob{.settings = std::move(settings),
                .file = pipeline::read_text(run.file, *std::move(text)),
                .path = run.file,
                .payload = std::move(payload),
                .params = std::move(params),
                .execution_mode = run.execution_mode};
}

}  // namespace weir::cli
