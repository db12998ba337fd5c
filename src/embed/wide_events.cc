#include "weir/wide_events.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "embed/state.h"
#include "embed/values.h"
#include "project/wide_events.h"
#include "record/wide_events.h"

namespace weir {
namespace embed {
namespace {

project::NodeWide known_of(const NodeWide& node, const std::string& pipeline) {
  project::NodeWide made;
  made.topology = node.topology.empty() ? pipeline : node.topology;
  made.node_id = node.node_id;
  made.plugin_id = node.plugin_id;
  made.tool_id = node.tool_id;
  made.execution_mode = node.execution_mode;
  made.step_index = node.step_index;
  made.attempt = node.attempt;
  made.status = node.status;
  made.started_at = to_timestamp(node.started_at);
  made.ended_at = to_timestamp(node.ended_at);
  made.duration_ms = node.duration_ms;
  made.outcome = node.outcome;
  made.output_keys = node.output_keys;
  std::ranges::sort(made.output_keys);
  made.cache_hit = node.cache_hit;
  made.error_type = node.error_type;
  made.error_message = node.error_message;
  made.reason = node.reason;
  made.rows = node.rows;
  return made;
}

project::PipelineWide known_of(const PipelineWide& wide, const std::string& pipeline) {
  project::PipelineWide made;
  made.topology = wide.topology.empty() ? pipeline : wide.topology;
  made.pipeline_name = wide.pipeline_name;
  made.status = wide.status;
  made.started_at = to_timestamp(wide.started_at);
  made.ended_at = to_timestamp(wide.ended_at);
  made.duration_ms = wide.duration_ms;
  made.outcome = wide.outcome;
  made.failed_node_id = wide.failed_node_id;
  made.error_type = wide.error_type;
  made.error_message = wide.error_message;
  made.reason = wide.reason;
  std::int64_t completed = 0, failed = 0;
  for (const auto& node : wide.nodes) {
    made.nodes.insert_or_assign(node.node_id, known_of(node, made.topology));
  }
  for (const auto& [id, node] : made.nodes) {
    completed += node.status == "completed" ? 1 : 0;
    failed += node.status == "failed" ? 1 : 0;
  }
  if (!made.nodes.empty()) {
    made.node_count = static_cast<std::int64_t>(made.nodes.size());
    made.success_count = completed;
    made.failed_count = failed;
  }
  return made;
}

}  // namespace
}  // namespace embed

bool emit_node_wide(Run& run, const NodeWide& node, Fields extra) noexcept {
  auto& state = *embed::Access::state_of(run);
  if (!state.takes("node_wide")) return false;
  if (node.node_id.empty()) {
    return state.refuse({StatusCode::kInvalidInput, "node_wide: without 'node_id'"});
  }
  record::emit_node_wide(*state.run, embed::known_of(node, state.pipeline_id),
                         embed::to_object(extra), state.fields);
  return true;
}

bool emit_pipeline_wide(Run& run, const PipelineWide& wide, Fields extra) noexcept {
  auto& state = *embed::Access::state_of(run);
  if (!state.takes("pipeline_wide")) return false;
  record::emit_pipeline_wide(*state.run, embed::known_of(wide, state.pipeline_id),
                             embed::to_object(extra), state.fields);
  return true;
}

}  // namespace weir
