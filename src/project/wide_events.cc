#include "project/wide_events.h"

#include <algorithm>

#include "base/utf8.h"

namespace weir::project {
namespace {

using event::Field;
using event::FieldValue;
using event::Type;

/// Fields that a producer gives, asked as an EventView is.
class GivenFields {
 public:
  explicit GivenFields(std::span<const FieldValue> fields) : fields_(fields) {}

  [[nodiscard]] std::string_view text(Field field) const {
    const auto* value = find<std::string_view>(field);
    return value == nullptr ? std::string_view() : *value;
  }
  [[nodiscard]] std::optional<std::int64_t> integer(Field field) const {
    const auto* value = find<std::int64_t>(field);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  [[nodiscard]] std::optional<double> number(Field field) const {
    if (const auto* value = find<double>(field)) return *value;
    const auto whole = integer(field);
    return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> boolean(Field field) const {
    const auto* value = find<bool>(field);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  [[nodiscard]] std::vector<std::string> strings(Field field) const {
    const auto* value = find<std::span<const std::string>>(field);
    return value == nullptr ? std::vector<std::string>()
                            : std::vector<std::string>(value->begin(), value->end());
  }

 private:
  template <class T>
  [[nodiscard]] const T* find(Field field) const {
    const auto found = std::ranges::find(fields_, field, &FieldValue::field);
    return found == fields_.end() ? nullptr : std::get_if<T>(&found->value);
  }
  std::span<const FieldValue> fields_;
};

/// What a node is called that has come to such an event; empty for all others.
std::string_view node_status(Type type) {
  switch (type) {
    case Type::kNodeCompleted:
      return "completed";
    case Type::kNodeFailed:
      return "failed";
    case Type::kNodeSkipped:
      return "skipped";
    case Type::kNodeCancelled:
      return "cancelled";
    default:
      return {};
  }
}

std::string_view run_status(Type type) {
  switch (type) {
    case Type::kPipelineCompleted:
      return "completed";
    case Type::kPipelineFailed:
      return "failed";
    case Type::kPipelineCancelled:
      return "cancelled";
    default:
      return {};
  }
}

template <class Fields>
void fold(NodeWide& node, Type type, Timestamp when, const Fields& fields) {
  const auto status = node_status(type);
  if (type == Type::kNodeStarted) {
    node = NodeWide{.topology = std::move(node.topology)};  // an attempt begins
    node.started_at = when;
  } else if (status.empty()) {
    return;
  }
  node.node_id = fields.text(Field::kNodeId);
  node.plugin_id = fields.text(Field::kPluginId);
  node.tool_id = fields.text(Field::kToolId);
  node.span_id = fields.text(Field::kSpanId);
  node.parent_span_id = fields.text(Field::kParentSpanId);
  node.execution_mode = fields.text(Field::kExecutionMode);
  node.step_index = fields.integer(Field::kStepIndex);
  node.attempt = fields.integer(Field::kAttempt);
  if (status.empty()) return;
  node.status = status;
  node.ended_at = when;
  node.duration_ms = fields.number(Field::kDurationMs);
  node.outcome = fields.text(Field::kOutcome);
  node.output_keys = fields.strings(Field::kOutputKeys);
  std::ranges::sort(node.output_keys);
  node.output_sha256 = fields.text(Field::kOutputSha256);
  node.cache_hit = fields.boolean(Field::kCacheHit);
  node.error_type = fields.text(Field::kErrorType);
  node.error_message = fields.text(Field::kErrorMessage);
  node.reason = fields.text(Field::kReason);
  node.exit_code = fields.integer(Field::kExitCode);
  node.cpu_ms = fields.number(Field::kCpuMs);
  node.memory_bytes = fields.integer(Field::kMemoryBytes);
  node.rows = fields.integer(Field::kRows);
}

template <class Fields>
void fold(PipelineWide& run, Type type, Timestamp when, const Fields& fields) {
  const auto status = run_status(type);
  if (type == Type::kPipelineStarted) {
    run.pipeline_name = fields.text(Field::kPipelineName);
    run.started_at = when;
  } else if (status.empty()) {
    return;
  }
  run.span_id = fields.text(Field::kSpanId);
  run.parent_span_id = fields.text(Field::kParentSpanId);
  run.node_count = fields.integer(Field::kNodeCount);
  if (status.empty()) return;
  run.status = status;
  run.ended_at = when;
  run.duration_ms = fields.number(Field::kDurationMs);
  run.outcome = fields.text(Field::kOutcome);
  run.success_count = fields.integer(Field::kSuccessCount);
  run.failed_count = fields.integer(Field::kFailedCount);
  run.failed_node_id = fields.text(Field::kFailedNodeId);
  run.error_type = fields.text(Field::kErrorType);
  run.error_message = fields.text(Field::kErrorMessage);
  run.reason = fields.text(Field::kReason);
}

/// Fields that are known.
class KnownFields {
 public:
  void add(Field field, std::string_view text) {
    if (!text.empty()) fields_.push_back({field, text});
  }
  template <class Number>
  void add(Field field, const std::optional<Number>& number) {
    if (number) fields_.push_back({field, *number});
  }
  void add(Field field, std::span<const std::string> texts) { fields_.push_back({field, texts}); }
  std::vector<FieldValue> take() { return std::move(fields_); }

 private:
  std::vector<FieldValue> fields_;
};

json::Value text_or_null(std::string_view text) {
  return text.empty() ? json::Value() : json::Value(text);
}

json::Value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::Value(weir::to_string(*time)) : json::Value();
}

/// Where it ran, as `stage.wide` and `pipeline.wide` say it.
template <class Wide>
void append_topology(json::Object& object, const Wide& wide) {
  object.append({"topology", text_or_null(wide.topology)});
  object.append({"service", text_or_null(service_of(wide.topology))});
}

/// Members that `stage.wide`, `pipeline.wide` and the details of a stage have in common.
template <class Wide>
void append_outcome(json::Object& object, const Wide& wide) {
  object.append({"status", text_or_null(wide.status)});
  object.append({"started_at", time_or_null(wide.started_at)});
  object.append({"ended_at", time_or_null(wide.ended_at)});
}

json::Object details_of(const NodeWide& node) {
  json::Object details;
  details.append({"stage", node.node_id});
  append_outcome(details, node);
  details.append({"duration_ms", node.duration_ms ? json::Value(*node.duration_ms) : nullptr});
  details.append({"error", text_or_null(utf8::cut(node.error_message, kMaxStageErrorBytes))});
  json::Array keys;
  for (const auto& key : node.output_keys) {
    if (keys.size() == kMaxStageDataKeys) break;
    keys.emplace_back(key);
  }
  details.append({"data_keys", std::move(keys)});
  return details;
}

void append_stages(json::Object& attributes, const std::vector<const NodeWide*>& nodes) {
  std::map<std::string_view, std::int64_t> counts;
  json::Array details;
  std::size_t bytes = 0;
  for (const auto* node : nodes) {
    ++counts[node->status];
    if (bytes > kMaxStageDetailsBytes) continue;
    auto stage = details_of(*node);
    bytes += json::to_text(stage).size() + 1;
    if (bytes <= kMaxStageDetailsBytes) details.emplace_back(std::move(stage));
  }
  json::Object stage_counts;
  for (const auto& [status, count] : counts) stage_counts.append({std::string(status), count});
  const auto left_out = static_cast<std::int64_t>(nodes.size() - details.size());
  attributes.append({"stage_counts", std::move(stage_counts)});
  attributes.append({"stage_details", std::move(details)});
  if (left_out > 0) attributes.append({"stage_details_left_out", left_out});
}

}  // namespace

std::string_view service_of(std::string_view topology) {
  const auto at = topology.rfind('_');
  if (at == std::string_view::npos) return topology;
  return topology.substr(at + 1) == "kernel" ? std::string_view() : topology.substr(0, at);
}

void NodeWide::apply(const event::EventView& event) {
  topology = event.text(Field::kPipelineId);
  fold(*this, event.type(), event.timestamp(), event);
}

void NodeWide::apply(Type type, Timestamp when, std::span<const FieldValue> fields) {
  fold(*this, type, when, GivenFields(fields));
}

void PipelineWide::apply(const event::EventView& event) {
  topology = event.text(Field::kPipelineId);
  fold(*this, event.type(), event.timestamp(), event);
  if (event.type() != Type::kNodeStarted && node_status(event.type()).empty()) return;
  nodes[std::string(event.text(Field::kNodeId))].apply(event);
}

void PipelineWide::apply(Type type, Timestamp when, std::span<const FieldValue> fields) {
  fold(*this, type, when, GivenFields(fields));
}

WideFields fields_of(const NodeWide& node) {
  KnownFields fields;
  fields.add(Field::kSpanId, node.span_id);
  fields.add(Field::kParentSpanId, node.parent_span_id);
  fields.add(Field::kNodeId, node.node_id);
  fields.add(Field::kPluginId, node.plugin_id);
  fields.add(Field::kToolId, node.tool_id);
  fields.add(Field::kStepIndex, node.step_index);
  fields.add(Field::kAttempt, node.attempt);
  fields.add(Field::kExecutionMode, node.execution_mode);
  fields.add(Field::kDurationMs, node.duration_ms);
  fields.add(Field::kOutcome, node.outcome);
  fields.add(Field::kOutputKeys, node.output_keys);
  fields.add(Field::kOutputSha256, node.output_sha256);
  fields.add(Field::kCacheHit, node.cache_hit);
  fields.add(Field::kErrorType, node.error_type);
  fields.add(Field::kErrorMessage, node.error_message);
  fields.add(Field::kExitCode, node.exit_code);
  fields.add(Field::kCpuMs, node.cpu_ms);
  fields.add(Field::kMemoryBytes, node.memory_bytes);
  fields.add(Field::kRows, node.rows);
  fields.add(Field::kReason, node.reason);
  WideFields wide{.fields = fields.take(), .attributes = {}};
  append_topology(wide.attributes, node);
  append_outcome(wide.attributes, node);
  return wide;
}

WideFields fields_of(const PipelineWide& run) {
  KnownFields fields;
  fields.add(Field::kSpanId, run.span_id);
  fields.add(Field::kParentSpanId, run.parent_span_id);
  fields.add(Field::kDurationMs, run.duration_ms);
  fields.add(Field::kOutcome, run.outcome);
  fields.add(Field::kErrorType, run.error_type);
  fields.add(Field::kErrorMessage, run.error_message);
  fields.add(Field::kPipelineName, run.pipeline_name);
  fields.add(Field::kNodeCount, run.node_count);
  fields.add(Field::kSuccessCount, run.success_count);
  fields.add(Field::kFailedCount, run.failed_count);
  fields.add(Field::kFailedNodeId, run.failed_node_id);
  fields.add(Field::kReason, run.reason);
  WideFields wide{.fields = fields.take(), .attributes = {}};
  append_topology(wide.attributes, run);
  append_outcome(wide.attributes, run);
  std::vector<const NodeWide*> ended;
  for (const auto& [id, node] : run.nodes) {
    if (!node.status.empty()) ended.push_back(&node);
  }
  std::ranges::stable_sort(ended, {}, &NodeWide::step_index);
  append_stages(wide.attributes, ended);
  return wide;
}

}  // namespace weir::project
