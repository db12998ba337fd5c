#include "engine/signal_request.h"

#include "engine/payload.h"
#include "tool/tool.h"

namespace weir::engine {

using event::Field;
using event::Type;

namespace {

constexpr std::string_view kPayload = "payload";
constexpr std::string_view kPayloadHash = "payload_sha256";

Result<void> record(Type type, const SignalRequest& request, const SignalFields& fields,
                    record::Recorder& recorder) {
  auto& runs = recorder.process_runs();
  WEIR_TRY(runs.emit(record::Retention::kOperations, request.tenant_id, type,
                     event::info(type).level, fields.get()));
  return runs.flush();
}

}  // namespace

Type event_type(SignalDecision::Kind kind) {
  switch (kind) {
    case SignalDecision::Kind::kAccepted:
      return Type::kSignalAccepted;
    case SignalDecision::Kind::kDeferred:
      return Type::kSignalDeferred;
    case SignalDecision::Kind::kRejected:
      break;
  }
  return Type::kSignalRejected;
}

SignalRequest read_signal(const event::EventView& event) {
  SignalRequest request{
      .run = RunId::parse(event.text(Field::kTargetRunId)).value_or(event.run_id()),
      .tenant_id = std::string(event.text(Field::kTenantId)),
      .signal_id = std::string(event.text(Field::kSignalId)),
      .type = std::string(event.text(Field::kSignalType)),
      .node_id = std::string(event.text(Field::kNodeId)),
      .actor_id = std::string(event.text(Field::kActorId)),
      .reason = std::string(event.text(Field::kReason)),
      .asked_at = event.timestamp()};
  const auto* attributes = event.find(Field::kAttributes);
  if (attributes == nullptr || attributes->kind != json::Kind::kObject) return request;
  const auto value = json::parse(attributes->text);
  if (!value || value->object() == nullptr) return request;
  if (const auto* payload = value->object()->find(kPayload); payload && payload->object()) {
    request.payload = *payload->object();
  }
  if (const auto* hash = value->object()->find(kPayloadHash); hash && hash->string()) {
    request.payload_of = *hash->string();
  }
  return request;
}

Result<void> read_payload(SignalRequest& request, const artifact::ArtifactStore& artifacts) {
  if (request.payload_of.empty()) return {};
  const auto hash = Sha256::parse(request.payload_of);
  if (!hash) return fail(ErrorCode::kCorrupt, "a signal's payload has no hash");
  WEIR_TRY(const auto text, artifacts.get(*hash, tool::kMaxPayloadBytes));
  auto value = json::parse(text);
  if (!value || value->object() == nullptr) {
    return fail(ErrorCode::kCorrupt, "a signal's payload is no JSON object");
  }
  request.payload = std::move(*value->object());
  return {};
}

SignalFields::SignalFields(const SignalRequest& request, const SignalDecision& decision)
    : SignalFields(request, decision, std::string()) {}

SignalFields SignalFields::about(const SignalRequest& request, const SignalDecision& decision) {
  return {request, decision, request.run.text()};
}

SignalFields::SignalFields(const SignalRequest& request, const SignalDecision& decision,
                           std::string target)
    : target_(std::move(target)) {
  const auto add = [this](Field field, std::string_view text) {
    if (!text.empty()) fields_.push_back({field, text});
  };
  add(Field::kNodeId, request.node_id);
  add(Field::kErrorCode, decision.code);
  add(Field::kReason, decision.reason.empty() ? request.reason : decision.reason);
  add(Field::kTargetRunId, target_);
  add(Field::kSignalId, request.signal_id);
  add(Field::kSignalType, request.type);
  add(Field::kActorId, request.actor_id);
  json::Object attributes;
  if (!request.payload_of.empty()) {
    attributes.set(std::string(kPayloadHash), request.payload_of);
  } else if (!request.payload.empty()) {
    attributes.set(std::string(kPayload), request.payload);
  }
  if (attributes.empty()) return;
  attributes_ = json::to_text(attributes);
  fields_.push_back({Field::kAttributes, event::ObjectText{attributes_}});
}

Result<void> record_request(SignalRequest& request, record::Recorder& recorder,
                            const artifact::ArtifactStore& artifacts) {
  if (const auto text = json::to_text(request.payload);
      !may_stand_in_event(text, recorder.redactor())) {
    WEIR_TRY(const auto hash, artifacts.put(text));
    request.payload_of = hash.text();
  }
  return record(Type::kSignalRequested, request, SignalFields::about(request, {}), recorder);
}

Result<void> record_decision(const SignalRequest& request, const SignalDecision& decision,
                             record::Recorder& recorder) {
  return record(event_type(decision.kind), request, SignalFields::about(request, decision),
                recorder);
}

}  // namespace weir::engine
