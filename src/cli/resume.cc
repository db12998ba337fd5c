#include <CLI/CLI.hpp>
#include <memory>

#include "artifact/artifact_store.h"
#include "cli/command.h"
#include "cli/run_job.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "engine/recorded_run.h"
#include "store/history.h"
#include "tool/tool.h"

namespace weir::cli {
namespace {

struct ResumeOptions {
  std::string run;
  HowToRun how;
};

/// Errors: kConflict when there is nothing to go on with.
Result<void> check_is_left(const ListedRun& run) {
  const auto id = run.state.run_id.text();
  if (run.state.pipeline_type == "external") {
    return fail(ErrorCode::kConflict,
                "run " + id + " was recorded from elsewhere: resume it there");
  }
  if (run.state.is_finished()) {
    return fail(ErrorCode::kConflict, "run " + id + " has " + run.word +
                                          ": only a run whose process was lost can be resumed");
  }
  return {};
}

/// Errors: kConflict when another process has the run.
Result<engine::OwnedRun> take_run(const log::StoreDirectory& store, const RunId& id) {
  WEIR_TRY(auto lock, log::RunLock::take(store, id));
  engine::OwnedRun run{.lock = std::move(lock), .recorded = {.run_id = id}};
  const auto read = store::read_run(store, id, [&](const event::EventView& event) {
    run.recorded.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return run;
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

/// All that the run began with, as it was then.
Result<RunJob> job_of(const engine::RecordedRun& run, config::Config settings,
                      const artifact::ArtifactStore& artifacts) {
  if (run.file.empty() || !run.definition_sha256 || !run.input_sha256) {
    return fail(ErrorCode::kInvalidInput,
                "run " + run.run_id.text() + " was not begun by weir run: it cannot be resumed");
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
                .params = std::move(params)};
}

int resume(const ResumeOptions& options, const Invocation& invocation) {
  auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = find_run(*store, options.run);
  if (!found) return complain(found.error());
  if (const auto left = check_is_left(*found); !left) return complain(left.error());
  auto owned = take_run(*store, found->state.run_id);
  if (!owned) return complain(owned.error());
  const artifact::ArtifactStore artifacts(store->artifacts());
  auto job = job_of(owned->recorded, *std::move(settings), artifacts);
  if (!job) return complain(job.error());
  job->owned = &*owned;
  return run_job(*std::move(job), options.how, *store);
}

}  // namespace

void add_resume(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ResumeOptions>();
  auto* command = app.add_subcommand(
      "resume", "Go on with a run whose process was lost: only what was not completed runs");
  command->add_option("run", options->run, "The run: last, its id, or a beginning or end of it")
      ->required();
  add_how_to_run(*command, options->how);
  command->footer("Example: weir resume last");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return resume(*options, invocation); };
  });
}

}  // namespace weir::cli
