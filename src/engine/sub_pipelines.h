#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "engine/job_slots.h"
#include "engine/mode_around.h"
#include "engine/pauses.h"
#include "engine/recorded_run.h"
#include "pipeline/file.h"

namespace weir::engine {

/// A run may have this many runs around it: the pipelines of its parents.
inline constexpr int kMaxRunDepth = 5;

/// A pipeline that nodes run.
struct SubPipeline {
  pipeline::File file;         ///< without problems
  std::filesystem::path path;  ///< absolute; empty: there is no file
};

/// A run that a lost process had begun from one of its nodes, with what it began with.
struct LostRun {
  OwnedRun owned;  ///< `recorded.engine_attempt` is 0 when nothing of it is in the log
  SubPipeline pipeline;
  json::Object payload;
  json::Object params;
};

/// What nodes with a `pipeline` need from whoever knows files and the log: the engine looks for
/// neither. Both are called from the threads that run nodes.
struct SubPipelines {
  /// The pipeline of an id. Errors: kNotFound; kInvalidInput when it is wrong.
  std::function<Result<std::shared_ptr<const SubPipeline>>(const std::string& id)> find;
  /// Takes a tenant's run whose process was lost. Errors: kConflict when another process has it.
  std::function<Result<LostRun>(const RunId& run, const std::string& tenant_id)> take;
};

/// Of a run that a node of another one begins.
struct ChildPlace {
  RunId run_id;  ///< its parent has recorded it
  int depth;     ///< how many runs are around it
  JobSlots& slots;
  Pauses& pauses;                        ///< of its parent
  const std::vector<ModeAround>& modes;  ///< of all runs around it, the nearest first
};

}  // namespace weir::engine
