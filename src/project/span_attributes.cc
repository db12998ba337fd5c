#include "project/span_attributes.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace weir::project {
namespace {

using event::Field;
using event::Type;

/// A field under a name that it has in spans. A field may have several: its own, that of
/// OpenTelemetry, and those of the systems that Weir comes from.
struct Named {
  Field field;
  std::string_view name;
};

constexpr Named kRunNames[] = {
    {Field::kPipelineId, "pipeline.id"},
    {Field::kPipelineId, "cicd.pipeline.name"},
    {Field::kPipelineId, "planId"},
    {Field::kPipelineVersion, "planVersion"},
    {Field::kRunId, "pipeline.run_id"},
    {Field::kRunId, "cicd.pipeline.run.id"},
    {Field::kRunId, "runId"},
    {Field::kTenantId, "tenantId"},
    {Field::kAttempt, "logicalAttemptId"},
    {Field::kAdapter, "adapter"},
    {Field::kPipelineType, "weir.pipeline_type"},
    {Field::kPipelineName, "weir.pipeline_name"},
    {Field::kProjectId, "weir.project_id"},
    {Field::kEnvironmentId, "deployment.environment.name"},
    {Field::kExecutionMode, "weir.execution_mode"},
    {Field::kNodeCount, "weir.node_count"},
    {Field::kSuccessCount, "weir.success_count"},
    {Field::kFailedCount, "weir.failed_count"},
    {Field::kFailedNodeId, "weir.failed_node_id"},
    {Field::kDefinitionSha256, "weir.definition_sha256"},
    {Field::kInputSha256, "weir.input_sha256"},
    {Field::kParentRunId, "weir.parent_run_id"},
    {Field::kPreviousRunId, "weir.previous_run_id"},
    {Field::kSessionId, "session.id"},
    {Field::kRequestId, "weir.request_id"},
    {Field::kUserId, "user.id"},
    {Field::kOrgId, "org_id"},
    {Field::kWorkflowId, "weir.workflow_id"},
    {Field::kCorrelationId, "weir.correlation_id"},
    {Field::kDurationMs, "duration_ms"},
    {Field::kReason, "weir.reason"},
};

constexpr Named kNodeNames[] = {
    {Field::kPipelineId, "pipeline.id"},
    {Field::kRunId, "pipeline.run_id"},
    {Field::kNodeId, "pipeline.node_id"},
    {Field::kNodeId, "stage.name"},
    {Field::kNodeId, "cicd.pipeline.task.name"},
    {Field::kPluginId, "plugin.id"},
    {Field::kPluginId, "weir.plugin_id"},
    {Field::kToolId, "tool.id"},
    {Field::kStepIndex, "step_index"},
    {Field::kStepIndex, "weir.step_index"},
    {Field::kAttempt, "weir.attempt"},
    {Field::kEngineAttempt, "weir.engine_attempt"},
    {Field::kExecutionMode, "weir.execution_mode"},
    {Field::kPredecessorNodeIds, "weir.predecessor_node_ids"},
    {Field::kDurationMs, "duration_ms"},
    {Field::kDurationMs, "stage.duration_ms"},
    {Field::kOutputKeys, "weir.output_keys"},
    {Field::kOutputSha256, "weir.output_sha256"},
    {Field::kCacheHit, "weir.cache_hit"},
    {Field::kRetryable, "weir.retryable"},
    {Field::kExitCode, "process.exit.code"},
    {Field::kReason, "weir.reason"},
    {Field::kTargetRunId, "weir.target_run_id"},
};

constexpr Named kCallNames[] = {
    {Field::kPipelineId, "pipeline.id"},
    {Field::kRunId, "pipeline.run_id"},
    {Field::kNodeId, "pipeline.node_id"},
    {Field::kPluginId, "plugin.id"},
    {Field::kToolId, "tool.id"},
    {Field::kAttempt, "weir.attempt"},
    {Field::kCallId, "weir.call_id"},
    {Field::kDurationMs, "duration_ms"},
    {Field::kTargetRunId, "weir.child_run_id"},
    {Field::kSignalId, "weir.signal_id"},
    {Field::kSignalType, "weir.signal_type"},
    {Field::kActorId, "weir.actor_id"},
    {Field::kArtifactPath, "weir.artifact_path"},
    {Field::kArtifactSha256, "weir.artifact_sha256"},
    {Field::kMessage, "weir.message"},
    {Field::kReason, "weir.reason"},
    {Field::kExitCode, "process.exit.code"},
    {Field::kAgentId, "gen_ai.agent.id"},
    {Field::kAgentVersion, "gen_ai.agent.version"},
    {Field::kModelId, "gen_ai.request.model"},
    {Field::kInputTokens, "gen_ai.usage.input_tokens"},
    {Field::kOutputTokens, "gen_ai.usage.output_tokens"},
    {Field::kCostUsd, "gen_ai.usage.cost"},
};

constexpr Named kUsageNames[] = {
    {Field::kCpuMs, "weir.cpu_ms"},
    {Field::kMemoryBytes, "weir.memory_bytes"},
    {Field::kReadBytes, "weir.read_bytes"},
    {Field::kWrittenBytes, "weir.written_bytes"},
    {Field::kRows, "weir.rows"},
};

constexpr Named kErrorNames[] = {
    {Field::kErrorType, "error.type"},
    {Field::kErrorMessage, "error.message"},
    {Field::kErrorCode, "error.code"},
    {Field::kErrorSource, "weir.error_source"},
};

/// Of an event on a span, in their order.
constexpr Named kEventNames[] = {
    {Field::kMessage, "message"},         {Field::kReason, "reason"},
    {Field::kOutcome, "outcome"},         {Field::kLevel, "level"},
    {Field::kLogger, "logger"},           {Field::kAttempt, "attempt"},
    {Field::kToolId, "toolId"},           {Field::kSignalId, "signalId"},
    {Field::kSignalType, "signalType"},   {Field::kActorId, "actorId"},
    {Field::kTargetRunId, "targetRunId"}, {Field::kReadBytes, "readBytes"},
    {Field::kProvider, "provider"},       {Field::kOperation, "operation"},
    {Field::kErrorType, "error.type"},    {Field::kErrorMessage, "error.message"},
};

json::Value value_of(const json::FlatMember& member) {
  switch (member.kind) {
    case json::Kind::kNull:
      return {};
    case json::Kind::kBoolean:
      return member.boolean;
    case json::Kind::kInteger:
      return member.integer;
    case json::Kind::kNumber:
      return member.number;
    case json::Kind::kString:
      return member.text;
    case json::Kind::kArray:
    case json::Kind::kObject:
      break;
  }
  auto value = json::parse(member.text);
  return value ? *std::move(value) : json::Value(member.text);
}

/// An empty text says no more than none.
bool says_something(const json::FlatMember* member) {
  if (member == nullptr || member->kind == json::Kind::kNull) return false;
  return member->kind != json::Kind::kString || !member->text.empty();
}

void add(json::Object& attributes, const event::EventView& event, std::span<const Named> names) {
  for (const auto& [field, name] : names) {
    const auto* member = event.find(field);
    if (says_something(member)) attributes.set(name, value_of(*member));
  }
}

json::Object attributes_of(const event::EventView& event) {
  const auto* member = event.find(Field::kAttributes);
  if (member == nullptr) return {};
  auto value = json::parse(member->text);
  auto* object = value ? value->object() : nullptr;
  return object == nullptr ? json::Object() : std::move(*object);
}

/// What is a list or an object is left to the log.
bool is_plain(const json::Value& value) {
  return value.array() == nullptr && value.object() == nullptr && !value.is_null();
}

}  // namespace

