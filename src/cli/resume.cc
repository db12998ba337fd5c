#include <CLI/CLI.hpp>
#include <memory>

#include "artifact/artifact_store.h"
#include "cli/command.h"
#include "cli/detach.h"
#include "cli/run_job.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "engine/lost_run.h"

namespace weir::cli {
namespace {

struct ResumeOptions {
  NamedRun run;
  HowToRun how;
  bool detach = false;
};

/// Errors: kConflict when there is nothing to go on with.
Result<void> check_is_left(const ListedRun& run) {
  const auto id = run.state.run_id.text();
  if (run.state.pipeline_type == "external") {
    return fail(ErrorCode::kConflict,
                "run " + id + " was recorded from elsewhere: resume it there");
  }
  if (run.state.is_finished()) {
    const bool is_cancelled = run.state.state == project::State::kCancelled;
    return fail(ErrorCode::kConflict, "run " + id + (is_cancelled ? " was " : " has ") + run.word +
                                          ": only a run whose process was lost can be resumed");
  }
  return {};
}

int resume(const ResumeOptions& options, const Invocation& invocation) {
  auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = find_run(*store, options.run);
  if (!found) return complain_of_name(found.error());
  if (const auto left = check_is_left(*found); !left) return complain(left.error());
  const artifact::ArtifactStore artifacts(store->artifacts());
  auto lost = engine::take_lost_run(*store, artifacts, found->state.run_id, found->tenant_id);
  if (!lost) return complain(lost.error());
  const auto repeated = engine::repeated_run(*store, lost->owned.recorded);
  if (!repeated) return complain(repeated.error());
  engine::Rerun rerun;
  if (const auto& earlier = *repeated) {
    rerun = {.of = &*earlier, .from = lost->owned.recorded.rerun_from};
  }
  // Also of the run that follows if somebody asks for this one anew.
  auto mode = lost->owned.recorded.execution_mode;
  auto tenant = lost->owned.recorded.ids.tenant_id;
  RunJob job{.settings = *std::move(settings),
             .file = std::move(lost->pipeline.file),
             .path = std::move(lost->pipeline.path),
             .payload = std::move(lost->payload),
             .params = std::move(lost->params),
             .execution_mode = std::move(mode),
             .tenant_id = std::move(tenant),
             .owned = &lost->owned,
             .rerun = std::move(rerun)};
  return options.detach ? run_detached(std::move(job), options.how, *store)
                        : run_job(std::move(job), options.how, *store);
}

}  // namespace

void add_resume(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ResumeOptions>();
  auto* command = app.add_subcommand(
      "resume", "Go on with a run whose process was lost: only what was not completed runs");
  add_named_run(*command, options->run);
  command->add_flag("--detach", options->detach,
                    "Print the run's id when it goes on, and let it run on by itself");
  add_how_to_run(*command, options->how);
  command->footer("Example: weir resume last");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return resume(*options, invocation); };
  });
}

}  // namespace weir::cli
