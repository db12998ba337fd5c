#include "record/structured_logger.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "record/process_memory.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;
using event::Type;

/// A duration that an event can hold: JSON has no NaN, and no time is negative.
double duration_of(double duration_ms) {
  return std::isfinite(duration_ms) ? std::max(duration_ms, 0.0) : 0.0;
}

/// "125.50ms"
std::string duration_text(double duration_ms) {
  char buffer[400];  // the largest double has 309 digits
  auto* const end = std::to_chars(buffer, buffer + sizeof buffer, duration_of(duration_ms),
                                  std::chars_format::fixed, 2)
                        .ptr;
  return std::string(buffer, end) + "ms";
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

/// "ValueError" of "ValueError: no column x"; "Error" when the text does not begin with a type.
std::string_view error_type_of(std::string_view error) {
  const auto type = error.substr(0, error.find(": "));
  const auto is_of_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':';
  };
  const bool is_type =
      type.size() < error.size() && !type.empty() && std::ranges::all_of(type, is_of_a_name);
  return is_type ? type : "Error";
}

}  // namespace

StructuredLogger::StructuredLogger(Run& run, EventSource events, StructuredLoggerOptions options)
    : run_(run), events_(std::move(events)), options_(std::move(options)) {}

/// What is known of a node; what is said now counts more. A new name gets the next place.
StructuredLogger::Node StructuredLogger::node(std::string_view name, std::string_view layer,
                                              std::string_view engine) {
  const std::lock_guard lock(mutex_);
  auto found = nodes_.find(name);
  if (found == nodes_.end()) {
    Node added{.layer = {}, .engine = {}, .step_index = static_cast<std::int64_t>(nodes_.size())};
    if (nodes_.size() >= kMaxNodes) {
      return {std::string(layer), std::string(engine), added.step_index};
    }
    found = nodes_.emplace(name, std::move(added)).first;
  }
  if (!layer.empty()) found->second.layer = layer;
  if (!engine.empty()) found->second.engine = engine;
  return found->second;
}

bool StructuredLogger::is_node(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return nodes_.contains(name);
}

void StructuredLogger::set_node(Observation& event, std::string_view name, const Node& node) const {
  event.set(Field::kNodeId, name);
  event.set(Field::kPluginId, std::string_view(node.engine.empty() ? options_.name : node.engine));
  event.set(Field::kToolId, std::string_view(node.layer.empty() ? options_.name : node.layer));
  event.set(Field::kStepIndex, node.step_index);
  if (!node.layer.empty()) event.add_attribute("layer", node.layer);
  if (!node.engine.empty()) event.add_attribute("engine", node.engine);
}

void StructuredLogger::emit(Observation& event, Type type, Level level, std::string_view message,
                            const json::Object& metadata) const {
  event.set_default(Field::kLogger, options_.name);
  event.set(Field::kMessage, message);
  event.set_default(Field::kUserId, options_.user);
  if (const auto bytes = resident_bytes()) event.set(Field::kMemoryBytes, *bytes);
  event.add_attributes(metadata);
  event.set_defaults(options_.defaults);
  event.emit(run_, type, level);
}

void StructuredLogger::log_node_start(std::string_view node_name, const NodeStart& start) {
  const auto known = node(node_name, start.layer, start.engine);
  Observation event;
  set_node(event, node_name, known);
  event.set(Field::kPredecessorNodeIds, start.predecessors);
  event.set(Field::kAttempt, start.attempt);
  const auto message = "Node " + quoted(node_name) + " started";
  emit(event, Type::kNodeStarted, Level::kInfo, message, start.metadata);
}

void StructuredLogger::log_node_complete(std::string_view node_name, const NodeComplete& complete) {
  const auto known = node(node_name, {}, {});
  Observation event;
  set_node(event, node_name, known);
  event.set(Field::kDurationMs, duration_of(complete.duration_ms));
  event.set(Field::kOutputKeys, complete.output_keys);
  event.set(Field::kCacheHit, complete.cache_hit);
  if (complete.rows) event.set(Field::kRows, *complete.rows);
  const auto message =
      "Node " + quoted(node_name) + " completed in " + duration_text(complete.duration_ms);
  emit(event, Type::kNodeCompleted, Level::kInfo, message, complete.metadata);
}

void StructuredLogger::log_node_failed(std::string_view node_name, const NodeFailure& failure) {
  const auto known = node(node_name, failure.layer, {});
  Observation event;
  set_node(event, node_name, known);
  event.set(Field::kErrorType, error_type_of(failure.error));
  event.set(Field::kErrorMessage, failure.error);
  if (failure.duration_ms) event.set(Field::kDurationMs, duration_of(*failure.duration_ms));
  const auto message = "Node " + quoted(node_name) + " failed: " + std::string(failure.error);
  emit(event, Type::kNodeFailed, Level::kError, message, failure.metadata);
}

