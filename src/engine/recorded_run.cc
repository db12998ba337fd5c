#include "engine/recorded_run.h"

#include <algorithm>

#include "event/run_end.h"
#include "record/context_attributes.h"
#include "tool/tool.h"

namespace weir::engine {
namespace {

using event::EventView;
using event::Field;
using event::Type;

std::optional<Sha256> hash_of(const EventView& event, Field field) {
  return Sha256::parse(event.text(field));
}

json::Object object_of(const EventView& event, Field field) {
  const auto* member = event.find(field);
  if (member == nullptr || member->kind != json::Kind::kObject) return {};
  auto value = json::parse(member->text);
  if (!value || value->object() == nullptr) return {};
  return std::move(*value->object());
}

void read_start(RecordedRun& run, const EventView& event) {
  run.run_id = event.run_id();
  run.pipeline_id = event.text(Field::kPipelineId);
  run.trace_id = TraceId::parse(event.text(Field::kTraceId)).value_or(TraceId());
  run.span_id = SpanId::parse(event.text(Field::kSpanId)).value_or(SpanId());
  run.parent_span_id = SpanId::parse(event.text(Field::kParentSpanId)).value_or(SpanId());
  run.parent_run_id = event.text(Field::kParentRunId);
  run.execution_mode = event.text(Field::kExecutionMode);
  run.ids.tenant_id = event.text(Field::kTenantId);
  run.ids.previous_run_id = event.text(Field::kPreviousRunId);
  run.ids.session_id = event.text(Field::kSessionId);
  run.ids.request_id = event.text(Field::kRequestId);
  run.ids.user_id = event.text(Field::kUserId);
  run.ids.org_id = event.text(Field::kOrgId);
  run.ids.workflow_id = event.text(Field::kWorkflowId);
  run.ids.correlation_id = event.text(Field::kCorrelationId);
  run.started_at = event.timestamp();
  run.definition_sha256 = hash_of(event, Field::kDefinitionSha256);
  run.input_sha256 = hash_of(event, Field::kInputSha256);
  run.params = object_of(event, Field::kParams);
  const auto attributes = object_of(event, Field::kAttributes);
  record::read_context_attributes(attributes, run.ids);
  if (const auto* file = attributes.find("file"); file != nullptr && file->string() != nullptr) {
    run.file = *file->string();
  }
  run.rerun_of = run.ids.previous_run_id;
  if (const auto* of = attributes.find("rerun_of"); of != nullptr && of->string() != nullptr) {
    run.rerun_of = *of->string();
  }
  if (const auto* depth = attributes.find("depth");
      depth != nullptr && depth->integer() != nullptr) {
    run.depth = *depth->integer();
  }
  if (const auto* modes = attributes.find("modes_around")) run.modes_around = read_modes(*modes);
  if (const auto* hash = attributes.find("params_sha256");
      hash != nullptr && hash->string() != nullptr) {
    run.params_sha256 = Sha256::parse(*hash->string());
  }
  if (const auto* from = attributes.find("rerun_from");
      from != nullptr && from->array() != nullptr) {
    for (const auto& node : *from->array()) {
      if (node.string() != nullptr) run.rerun_from.push_back(*node.string());
    }
  }
}

void read_child(RecordedRun& run, const EventView& event) {
  const auto id = RunId::parse(event.text(Field::kTargetRunId));
  if (!id) return;
  run.children[std::string(event.text(Field::kNodeId))] = {
      .run_id = *id, .has_ended = event.type() != Type::kChildSpawned};
}

void read_end(RecordedRun& run, const EventView& event) {
  run.end = event.type_name();
  run.duration_ms = event.number(Field::kDurationMs).value_or(0);
  run.failed_node_id = event.text(Field::kFailedNodeId);
  run.error_type = event.text(Field::kErrorType);
  run.error_message = event.text(Field::kErrorMessage);
}

NodeFact fact_of(const EventView& event) {
  NodeFact fact{.type = event.type(), .node_id = std::string(event.text(Field::kNodeId))};
  fact.at = event.timestamp();
  fact.attempt = static_cast<int>(event.integer(Field::kAttempt).value_or(1));
  if (fact.type == Type::kNodeCompleted) {
    if (const auto* output = event.find(Field::kOutput)) fact.output = output->text;
    fact.output_sha256 = hash_of(event, Field::kOutputSha256);
  }
  if (fact.type == Type::kNodeFailed) {
    fact.error_type = event.text(Field::kErrorType);
    fact.error_message = event.text(Field::kErrorMessage);
    fact.retryable = event.boolean(Field::kRetryable);
  }
  if (event.has(Field::kSignalId) && fact.type != Type::kPipelineResumed) {
    fact.signal = std::make_shared<const SignalRequest>(read_signal(event));
  }
  if (fact.type == Type::kApprovalDecided) {
    fact.outcome = event.text(Field::kOutcome);
    fact.reason = event.text(Field::kReason);
    fact.actor_id = event.text(Field::kActorId);
  }
  if (fact.type == Type::kNodeRetryScheduled) {
    fact.reason = event.text(Field::kReason);
    const auto attributes = object_of(event, Field::kAttributes);
    const auto* delay = attributes.find("delay_ms");
    if (delay != nullptr && delay->integer() != nullptr) {
      fact.delay = std::chrono::milliseconds(*delay->integer());
    }
  }
  if (fact.type == Type::kNodeCompleted || fact.type == Type::kNodeCancelled) {
    fact.outcome = event.text(Field::kOutcome);
  }
  if (fact.type == Type::kToolInvoked) {
    const auto attributes = object_of(event, Field::kAttributes);
    const auto* outcome = attributes.find("run_outcome");
    if (outcome != nullptr && outcome->string() != nullptr) fact.run_outcome = *outcome->string();
  }
  return fact;
}

/// Nothing, of a stream that is not complete.
std::optional<NodeFact> stream_fact_of(const EventView& event) {
  if (event.text(Field::kReason) != "end_of_stream") return {};
  const auto attributes = object_of(event, Field::kAttributes);
  const auto* to_node = attributes.find("to_node");
  if (to_node == nullptr || to_node->string() == nullptr) return {};
  return NodeFact{.type = event.type(),
                  .node_id = std::string(event.text(Field::kNodeId)),
                  .to_node = *to_node->string()};
}

/// A process begins it, goes on with it, or has done something of it.
void note_time(RecordedRun& run, const EventView& event) {
  const auto at = event.timestamp();
  const bool is_taken_up = event.type() == Type::kPipelineResumed && !event.has(Field::kSignalId);
  if (event.type() == Type::kPipelineStarted || is_taken_up) {
    run.ran_before = run.ran();
    run.taken_at = run.last_at = at;
  }
  run.last_at = std::max(run.last_at, at);
}

}  // namespace

void RecordedRun::apply(const EventView& event) {
  if (run_id == RunId()) run_id = event.run_id();
  if (event.type() == Type::kSignalRequested) {
    auto request = read_signal(event);
    if (request.run == run_id) {
      const auto place =
          std::ranges::upper_bound(requests, request.asked_at, {}, &SignalRequest::asked_at);
      requests.insert(place, std::move(request));
    }
  }
  if (event.run_id() != run_id) return;
  last_run_seq = std::max(last_run_seq, event.run_seq());
  note_time(*this, event);
  switch (event.type()) {
    case Type::kPipelineStarted:
      engine_attempt = 1;
      return read_start(*this, event);
    case Type::kPipelineResumed:
      engine_attempt =
          std::max(engine_attempt, event.integer(Field::kEngineAttempt).value_or(engine_attempt));
      return facts.push_back(fact_of(event));
    case Type::kNodeCompleted:
    case Type::kNodeFailed:
    case Type::kNodeCancelled:
      if (!children.empty()) children.erase(std::string(event.text(Field::kNodeId)));
      return facts.push_back(fact_of(event));
    case Type::kNodeStarted:
    case Type::kNodeSkipped:
    case Type::kNodeRetryScheduled:
    case Type::kSignalAccepted:
    case Type::kSignalDeferred:
    case Type::kSignalRejected:
    case Type::kApprovalRequested:
    case Type::kApprovalDecided:
    case Type::kGuardRetryAttempt:
    case Type::kGuardRetryExhausted:
    case Type::kGuardRetryRecovered:
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      return facts.push_back(fact_of(event));
    case Type::kToolInvoked:
      if (auto fact = fact_of(event); !fact.run_outcome.empty()) facts.push_back(std::move(fact));
      return;
    case Type::kChildSpawned:
    case Type::kChildCompleted:
    case Type::kChildFailed:
      return read_child(*this, event);
    case Type::kStreamQueueClosed:
      if (auto fact = stream_fact_of(event)) facts.push_back(*std::move(fact));
      return;
    default:
      if (event::ends_run(event.type())) read_end(*this, event);
  }
}

Result<json::Object> output_of(const NodeFact& fact, const artifact::ArtifactStore& artifacts) {
  const auto where = "node '" + fact.node_id + "'";
  std::string text = fact.output;
  if (fact.output_sha256) {
    auto bytes = artifacts.get(*fact.output_sha256, tool::kMaxPayloadBytes);
    if (!bytes) return std::unexpected(std::move(bytes).error().within(where));
    text = *std::move(bytes);
  }
  auto value = json::parse(text);
  if (!value || value->object() == nullptr) {
    return fail(ErrorCode::kCorrupt, where + ": its recorded output is no object");
  }
  return std::move(*value->object());
}

}  // namespace weir::engine
