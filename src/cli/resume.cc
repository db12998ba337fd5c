#include <CLI/CLI.hpp>
#include <memory>

#include "artifact/artifact_store.h"
#include "cli/command.h"
#include "cli/lost_run.h"
#include "cli/run_job.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "cli/usage.h"

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

int resume(const ResumeOptions& options, const Invocation& invocation) {
  auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = find_run(*store, options.run);
  if (!found) return complain(found.error());
  if (const auto left = check_is_left(*found); !left) return complain(left.error());
  const artifact::ArtifactStore artifacts(store->artifacts());
  auto lost = take_lost_run(*store, artifacts, found->state.run_id);
  if (!lost) return complain(lost.error());
  return run_job({.settings = *std::move(settings),
                  .file = std::move(lost->pipeline.file),
                  .path = std::move(lost->pipeline.path),
                  .payload = std::move(lost->payload),
                  .params = std::move(lost->params),
                  .owned = &lost->owned},
                 options.how, *store);
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
