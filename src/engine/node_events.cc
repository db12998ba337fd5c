#include "engine/node_events.h"

#include "base/text.h"
#include "base/utf8.h"
#include "engine/error_summary.h"
#include "engine/failures.h"
#include "engine/streams.h"
#include "record/context_attributes.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;

/// More keys are cut: the output itself has them all.
constexpr std::size_t kMaxOutputKeys = 1000;

std::string_view view(const SpanId::Text& text) { return {text.data(), text.size()}; }

/// A node that runs a pipeline has no tool: what it calls is named in the same way.
std::string_view plugin_of(const pipeline::Node& node) {
  return node.pipeline.empty() ? std::string_view(node.plugin_id.text) : "pipeline";
}
std::string_view tool_of(const pipeline::Node& node) {
  return node.pipeline.empty() ? node.tool_id.text : node.pipeline;
}

void add_usage(event::FieldList& fields, const tool::Usage& usage) {
  if (usage.cpu_ms) fields.push_back({Field::kCpuMs, *usage.cpu_ms});
  if (usage.memory_bytes) fields.push_back({Field::kMemoryBytes, *usage.memory_bytes});
  if (usage.read_bytes) fields.push_back({Field::kReadBytes, *usage.read_bytes});
  if (usage.written_bytes) fields.push_back({Field::kWrittenBytes, *usage.written_bytes});
  if (usage.rows) fields.push_back({Field::kRows, *usage.rows});
}

json::Object guard_attributes(const pipeline::GuardRetry& policy,
                              const pipeline::GuardProgress& progress) {
  json::Object attributes;
  attributes.set("retry_node", policy.retry_node);
  attributes.set("stagnation_hits", progress.same_outputs());
  if (policy.timeout) {
    attributes.set("timeout_seconds", std::chrono::duration<double>(*policy.timeout).count());
  }
  return attributes;
}

std::string cache_attributes(std::string_view key) {
  return key.empty() ? std::string() : R"({"cache_key":")" + std::string(key) + "\"}";
}

}  // namespace

NodeEvents::NodeEvents(record::Run& run, const pipeline::Node& node, std::string_view node_id,
                       std::int64_t step_index, int attempt, const RunPlace& place,
                       project::NodeWide* wide, SpanId span)
    : run_(run),
      node_(node),
      node_id_(node_id),
      place_(place),
      wide_(wide),
      step_index_(step_index),
      attempt_(attempt),
      span_id_(span),
      span_(span_id_.text()),
      parent_span_(place.context.span_id.text()) {}

void NodeEvents::emit(Type type, std::span<const event::FieldValue> fields) {
  if (wide_ != nullptr) wide_->apply(type, run_.clock().now(), fields);
  run_.emit(type, fields);
}

/// In the order of the catalogue, so that the recorder need not sort.
event::FieldList NodeEvents::common() const {
  event::FieldList fields;
  fields.push_back({Field::kSpanId, view(span_)});
  fields.push_back({Field::kParentSpanId, view(parent_span_)});
  fields.push_back({Field::kNodeId, node_id_});
  fields.push_back({Field::kPluginId, plugin_of(node_)});
  fields.push_back({Field::kToolId, tool_of(node_)});
  fields.push_back({Field::kStepIndex, step_index_});
  return fields;
}

void NodeEvents::add_attempt(event::FieldList& fields) const {
  fields.push_back({Field::kAttempt, attempt_});
  if (place_.engine_attempt > 1) fields.push_back({Field::kEngineAttempt, place_.engine_attempt});
  if (!place_.execution_mode.empty()) {
    fields.push_back({Field::kExecutionMode, std::string_view(place_.execution_mode)});
  }
}

void NodeEvents::started(const std::vector<std::string>& predecessor_ids) {
  auto fields = common();
  fields.push_back({Field::kPredecessorNodeIds, std::span(predecessor_ids)});
  add_attempt(fields);
  emit(Type::kNodeStarted, fields);
}

Result<void> NodeEvents::completed(double duration_ms, const tool::Output& output,
                                   std::string_view output_text, const OutputStore& store) {
  std::vector<std::string> keys;
  for (const auto& member : output.payload) {
    if (keys.size() == kMaxOutputKeys) break;
    keys.push_back(member.key);
  }
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kDurationMs, duration_ms});
  if (cache_hit_ == true) fields.push_back({Field::kOutcome, std::string_view("cached")});
  fields.push_back({Field::kOutputKeys, std::span<const std::string>(keys)});
  std::string hash;
  if (may_stand_in_event(output_text, store.redactor)) {
    fields.push_back({Field::kOutput, event::ObjectText{output_text}});
  } else {
    WEIR_TRY(const auto sha256, store.artifacts.put(output_text));
    hash = sha256.text();
    fields.push_back({Field::kOutputSha256, std::string_view(hash)});
  }
  if (cache_hit_) fields.push_back({Field::kCacheHit, *cache_hit_});
  if (output.exit_code) fields.push_back({Field::kExitCode, *output.exit_code});
  add_usage(fields, output.usage);
  add_known_from(fields);
  const auto attributes = end_attributes(output.lineage);
  if (!attributes.empty()) {
    fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  }
  emit(Type::kNodeCompleted, fields);
  return {};
}

