#pragma once

#include "base/json.h"
#include "project/wide_events.h"
#include "record/recorder.h"

namespace weir::engine {

/// Records a `node_wide` or a `pipeline_wide`: as the engine does for pipelines whose file says
/// `wide_events`, and anybody may with what is known to him. `extra`, if it has members, is the
/// attribute of that name. Held to the limits of a record::Observation; where nothing else is said,
/// trace and correlation ids are those that are current in this thread.
void emit_node_wide(record::Run& run, const project::NodeWide& node,
                    const json::Object& extra = {});
void emit_pipeline_wide(record::Run& run, const project::PipelineWide& wide,
                        const json::Object& extra = {});

}  // namespace weir::engine
