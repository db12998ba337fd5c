#include <CLI/CLI.hpp>
#include <memory>

#include "artifact/artifact_store.h"
#include "cli/command.h"
#include "cli/recorded_job.h"
#include "cli/run_job.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "engine/recorded_run.h"

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

/// The run that a rerun repeats, if it takes outputs from there. Errors: kNotFound when it is gone.
Result<std::optional<engine::RecordedRun>> repeated_run(const log::StoreDirectory& store,
                                                        const engine::RecordedRun& rerun) {
  if (rerun.rerun_from.empty()) return std::nullopt;
  const auto& named = rerun.ids.previous_run_id;
  if (const auto id = RunId::parse(named)) {
    WEIR_TRY(auto run, read_recorded_run(store, *id));
    if (run.engine_attempt > 0) return run;
  }
  return fail(ErrorCode::kNotFound, "it takes outputs from run " + named +
                                        ", which is not there any more: rerun it in full");
}

/// Errors: kConflict when another process has the run.
Result<engine::OwnedRun> take_run(const log::StoreDirectory& store, const RunId& id) {
  WEIR_TRY(auto lock, log::RunLock::take(store, id));
  WEIR_TRY(auto recorded, read_recorded_run(store, id));
  return engine::OwnedRun{.lock = std::move(lock), .recorded = std::move(recorded)};
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
  const auto repeated = repeated_run(*store, owned->recorded);
  if (!repeated) return complain(repeated.error());
  if (const auto& earlier = *repeated) {
    job->rerun = {.of = &*earlier, .from = owned->recorded.rerun_from};
  }
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