/// As JSON; empty: none.
std::string NodeEvents::end_attributes(json::Object lineage) const {
  if (!plugin_type_.empty()) lineage.set("plugin_type", plugin_type_);
  return lineage.empty() ? std::string() : json::to_text(lineage);
}

void NodeEvents::add_known_from(event::FieldList& fields) const {
  if (known_from_run_.empty()) return;
  fields.push_back({Field::kReason, std::string_view(known_reason_)});
  fields.push_back({Field::kTargetRunId, std::string_view(known_from_run_)});
}

void NodeEvents::cache_hit(const CacheHit& hit) {
  cache_hit_ = true;
  known_from_run_ = hit.run_id;
  known_reason_ = hit.reason;
  auto fields = common();
  add_attempt(fields);
  if (hit.size_bytes) {
    fields.push_back({Field::kReadBytes, static_cast<std::int64_t>(*hit.size_bytes)});
  }
  add_known_from(fields);
  const auto attributes = cache_attributes(hit.key);
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  run_.emit(Type::kCacheHit, fields);
}

void NodeEvents::cache_miss(const CacheMiss& miss) {
  cache_hit_ = false;
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kReason, miss.reason});
  const auto attributes = cache_attributes(miss.key);
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  run_.emit(Type::kCacheMiss, fields);
}

void NodeEvents::failed(double duration_ms, const tool::Failure& failure) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kDurationMs, duration_ms});
  if (const auto outcome = outcome_of(failure); !outcome.empty()) {
    fields.push_back({Field::kOutcome, outcome});
  }
  fields.push_back({Field::kErrorType, std::string_view(failure.type)});
  if (const auto code = error_code_of(failure); code != kUnknownError) {
    fields.push_back({Field::kErrorCode, code});
  }
  fields.push_back({Field::kErrorMessage, std::string_view(failure.message)});
  if (!failure.category.empty()) {
    fields.push_back({Field::kErrorSource, std::string_view(failure.category)});
  }
  fields.push_back(
      {Field::kRetryable, category_of(failure) != pipeline::ErrorCategory::kPermanent});
  if (failure.exit_code) fields.push_back({Field::kExitCode, *failure.exit_code});
  add_usage(fields, failure.usage);
  const auto attributes = end_attributes();
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  emit(Type::kNodeFailed, fields);
}

void NodeEvents::retry_scheduled(std::string_view reason, std::chrono::milliseconds delay) {
  auto fields = common();
  fields.push_back({Field::kAttempt, attempt_ + 1});
  fields.push_back({Field::kReason, reason});
  const auto attributes = R"({"delay_ms":)" + std::to_string(delay.count()) + "}";
  fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  emit(Type::kNodeRetryScheduled, fields);
}

void NodeEvents::skipped(std::string_view reason) {
  auto fields = common();
  fields.push_back({Field::kReason, reason});
  emit(Type::kNodeSkipped, fields);
}

void NodeEvents::approval_requested(std::string_view message,
                                    std::optional<std::chrono::milliseconds> timeout) {
  auto fields = common();
  if (!message.empty()) fields.push_back({Field::kMessage, message});
  std::string attributes;
  if (timeout) {
    attributes = R"({"timeout_ms":)" + std::to_string(timeout->count()) + "}";
    fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  }
  run_.emit(Type::kApprovalRequested, fields);
}

void NodeEvents::approval_decided(std::string_view outcome, std::string_view reason,
                                  std::string_view actor_id) {
  auto fields = common();
  fields.push_back({Field::kOutcome, outcome});
  if (!reason.empty()) fields.push_back({Field::kReason, reason});
  if (!actor_id.empty()) fields.push_back({Field::kActorId, actor_id});
  run_.emit(Type::kApprovalDecided, fields);
}

void NodeEvents::cancelled(double duration_ms, const Cancel& cancel, const tool::Failure& failure) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kDurationMs, duration_ms});
  if (cancel.run_timed_out) fields.push_back({Field::kOutcome, std::string_view("timeout")});
  if (failure.exit_code) fields.push_back({Field::kExitCode, *failure.exit_code});
  add_usage(fields, failure.usage);
  fields.push_back({Field::kReason, cancel.reason});
  const auto attributes = end_attributes();
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  emit(Type::kNodeCancelled, fields);
}

/// `run_outcome` is for who goes on with the run, if its process ends before it does.
void NodeEvents::emit_undo(Type type, event::FieldList& fields, const Undo& undo) {
  json::Object attributes;
  attributes.set("undoes", undo.undoes);
  attributes.set("original_action_timestamp", weir::to_string(undo.completed_at));
  attributes.set("run_outcome", undo.run_failed ? "failed" : "cancelled");
  const auto text = json::to_text(attributes);
  fields.push_back({Field::kReason, std::string_view(undo.run_failed ? "the run failed"
                                                                     : "the run was cancelled")});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  run_.emit(type, fields);
}