std::uint64_t nanoseconds_of(Timestamp time) {
  const auto microseconds = time.time_since_epoch().count();
  if (microseconds <= 0) return 0;
  return std::min(static_cast<std::uint64_t>(microseconds), UINT64_MAX / 1000) * 1000;
}

std::uint64_t start_before(const event::EventView& end) {
  constexpr double kLongestMs = 1e13;
  const auto took = end.number(Field::kDurationMs).value_or(0);
  const auto at = nanoseconds_of(end.timestamp());
  if (!(took >= 0) || took > kLongestMs) return at;
  const auto took_ns = static_cast<std::uint64_t>(std::llround(took * 1e6));
  return at - std::min(at, took_ns);
}

std::shared_ptr<const SpanOrigin> origin_of(const event::EventView& event) {
  auto origin = std::make_shared<SpanOrigin>();
  auto& resource = origin->resource;
  resource.set("service.name", event.text(Field::kPipelineId));
  const auto set = [&](std::string_view name, Field field) {
    if (!event.text(field).empty()) resource.set(name, event.text(field));
  };
  set("service.version", Field::kPipelineVersion);
  set("deployment.environment.name", Field::kEnvironmentId);
  set("cicd.pipeline.name", Field::kPipelineId);
  set("cicd.pipeline.run.id", Field::kRunId);
  set("weir.pipeline_id", Field::kPipelineId);
  set("weir.tenant_id", Field::kTenantId);
  set("weir.source", Field::kSource);
  origin->scope_name = "weir";
  return origin;
}

