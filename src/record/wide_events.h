#pragma once

#include "base/json.h"
#include "project/wide_events.h"
#include "record/observation.h"
#include "record/recorder.h"

namespace weir::record {

/// Records a `node_wide` or a `pipeline_wide`: as the engine does for pipelines whose file says
/// `wide_events`, and anybody may with what is known to him. `extra`, if it has members, is the
/// attribute of that name. Held to the limits of an Observation; where nothing else is said,
/// trace and correlation ids are those that are current in this thread, then `defaults`.
void emit_node_wide(Run& run, const project::NodeWide& node, const json::Object& extra = {},
                    const TextFields& defaults = {});
void emit_pipeline_wide(Run& run, const project::PipelineWide& wide, const json::Object& extra = {},
                        const TextFields& defaults = {});

}  // namespace weir::record
