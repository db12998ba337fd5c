#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "artifact/artifact_store.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/recorded_job.h"
#include "cli/run_job.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "engine/lost_run.h"

namespace weir::cli {
namespace {

struct RerunOptions {
  NamedRun run;
  std::vector<std::string> from;
  HowToRun how;
};

/// Errors: kConflict when it cannot be run again, or not from there.
Result<void> check_can_repeat(const ListedRun& run, const RerunOptions& options) {
  const auto id = run.state.run_id.text();
  if (run.state.pipeline_type == "external") {
    return fail(ErrorCode::kConflict,
                "run " + id + " was recorded from elsewhere: run it again there");
  }
  const bool is_running = run.word == "running" || run.word == "paused";
  if (is_running && !options.from.empty()) {
    return fail(ErrorCode::kConflict, "run " + id + " is " + run.word +
                                          ": its outputs are not all there yet; wait for its end, "
                                          "or leave out --from");
  }
  return {};
}

int rerun(const RerunOptions& options, const Invocation& invocation) {
  auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = find_run(*store, options.run);
  if (!found) return complain_of_name(found.error());
  if (const auto can = check_can_repeat(*found, options); !can) return complain(can.error());
  const auto recorded = engine::read_recorded_run(*store, found->state.run_id, found->tenant_id);
  if (!recorded) return complain(recorded.error());
  if (recorded->engine_attempt == 0) {
    return complain({ErrorCode::kConflict, "run " + found->state.run_id.text() +
                                               " was refused before it began: there is nothing to "
                                               "run again"});
  }
  const artifact::ArtifactStore artifacts(store->artifacts());
  auto job = job_of(*recorded, *std::move(settings), artifacts);
  if (!job) return complain(job.error());
  if (auto known = engine::check_nodes(job->file.definition, options.from); !known) {
    return complain(std::move(known).error().within("--from"));
  }
  job->rerun = {.of = &*recorded, .from = options.from};
  return run_job(*std::move(job), options.how, *store);
}

}  // namespace

void add_rerun(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RerunOptions>();
  auto* command = app.add_subcommand(
      "rerun", "Run a recorded run again, from the beginning or from some of its nodes");
  add_named_run(*command, options->run);
  command
      ->add_option("--from", options->from,
                   "A node: it and all that come after it run, the others give what they gave "
                   "then; may be given more than once")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_how_to_run(*command, options->how);
  command->footer("Example: weir rerun last --from publish");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return rerun(*options, invocation); };
  });
}

}  // namespace weir::cli