void StructuredLogger::log_error(std::string_view component, std::string_view error,
                                 std::string_view layer, const json::Object& metadata) {
  Observation event;
  event.set(Field::kComponent, component);
  // What is no node must not become one in the run's state.
  if (is_node(component)) event.set(Field::kNodeId, component);
  event.set(Field::kErrorType, error_type_of(error));
  event.set(Field::kErrorMessage, error);
  if (!layer.empty()) event.add_attribute("layer", layer);
  const auto message = "Error in " + std::string(component) + ": " + std::string(error);
  emit(event, Type::kLog, Level::kError, message, metadata);
}

void StructuredLogger::cache_event(Type type, std::string_view node_name,
                                   std::string_view cache_key, std::string_view reason,
                                   const json::Object& metadata) {
  const bool is_hit = type == Type::kCacheHit;
  const auto known = node(node_name, {}, {});
  Observation event;
  set_node(event, node_name, known);
  event.set(Field::kCacheHit, is_hit);
  event.set_default(Field::kReason, reason);
  event.add_attribute("cache_key", cache_key);
  const auto message = std::string(is_hit ? "Cache hit for " : "Cache miss for ") +
                       quoted(node_name) + " (key: " + std::string(utf8::cut(cache_key, 16)) +
                       "...)";
  emit(event, type, event::info(type).level, message, metadata);
}

void StructuredLogger::log_cache_hit(std::string_view node_name, std::string_view cache_key,
                                     const json::Object& metadata) {
  cache_event(Type::kCacheHit, node_name, cache_key, {}, metadata);
}

void StructuredLogger::log_cache_miss(std::string_view node_name, std::string_view cache_key,
                                      std::string_view reason, const json::Object& metadata) {
  if (reason.empty()) reason = "unknown";  // every miss has one
  cache_event(Type::kCacheMiss, node_name, cache_key, reason, metadata);
}

void StructuredLogger::log_pipeline_start(std::string_view pipeline_name,
                                          const PipelineStart& start) {
  Observation event;
  event.set(Field::kPipelineName, pipeline_name);
  event.set(Field::kEntryNodes, start.entry_nodes);
  event.set(Field::kOutputNodes, start.output_nodes);
  event.set(Field::kNodeCount, start.node_count);
  const auto message = "Pipeline " + quoted(pipeline_name) + " started";
  emit(event, Type::kPipelineStarted, Level::kInfo, message, start.metadata);
}

void StructuredLogger::log_pipeline_complete(std::string_view pipeline_name,
                                             const PipelineComplete& complete) {
  Observation event;
  event.set(Field::kPipelineName, pipeline_name);
  event.set(Field::kDurationMs, duration_of(complete.duration_ms));
  event.set(Field::kNodeCount, complete.success_count + complete.failed_count);
  event.set(Field::kOutputNodeIds, std::span<const std::string>());
  event.set(Field::kSuccessCount, complete.success_count);
  event.set(Field::kFailedCount, complete.failed_count);
  if (complete.failed_count > 0) event.set(Field::kOutcome, std::string_view("partial"));
  const auto message = "Pipeline " + quoted(pipeline_name) + " completed in " +
                       duration_text(complete.duration_ms) +
                       " (success: " + std::to_string(complete.success_count) +
                       ", failed: " + std::to_string(complete.failed_count) + ")";
  emit(event, Type::kPipelineCompleted, Level::kInfo, message, complete.metadata);
}

void StructuredLogger::log_checkpoint_created(std::string_view checkpoint_id,
                                              std::int64_t nodes_completed,
                                              const json::Object& metadata) {
  Observation event;
  event.add_attribute("checkpoint_id", checkpoint_id);
  event.add_attribute("nodes_completed", nodes_completed);
  const auto message = "Checkpoint " + quoted(checkpoint_id) + " created (" +
                       std::to_string(nodes_completed) + " nodes completed)";
  emit(event, Type::kCheckpointCreated, Level::kInfo, message, metadata);
}

void StructuredLogger::log(Level level, std::string_view message, const json::Object& metadata) {
  Observation event;
  emit(event, Type::kLog, level, message, metadata);
}

Result<LogEntries> StructuredLogger::query_logs(const LogQuery& query) {
  WEIR_TRY(run_.flush());
  return record::query_logs(events_, query);
}

Result<LogSummary> StructuredLogger::get_summary() {
  WEIR_TRY(run_.flush());
  WEIR_TRY(auto summary, record::get_summary(events_, run_.id()));
  summary.log_file = run_.store().log();
  return summary;
}

}  // namespace weir::record
