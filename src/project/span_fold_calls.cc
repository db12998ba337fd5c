#include <algorithm>

#include "project/observed_span.h"
#include "project/span_attributes.h"
#include "project/span_fold.h"

/// Calls within nodes, and what happens at once.
namespace weir::project {
namespace {

using event::Field;
using event::Type;

std::string said(const event::EventView& event, Field field) {
  return std::string(event.text(field));
}

struct CallWords {
  std::string name;
  SpanKind kind = SpanKind::kInternal;
};

CallWords words_of(const event::EventView& event) {
  switch (event.type()) {
    case Type::kProviderCallStarted:
    case Type::kProviderCallCompleted:
    case Type::kProviderCallFailed: {
      const auto model = event.text(Field::kModelId);
      const auto what = model.empty() ? event.text(Field::kProvider) : model;
      return {said(event, Field::kOperation).append(" ").append(what), SpanKind::kClient};
    }
    case Type::kChildSpawned:
    case Type::kChildCompleted:
    case Type::kChildFailed:
      return {"child run"};
    case Type::kApprovalRequested:
    case Type::kApprovalDecided:
      return {"approval"};
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      return {"undo_tool " + said(event, Field::kToolId)};
    default:
      return {"execute_tool " + said(event, Field::kToolId)};
  }
}

}  // namespace

void SpanFold::apply_to_call(const event::EventView& event, const TakeSpan& take) {
  const auto node = said(event, Field::kNodeId);
  switch (event.type()) {
    case Type::kToolInvoked:
    case Type::kToolStarted:
      begin_call(event, {"tool", node, said(event, Field::kCallId)});
      return;
    case Type::kToolCompleted:
    case Type::kToolFailed:
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      return end_call(event, {"tool", node, said(event, Field::kCallId)}, take);
    case Type::kProviderCallStarted:
      begin_call(event, {"provider", node, said(event, Field::kCallId)});
      return;
    case Type::kProviderCallCompleted:
    case Type::kProviderCallFailed:
      return end_call(event, {"provider", node, said(event, Field::kCallId)}, take);
    case Type::kChildSpawned:
      begin_call(event, {"child", node, said(event, Field::kTargetRunId)}).outlives_process = true;
      return;
    case Type::kChildCompleted:
    case Type::kChildFailed:
      return end_call(event, {"child", node, said(event, Field::kTargetRunId)}, take);
    case Type::kApprovalRequested:
      begin_call(event, {"approval", node, said(event, Field::kCallId)}).outlives_process = true;
      return;
    case Type::kApprovalDecided:
      return end_call(event, {"approval", node, said(event, Field::kCallId)}, take);
    default:
      return note(event);
  }
}

/// Within the attempt that runs, in its lane while that has no other call.
void SpanFold::place_in_node(const event::EventView& event, Span& span) {
  const auto told = said(event, Field::kSpanId);
  if (auto* attempt = attempt_of(event)) {
    const auto& own = attempt->span.context.span_id;
    span.context.span_id = told.empty() || told == own ? made_id(event) : told;
    const auto parent = said(event, Field::kParentSpanId);
    span.parent_span_id = told.empty() || told == own || parent.empty() ? own : parent;
    span.lane = attempt->calls == 0 ? attempt->span.lane : take_lane();
    return;
  }
  span.context.span_id = made_id(event);
  span.parent_span_id = told.empty() ? root_id() : told;
  span.lane = take_lane();
}

SpanFold::Call& SpanFold::begin_call(const event::EventView& event, const CallKey& key) {
  // One that was invoked and then started is one.
  const auto [at, is_new] = calls_.try_emplace(key, Call{.span = {}});
  auto& call = at->second;
  if (!is_new) return call;
  call.span = new_span(event);
  auto words = words_of(event);
  call.span.name = std::move(words.name);
  call.span.kind = words.kind;
  place_in_node(event, call.span);
  auto* attempt = attempt_of(event);
  call.is_in_own_lane = attempt == nullptr || call.span.lane != attempt->span.lane;
  if (!call.is_in_own_lane) ++attempt->calls;
  add_call_attributes(call.span.attributes, event);
  return call;
}

void SpanFold::end_call(const event::EventView& event, const CallKey& key, const TakeSpan& take) {
  auto at = calls_.find(key);
  if (at == calls_.end()) {
    begin_call(event, key).span.start_ns = start_before(event);
    at = calls_.find(key);
  }
  auto& span = at->second.span;
  span.end_ns = std::max(span.start_ns, nanoseconds_of(event.timestamp()));
  span.name = words_of(event).name;
  add_call_attributes(span.attributes, event);
  add_usage_attributes(span.attributes, event);
  add_error_attributes(span.attributes, event);
  set_status(span, event);
  if (event.has(Field::kOutcome)) span.attributes.set("weir.outcome", event.text(Field::kOutcome));
  give_call(at, take);
}

void SpanFold::give_call(std::map<CallKey, Call>::iterator at, const TakeSpan& take) {
  auto call = std::move(at->second);
  if (call.is_in_own_lane) {
    free_lane(call.span.lane);
  } else if (const auto attempt = attempts_.find(std::get<1>(at->first));
             attempt != attempts_.end() && attempt->second.calls > 0) {
    --attempt->second.calls;
  }
  calls_.erase(at);
  take(std::move(call.span));
}

/// An agent tells of its run when it is over.
void SpanFold::give_agent(const event::EventView& event, const TakeSpan& take) {
  auto span = new_span(event);
  span.name = "invoke_agent " + said(event, Field::kAgentId);
  span.start_ns = start_before(event);
  span.end_ns = nanoseconds_of(event.timestamp());
  place_in_node(event, span);
  if (attempt_of(event) == nullptr) free_lane(span.lane);
  span.lane = Span::kNoLane;
  add_call_attributes(span.attributes, event);
  add_usage_attributes(span.attributes, event);
  add_error_attributes(span.attributes, event);
  span.attributes.set("gen_ai.operation.name", "invoke_agent");
  const auto outcome = event.text(Field::kOutcome);
  span.attributes.set("weir.outcome", outcome);
  const bool failed = outcome == "failure" || outcome == "failed" || outcome == "timeout";
  span.status = failed ? SpanStatus::kError : SpanStatus::kOk;
  if (failed) span.status_message = said(event, Field::kErrorMessage);
  take(std::move(span));
}

/// What has no duration that anybody knows: it begins and ends at once.
void SpanFold::give_moment(const event::EventView& event, const TakeSpan& take) {
  auto span = new_span(event);
  span.name = event.type() == Type::kArtifactWritten ? "artifact.store"
              : event.type() == Type::kSignalAccepted
                  ? "signal.accept " + said(event, Field::kSignalType)
                  : "signal.reject " + said(event, Field::kSignalType);
  span.end_ns = span.start_ns;
  place_in_node(event, span);
  if (attempt_of(event) == nullptr || attempt_of(event)->span.lane != span.lane) {
    free_lane(span.lane);
  }
  if (event.type() != Type::kArtifactWritten) span.parent_span_id = root_id();
  span.lane = Span::kNoLane;
  add_call_attributes(span.attributes, event);
  add_usage_attributes(span.attributes, event);
  span.status = event.type() == Type::kSignalRejected ? SpanStatus::kUnset : SpanStatus::kOk;
  take(std::move(span));
}

void SpanFold::give_observed(const event::EventView& event, const TakeSpan& take) {
  const auto observed = ObservedSpan::of(event);
  if (observed.is_of_trace) {
    auto span = observed_span_of(event, origin_);
    origin_ = span.origin;
    return take(std::move(span));
  }
  auto span = new_span(event);
  span.context = {said(event, Field::kTraceId), said(event, Field::kSpanId)};
  span.parent_span_id = said(event, Field::kParentSpanId);
  const auto operation = event.text(Field::kOperation);
  span.name = operation.empty() ? event.text(Field::kNodeId) : operation;
  if (span.name.empty()) span.name = "span";
  span.start_ns = nanoseconds_of(observed.started_at);
  if (observed.ended_at) span.end_ns = nanoseconds_of(*observed.ended_at);
  span.lane = Span::kNoLane;
  add_call_attributes(span.attributes, event);
  add_error_attributes(span.attributes, event);
  const auto told = span_event_of(event);
  for (const auto& [name, value, position] : told.attributes) {
    if (span.attributes.find(name) == nullptr) span.attributes.set(name, value);
  }
  const bool failed = observed.state == State::kFailed || event.has(Field::kErrorType);
  span.status = failed              ? SpanStatus::kError
                : observed.ended_at ? SpanStatus::kOk
                                    : SpanStatus::kUnset;
  if (failed) span.status_message = said(event, Field::kErrorMessage);
  take(std::move(span));
}

}  // namespace weir::project
