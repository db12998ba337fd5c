#include "record/wide_events.h"

namespace weir::record {
namespace {

void emit_wide(Run& run, event::Type type, const project::WideFields& wide,
               const json::Object& extra, const TextFields& defaults) {
  Observation observation;
  observation.set(wide.fields);
  observation.add_attributes(wide.attributes);
  if (!extra.empty()) observation.add_attribute("extra", extra);
  observation.set_defaults(defaults);
  observation.emit(run, type, event::info(type).level);
}

}  // namespace

void emit_node_wide(Run& run, const project::NodeWide& node, const json::Object& extra,
                    const TextFields& defaults) {
  emit_wide(run, event::Type::kNodeWide, project::fields_of(node), extra, defaults);
}

void emit_pipeline_wide(Run& run, const project::PipelineWide& wide, const json::Object& extra,
                        const TextFields& defaults) {
  emit_wide(run, event::Type::kPipelineWide, project::fields_of(wide), extra, defaults);
}

}  // namespace weir::record