void NodeEvents::undo_invoked(const Undo& undo) {
  auto fields = common();
  add_attempt(fields);
  emit_undo(Type::kToolInvoked, fields, undo);
}

void NodeEvents::undone(double duration_ms, const Undo& undo) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kDurationMs, duration_ms});
  emit_undo(Type::kToolUndone, fields, undo);
}

void NodeEvents::undo_failed(double duration_ms, const tool::Failure& failure, const Undo& undo) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kDurationMs, duration_ms});
  fields.push_back({Field::kErrorType, std::string_view(failure.type)});
  fields.push_back({Field::kErrorMessage, std::string_view(failure.message)});
  emit_undo(Type::kToolUndoFailed, fields, undo);
}

void NodeEvents::guard_attempt(const pipeline::GuardProgress& progress) {
  auto fields = common();
  fields.push_back({Field::kAttempt, std::int64_t{progress.failures() + 1}});
  auto attributes = guard_attributes(*node_.guard_retry, progress);
  attributes.set("max_attempts", node_.guard_retry->max_attempts);
  const auto text = json::to_text(attributes);
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  emit(Type::kGuardRetryAttempt, fields);
}

void NodeEvents::guard_exhausted(std::string_view reason, const pipeline::GuardProgress& progress) {
  auto fields = common();
  fields.push_back({Field::kReason, reason});
  auto attributes = guard_attributes(*node_.guard_retry, progress);
  attributes.set("attempts", progress.failures());
  const auto text = json::to_text(attributes);
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  emit(Type::kGuardRetryExhausted, fields);
}

void NodeEvents::guard_recovered(const pipeline::GuardProgress& progress) {
  auto fields = common();
  const auto text = R"({"attempts":)" + std::to_string(progress.failures() + 1) + "}";
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  emit(Type::kGuardRetryRecovered, fields);
}

void NodeEvents::tool_denied(std::string_view reason, const json::Object& attributes) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kReason, reason});
  const auto text = json::to_text(attributes);
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{text}});
  run_.emit(Type::kToolDenied, fields);
}

void NodeEvents::io(std::string_view what, const json::Object& payload) {
  if (!place_.says_io ||
      !place_.loggers->records(kPipelineLogger, event::Level::kDebug, &place_.context)) {
    return;
  }
  json::Object attributes;
  attributes.set(what, payload);
  auto text = json::to_text(attributes);
  if (text.size() > kMaxIoBytes) {
    attributes = {};
    attributes.set(std::string(what) + "_bytes", static_cast<std::int64_t>(text.size()));
    text = json::to_text(attributes);
  }
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kLogger, kPipelineLogger});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  emit(Type::kNodeIo, fields);
}

void NodeEvents::input(const json::Object& payload) { io("input", payload); }
void NodeEvents::output(const json::Object& payload) { io("output", payload); }

void NodeEvents::log(const tool::LogLine& line) {
  const auto* loggers = place_.loggers;
  if (loggers != nullptr && !loggers->records(line.logger, line.level, &place_.context)) return;
  auto fields = common();
  fields.push_back({Field::kLogger, line.logger});
  fields.push_back({Field::kMessage, line.message});
  json::Object attributes;
  if (line.continues) attributes.set("continues", true);
  record::add_missing(attributes, record::context_attributes(place_.context.ids));
  // The message shows replacement characters; the bytes themselves are not lost.
  if (utf8::first_invalid(line.message)) {
    attributes.set("message_base64", text::base64(line.message));
  }
  std::string attributes_text;
  if (!attributes.empty()) {
    attributes_text = json::to_text(attributes);
    fields.push_back({Field::kAttributes, event::ObjectText{attributes_text}});
  }
  run_.emit(Type::kLog, line.level, fields);
}

void NodeEvents::kept(const tool::KeptArtifact& artifact) {
  const auto hash = artifact.hash.text();
  auto fields = common();
  fields.push_back({Field::kWrittenBytes, static_cast<std::int64_t>(artifact.size_bytes)});
  if (artifact.rows) fields.push_back({Field::kRows, *artifact.rows});
  fields.push_back({Field::kArtifactPath, std::string_view(artifact.name)});
  fields.push_back({Field::kArtifactSha256, std::string_view(hash)});
  run_.emit(Type::kArtifactWritten, fields);
}

void NodeEvents::child(Type type, const ChildFact& fact) {
  const auto id = fact.run_id.text();
  const auto attributes = R"({"depth":)" + std::to_string(fact.depth) + "}";
  auto fields = common();
  add_attempt(fields);
  if (fact.duration_ms) fields.push_back({Field::kDurationMs, *fact.duration_ms});
  if (!fact.error_type.empty()) {
    fields.push_back({Field::kErrorType, fact.error_type});
    fields.push_back({Field::kErrorMessage, fact.error_message});
  }
  fields.push_back({Field::kPipelineName, fact.pipeline});
  fields.push_back({Field::kTargetRunId, std::string_view(id)});
  if (fact.depth > 0) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  run_.emit(type, fields);
}

void NodeEvents::stream(const tool::StreamEvent& event) {
  emit_stream_event(run_, common(), event, {});
}

}  // namespace weir::engine
