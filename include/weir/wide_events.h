#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/field.h"
#include "weir/run.h"

/// Wide events: all that is known of a node, or of a run, in one event. `wide_events: true` in a
/// pipeline's file makes Weir's engine say them; a program that runs its own says them itself:
///
///   weir::emit_node_wide(run, node, {{"customer_id", customer}});
namespace weir {

/// What is known of a node, of its last attempt. Empty is unknown, and not said.
struct NodeWide {
  std::string topology{};  ///< the pipeline's name, as `chat_fast`: empty is its id
  std::string node_id{};   ///< must be there
  std::string plugin_id{};
  std::string tool_id{};
  std::string execution_mode{};
  std::optional<std::int64_t> step_index{};
  std::optional<std::int64_t> attempt{};
  std::string status{};  ///< completed, failed, skipped, cancelled, or a word of your own
  std::optional<std::chrono::system_clock::time_point> started_at{};
  std::optional<std::chrono::system_clock::time_point> ended_at{};
  std::optional<double> duration_ms{};
  std::string outcome{};                   ///< more than the status says
  std::vector<std::string> output_keys{};  ///< `data_keys`
  std::optional<bool> cache_hit{};
  std::string error_type{};
  std::string error_message{};
  std::string reason{};  ///< of what was skipped or cancelled
  std::optional<std::int64_t> rows{};
};

/// What is known of a run.
struct PipelineWide {
  std::string topology{};  ///< as NodeWide's
  std::string pipeline_name{};
  std::string status{};  ///< completed, failed, cancelled
  std::optional<std::chrono::system_clock::time_point> started_at{};
  std::optional<std::chrono::system_clock::time_point> ended_at{};
  std::optional<double> duration_ms{};
  std::string outcome{};
  std::string failed_node_id{};
  std::string error_type{};
  std::string error_message{};
  std::string reason{};
  std::vector<NodeWide> nodes{};  ///< of one id, the last; they become the `stage_details`
};

/// Records a `node_wide`, a `stage.wide` on its topic: its fields, and the attributes `topology`,
/// `service` (`chat` of `chat_fast`), `status`, `started_at`, `ended_at` and `extra`, an object of
/// what is said in `extra`. Ids come from the current context and the run. Long texts are cut, and
/// the event says so in `weir.cut_bytes`. False when it is not recorded: the next Run::flush says
/// why (kInvalidInput without a node_id; kCancelled after the run's end).
bool emit_node_wide(Run& run, const NodeWide& node, Fields extra = {}) noexcept;
/// Records a `pipeline_wide`, likewise: also `stage_counts` ({status: number of nodes}) and
/// `stage_details` of the nodes that have a status, in topological order: `stage`, `status`,
/// `started_at`, `ended_at`, `duration_ms`, `error`, `data_keys`. Over 64 KiB they are left out,
/// and counted in `stage_details_left_out`.
bool emit_pipeline_wide(Run& run, const PipelineWide& wide, Fields extra = {}) noexcept;

}  // namespace weir
