#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "event/decoder.h"
#include "event/field_value.h"

/// Wide events: all that a run's events say of a node, or of the run, in one. A fold over those
/// events, so that they can be made again from the log. The fields are those of stageflow's
/// `stage.wide` and `pipeline.wide`.
namespace weir::project {

/// What is known of a node, of its last attempt. Empty is unknown.
struct NodeWide {
  std::string topology{};  ///< the pipeline's id
  std::string node_id{};
  std::string plugin_id{};
  std::string tool_id;
  std::string span_id;
  std::string parent_span_id;
  std::string execution_mode;
  std::optional<std::int64_t> step_index;
  std::optional<std::int64_t> attempt;
  std::string status;  ///< completed, failed, skipped or cancelled; empty: it has not ended
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> ended_at;
  std::optional<double> duration_ms;
  std::string outcome;                   ///< more than the status says
  std::vector<std::string> output_keys;  ///< sorted
  std::string output_sha256;
  std::optional<bool> cache_hit;
  std::string error_type;
  std::string error_message;
  std::string reason;  ///< of what was skipped or cancelled
  std::optional<std::int64_t> exit_code;
  std::optional<double> cpu_ms;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> rows;

  bool operator==(const NodeWide&) const = default;

  /// The node's events in their order; others change nothing.
  void apply(const event::EventView& event);
  void apply(event::Type type, Timestamp when, std::span<const event::FieldValue> fields);
};

/// What is known of a run.
struct PipelineWide {
  std::string topology{};  ///< the pipeline's id
  std::string span_id{};
  std::string parent_span_id;
  std::string pipeline_name;
  std::string status;  ///< completed, failed or cancelled; empty: it has not ended
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> ended_at;
  std::optional<double> duration_ms;
  std::string outcome;  ///< more than the status says
  std::optional<std::int64_t> node_count;
  std::optional<std::int64_t> success_count;
  std::optional<std::int64_t> failed_count;
  std::string failed_node_id;
  std::string error_type;
  std::string error_message;
  std::string reason;                                  ///< of what was cancelled
  std::map<std::string, NodeWide, std::less<>> nodes;  ///< by id

  bool operator==(const PipelineWide&) const = default;

  /// The run's events in their order, those of its nodes included.
  void apply(const event::EventView& event);
  /// The same for events of the run itself; who calls it puts the nodes into `nodes`.
  void apply(event::Type type, Timestamp when, std::span<const event::FieldValue> fields);
};

/// Of all `stage_details` as JSON: they share their line with what else is said.
inline constexpr std::size_t kMaxStageDetailsBytes = std::size_t{64} << 10;
/// Of an error in `stage_details`; the node's own events have all of it.
inline constexpr std::size_t kMaxStageErrorBytes = 500;
/// Of the keys of one output in `stage_details`.
inline constexpr std::size_t kMaxStageDataKeys = 50;

/// What the event says. The fields are views into the NodeWide or PipelineWide.
struct WideFields {
  std::vector<event::FieldValue> fields;  ///< in the catalogue's order
  json::Object attributes;
};

/// What stageflow calls the service of a topology: `chat` of `chat_fast`; the whole of one that is
/// a single word, and empty for a `…_kernel`, which serves others.
[[nodiscard]] std::string_view service_of(std::string_view topology);

/// Of a `node_wide`; attributes: `topology`, `service`, `status`, `started_at`, `ended_at`.
[[nodiscard]] WideFields fields_of(const NodeWide& node);
/// Of a `pipeline_wide`; attributes: `topology`, `service`, `status`, `started_at`, `ended_at`,
/// `stage_counts` ({status: number of nodes}) and `stage_details` of the nodes that have ended, in
/// topological order: `stage` (its id), `status`, `started_at`, `ended_at`, `duration_ms`, `error`,
/// `data_keys`. Those for which there is no room are counted in `stage_details_left_out`.
[[nodiscard]] WideFields fields_of(const PipelineWide& run);

}  // namespace weir::project
