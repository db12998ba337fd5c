#include "engine/wide_events.h"

#include "record/observation.h"

namespace weir::engine {
namespace {

void emit(record::Run& run, event::Type type, const project::WideFields& wide,
          const json::Object& extra) {
  record::Observation observation;
  observation.set(wide.fields);
  observation.add_attributes(wide.attributes);
  if (!extra.empty()) observation.add_attribute("extra", extra);
  observation.emit(run, type, event::info(type).level);
}

}  // namespace

void emit_node_wide(record::Run& run, const project::NodeWide& node, const json::Object& extra) {
  emit(run, event::Type::kNodeWide, project::fields_of(node), extra);
}

void emit_pipeline_wide(record::Run& run, const project::PipelineWide& wide,
                        const json::Object& extra) {
  emit(run, event::Type::kPipelineWide, project::fields_of(wide), extra);
}

}  // namespace weir::engine
