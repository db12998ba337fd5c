#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/json.h"
#include "config/config.h"
#include "engine/engine.h"
#include "log/store_directory.h"
#include "pipeline/file.h"
#include "pipeline/registry.h"

namespace weir::cli {

/// What a person says about a run beside what runs.
struct HowToRun {
  int jobs;  ///< nodes at a time; as many as there are processors
  bool all_outputs = false;
  bool quiet = false;
  bool no_cache = false;  ///< no output of an earlier run is taken; this one's are kept
  engine::RunLogger* run_logger = nullptr;  ///< null: nobody else keeps a record
  HowToRun();
};
/// --jobs, --all-outputs, --quiet, --no-cache
void add_how_to_run(CLI::App& command, HowToRun& how);

/// A pipeline with all that a run of it needs.
struct RunJob {
  config::Config settings;
  pipeline::File file;
  std::filesystem::path path;  ///< of the file, as it was named
  json::Object payload;
  json::Object params;            ///< those that were given
  std::string execution_mode{};   ///< empty: as around, or as recorded
  std::string tenant_id{};        ///< the same; see tenant_of
  std::optional<RunId> run_id{};  ///< of a new run; nothing: a new one
  /// That it is from; null: none.
  std::shared_ptr<const pipeline::Registry> registry{};
  engine::OwnedRun* owned = nullptr;  ///< the run to go on with; null: a new one
  engine::Rerun rerun{};              ///< the run that it repeats
};

/// Runs it, shows its progress on standard error and its result on standard output: the exit code.
int run_job(RunJob job, const HowToRun& how, const log::StoreDirectory& store);

}  // namespace weir::cli