void add_run_attributes(json::Object& attributes, const event::EventView& event) {
  add(attributes, event, kRunNames);
  attributes.set("cicd.pipeline.action.name", "RUN");
}

void add_node_attributes(json::Object& attributes, const event::EventView& event,
                         std::string_view topology) {
  add(attributes, event, kNodeNames);
  if (!topology.empty()) attributes.set("pipeline.topology", topology);
}

void add_call_attributes(json::Object& attributes, const event::EventView& event) {
  add(attributes, event, kCallNames);
  const auto provider = event.text(Field::kProvider);
  if (provider.empty()) return;
  // A database is a provider, too: only those of models are spoken of as such.
  const bool is_model = event.has(Field::kModelId) || event.has(Field::kInputTokens);
  attributes.set(is_model ? "gen_ai.provider.name" : "weir.provider", provider);
  attributes.set(is_model ? "gen_ai.operation.name" : "weir.operation",
                 event.text(Field::kOperation));
}

void add_usage_attributes(json::Object& attributes, const event::EventView& event) {
  add(attributes, event, kUsageNames);
}

void add_error_attributes(json::Object& attributes, const event::EventView& event) {
  add(attributes, event, kErrorNames);
}

std::string_view result_of(const event::EventView& end) {
  const auto type = end.type_name();
  const auto outcome = end.text(Field::kOutcome);
  if (outcome == "timeout") return "timeout";
  if (type.ends_with("_completed")) return "success";
  if (type.ends_with("_skipped")) return "skip";
  if (type.ends_with("_cancelled")) return outcome == "unknown" ? "error" : "cancellation";
  // "failure": the work failed. "error": what ran it did.
  return outcome == "unknown" || outcome == "oom" ? "error" : "failure";
}

void set_status(Span& span, const event::EventView& end) {
  const auto type = end.type_name();
  if (type.ends_with("_failed")) {
    span.status = SpanStatus::kError;
    const auto message = end.text(Field::kErrorMessage);
    span.status_message = message.empty() ? end.text(Field::kReason) : message;
  } else if (!type.ends_with("_cancelled")) {
    span.status = SpanStatus::kOk;
  }
}

SpanEvent span_event_of(const event::EventView& event) {
  SpanEvent made{.time_ns = nanoseconds_of(event.timestamp()),
                 .name = std::string(event.type_name()),
                 .attributes = {}};
  auto& attributes = made.attributes;
  if (event.type() == Type::kPipelineFetched) {
    made.name = "plan_fetched";
    attributes.set("sha256", event.text(Field::kDefinitionSha256));
    for (const auto& [name, value, position] : attributes_of(event)) {
      if (name == "size_bytes") attributes.set("sizeBytes", value);
      if (name == "cached") attributes.set("cached", value);
    }
    return made;
  }
  if (event.type() == Type::kNodeStarted) {
    made.name = "step_started";
    attributes.set("stepId", event.text(Field::kNodeId));
    for (const auto& [name, value, position] : attributes_of(event)) {
      if (name == "domain" || name == "worker_domain") attributes.set("workerDomain", value);
    }
    return made;
  }
  if (!event.text(Field::kNodeId).empty()) attributes.set("stepId", event.text(Field::kNodeId));
  add(attributes, event, kEventNames);
  for (const auto& [name, value, position] : attributes_of(event)) {
    if (is_plain(value) && attributes.find(name) == nullptr) attributes.set(name, value);
  }
  return made;
}

SpanEvent exception_of(const event::EventView& event) {
  SpanEvent made{
      .time_ns = nanoseconds_of(event.timestamp()), .name = "exception", .attributes = {}};
  constexpr Named kNames[] = {{Field::kErrorType, "exception.type"},
                              {Field::kErrorMessage, "exception.message"},
                              {Field::kStackTrace, "exception.stacktrace"}};
  add(made.attributes, event, kNames);
  return made;
}

}  // namespace weir::project
