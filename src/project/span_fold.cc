#include "project/span_fold.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"
#include "project/observed_span.h"
#include "project/span_attributes.h"

namespace weir::project {
namespace {

using event::Field;
using event::Type;

std::string text_of(const event::EventView& event, Field field) {
  return std::string(event.text(field));
}

bool is_run_event(Type type) {
  return type == Type::kPipelineStarted || type == Type::kPipelineCompleted ||
         type == Type::kPipelineFailed || type == Type::kPipelineCancelled ||
         type == Type::kPipelinePaused || type == Type::kPipelineResumed;
}

}  // namespace

std::string_view to_string(SpanKind kind) {
  static constexpr std::array<std::string_view, 6> kNames = {"",       "internal", "server",
                                                             "client", "producer", "consumer"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool may_be_in_spans(const event::EventView& event) {
  const auto source = event.text(Field::kSource);
  switch (event.type()) {
    case Type::kSpan:
      return true;
    case Type::kLog:
      return source != "otlp";
    case Type::kMetric:
    case Type::kNodeWide:
    case Type::kPipelineWide:
      return false;
    default:
      // What processes say of themselves is no run: record/process_runs.h.
      return event.text(Field::kPipelineId) != "weir" ||
             event.text(Field::kPipelineType) != "external";
  }
}

void SpanFold::apply(const event::EventView& event, const TakeSpan& take) {
  if (!may_be_in_spans(event)) return;
  if (event.type() == Type::kSpan && ObservedSpan::of(event).is_of_trace) {
    return give_observed(event, take);
  }
  if (!has_begun_) begin_root(event);
  if (is_run_event(event.type()) && !event.text(Field::kSpanId).empty()) {
    told_root_id_ = event.text(Field::kSpanId);
  }
  switch (event.type()) {
    case Type::kPipelineStarted:
      root_.start_ns = nanoseconds_of(event.timestamp());
      topology_ = event.text(Field::kPipelineId);
      previous_run_id_ = event.text(Field::kPreviousRunId);
      add_run_attributes(root_.attributes, event);
      break;
    case Type::kPipelineCompleted:
    case Type::kPipelineFailed:
    case Type::kPipelineCancelled:
      end_root(event, take);
      break;
    case Type::kPipelineResumed:
      resume(event, take);
      break;
    case Type::kNodeStarted:
      start_node(event, take);
      break;
    case Type::kNodeCompleted:
    case Type::kNodeFailed:
    case Type::kNodeCancelled:
      end_node(event, take);
      break;
    case Type::kNodeRetryScheduled:
      schedule_retry(event);
      break;
    case Type::kSpan:
      give_observed(event, take);
      break;
    case Type::kAgentRun:
      give_agent(event, take);
      break;
    case Type::kSignalAccepted:
    case Type::kSignalRejected:
    case Type::kArtifactWritten:
      give_moment(event, take);
      break;
    default:
      apply_to_call(event, take);
  }
  last_event_at_ = std::max(last_event_at_, event.timestamp());
}

void SpanFold::begin_root(const event::EventView& event) {
  has_begun_ = true;
  run_id_ = event.run_id();
  trace_id_ = event.text(Field::kTraceId);
  // A run's id is a trace id as good as any: 16 bytes, most of them random.
  if (trace_id_.empty()) trace_id_ = to_hex(run_id_.bytes.data(), run_id_.bytes.size());
  topology_ = event.text(Field::kPipelineId);
  origin_ = origin_of(event);
  auto heard = std::move(root_.events);
  root_ = new_span(event);
  root_.events = std::move(heard);
  root_.parent_span_id =
      is_run_event(event.type()) ? text_of(event, Field::kParentSpanId) : std::string();
  root_.name = "RUN " + topology_;
  root_.kind = SpanKind::kServer;
  root_.lane = 0;
  add_run_attributes(root_.attributes, event);
}

Span SpanFold::new_span(const event::EventView& event) const {
  return {.run_id = run_id_,
          .pipeline_id = topology_,
          .context = {trace_id_, {}},
          .parent_span_id = {},
          .trace_state = {},
          .name = {},
          .start_ns = nanoseconds_of(event.timestamp()),
          .status_message = {},
          .attributes = {},
          .events = {},
          .links = {},
          .origin = origin_};
}

std::string SpanFold::made_id(std::string_view what) const {
  const auto hash = sha256(run_id_.text().append("\n").append(what));
  auto id = to_hex(hash.bytes.data(), sizeof(SpanId::value));
  return SpanId::parse(id) ? id : std::string("0000000000000001");
}

std::string SpanFold::made_id(const event::EventView& event) const {
  return made_id(std::to_string(event.run_seq()) + " " + std::string(event.type_name()));
}

std::string SpanFold::root_id() const {
  return told_root_id_.empty() ? made_id("run") : told_root_id_;
}

void SpanFold::end_root(const event::EventView& event, const TakeSpan& take) {
  lose(event.timestamp(), take);
  if (has_ended_ || root_is_given_) return;
  has_ended_ = true;
  add_run_attributes(root_.attributes, event);
  add_error_attributes(root_.attributes, event);
  root_.attributes.set("engineAttemptId", engine_attempt_);
  root_.attributes.set("cicd.pipeline.result", result_of(event));
  set_status(root_, event);
  root_.end_ns = nanoseconds_of(event.timestamp());
  // One that ends without a beginning says how long it took.
  if (root_.start_ns >= root_.end_ns) root_.start_ns = start_before(event);
  root_.context.span_id = root_id();
  auto root = std::exchange(root_, {});
  take(std::move(root));
  last_attempts_.clear();
}

void SpanFold::resume(const event::EventView& event, const TakeSpan& take) {
  const auto attempt = event.integer(Field::kEngineAttempt).value_or(engine_attempt_);
  if (attempt > engine_attempt_) {
    engine_attempt_ = attempt;
    lose(last_event_at_, take);
  }
  note(event);
}

/// What was open when its process ended, or its run: when it ended itself nobody knows.
void SpanFold::lose(Timestamp last_heard_at, const TakeSpan& take) {
  const auto lost = [&](Span& span) {
    span.end_ns = std::max(span.start_ns, nanoseconds_of(last_heard_at));
    span.status = SpanStatus::kError;
    span.status_message = "its process was lost";
    span.attributes.set("weir.lost", true);
  };
  for (auto at = calls_.begin(); at != calls_.end();) {
    const auto next = std::next(at);
    if (!at->second.outlives_process) {
      lost(at->second.span);
      give_call(at, take);
    }
    at = next;
  }
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    const auto next = std::next(at);
    if (at->second.is_held) {
      give_held(at, take);
    } else {
      lost(at->second.span);
      at->second.span.attributes.set("cicd.pipeline.task.run.result", "error");
      give_attempt(at, take);
    }
    at = next;
  }
}

SpanFold::Attempts::iterator SpanFold::begin_attempt(const event::EventView& event) {
  const auto node = text_of(event, Field::kNodeId);
  const auto number = event.integer(Field::kAttempt).value_or(1);
  Attempt attempt{.span = new_span(event), .number = number};
  auto& span = attempt.span;
  span.context.span_id = text_of(event, Field::kSpanId);
  if (span.context.span_id.empty()) span.context.span_id = made_id(event);
  span.parent_span_id = text_of(event, Field::kParentSpanId);
  if (span.parent_span_id.empty()) span.parent_span_id = root_id();
  span.name = "stage." + node;
  span.lane = take_lane();
  span.attributes.set("cicd.pipeline.task.run.id", span.context.span_id);
  const auto hash = std::hash<std::string>()(node);
  if (const auto before = last_attempts_.find(hash); before != last_attempts_.end()) {
    const auto id = SpanId{before->second}.text();
    json::Object attributes;
    attributes.set("weir.link", "previous_attempt");
    span.links.push_back({.to = {trace_id_, std::string(id.data(), id.size())},
                          .attributes = std::move(attributes)});
  }
  if (const auto id = SpanId::parse(span.context.span_id)) last_attempts_[hash] = id->value;
  return attempts_.insert_or_assign(node, std::move(attempt)).first;
}

void SpanFold::start_node(const event::EventView& event, const TakeSpan& take) {
  std::optional<Span> whole;
  if (auto before = attempts_.find(event.text(Field::kNodeId)); before != attempts_.end()) {
    // Tried again: by a plan, which said so, or because somebody asked.
    if (before->second.is_held) make_whole(before->second);
    whole = std::move(before->second.whole);
    before->second.whole.reset();
    if (before->second.is_held) {
      give_attempt(before, take);
    } else {  // what began twice without an end between is told as it is
      free_lane(before->second.span.lane);
      take(std::move(before->second.span));
      attempts_.erase(before);
    }
  }
  auto& attempt = begin_attempt(event)->second;
  add_node_attributes(attempt.span.attributes, event, topology_);
  if (whole) {
    attempt.span.parent_span_id = whole->context.span_id;
    attempt.span.name += " attempt " + std::to_string(attempt.number);
    // In the lane of the node, which nobody else is in until it ends.
    free_lane(attempt.span.lane);
    free_lanes_.erase(whole->lane);
    attempt.span.lane = whole->lane;
    attempt.whole = std::move(whole);
  }
  if (root_.events.size() < kMaxSpanEvents) {
    root_.events.push_back(span_event_of(event));
  } else {
    ++root_.dropped_events;
  }
}

void SpanFold::end_node(const event::EventView& event, const TakeSpan& take) {
  auto at = attempts_.find(event.text(Field::kNodeId));
  if (at == attempts_.end() || at->second.is_held) {
    if (at != attempts_.end()) give_held(at, take);
    at = begin_attempt(event);
    at->second.span.start_ns = start_before(event);
  }
  auto& attempt = at->second;
  auto& span = attempt.span;
  span.end_ns = std::max(span.start_ns, nanoseconds_of(event.timestamp()));
  add_node_attributes(span.attributes, event, topology_);
  add_usage_attributes(span.attributes, event);
  add_error_attributes(span.attributes, event);
  const auto state = event.type() == Type::kNodeCompleted ? "completed"
                     : event.type() == Type::kNodeFailed  ? "failed"
                                                          : "cancelled";
  span.attributes.set("stage.status", state);
  span.attributes.set("cicd.pipeline.task.run.result", result_of(event));
  set_status(span, event);
  if (event.type() == Type::kNodeFailed) {
    span.events.push_back(exception_of(event));
    attempt.is_held = true;  // what comes next of the node says whether it is tried again
    return;
  }
  give_attempt(at, take);
}

/// The node that all its attempts are within.
void SpanFold::make_whole(Attempt& attempt) {
  if (attempt.whole) return;
  auto whole = attempt.span;
  whole.context.span_id = made_id("node " + attempt.span.context.span_id);
  whole.events.clear();
  attempt.span.parent_span_id = whole.context.span_id;
  attempt.span.name += " attempt " + std::to_string(attempt.number);
  attempt.whole = std::move(whole);
}

void SpanFold::schedule_retry(const event::EventView& event) {
  auto* attempt = attempt_of(event);
  if (attempt != nullptr && attempt->is_held) make_whole(*attempt);
  note(event);
}

void SpanFold::give_held(Attempts::iterator at, const TakeSpan& take) {
  at->second.is_held = false;
  give_attempt(at, take);
}

/// With the node, if this was its last attempt as far as anybody knows.
void SpanFold::give_attempt(Attempts::iterator at, const TakeSpan& take) {
  auto attempt = std::move(at->second);
  attempts_.erase(at);
  free_lane(attempt.span.lane);
  if (!attempt.whole) return take(std::move(attempt.span));
  auto& whole = *attempt.whole;
  whole.end_ns = attempt.span.end_ns;
  whole.status = attempt.span.status;
  whole.status_message = attempt.span.status_message;
  whole.attributes.update(attempt.span.attributes);
  whole.attributes.set("weir.attempts", attempt.number);
  take(std::move(attempt.span));
  take(std::move(whole));
}

SpanFold::Attempt* SpanFold::attempt_of(const event::EventView& event) {
  const auto at = attempts_.find(event.text(Field::kNodeId));
  return at == attempts_.end() ? nullptr : &at->second;
}

void SpanFold::note(const event::EventView& event) {
  const auto level = event.text(Field::kLevel);
  if (level == "DEBUG" || (event.type() == Type::kLog && level == "INFO")) return;
  auto* attempt = attempt_of(event);
  if (attempt == nullptr && (root_is_given_ || has_ended_)) return;
  auto& span = attempt == nullptr ? root_ : attempt->span;
  if (span.events.size() < kMaxSpanEvents) {
    span.events.push_back(span_event_of(event));
  } else {
    ++span.dropped_events;
  }
}

void SpanFold::hear(const event::EventView& event) {
  if (has_ended_ || root_.events.size() >= kMaxSpanEvents) return;
  root_.events.push_back(span_event_of(event));
}

void SpanFold::link_to_previous(const SpanContext& previous) {
  json::Object attributes;
  attributes.set("weir.link", "previous_run");
  if (!has_ended_) root_.links.push_back({.to = previous, .attributes = std::move(attributes)});
}

std::uint32_t SpanFold::take_lane() {
  if (free_lanes_.empty()) return lanes_++;
  return free_lanes_.extract(free_lanes_.begin()).value();
}

void SpanFold::free_lane(std::uint32_t lane) {
  if (lane != Span::kNoLane) free_lanes_.insert(lane);
}

void SpanFold::finish(const TakeSpan& take) {
  for (auto& [key, call] : calls_) take(std::move(call.span));
  calls_.clear();
  while (!attempts_.empty()) {
    auto at = attempts_.begin();
    auto& attempt = at->second;
    if (attempt.is_held) {
      give_held(at, take);
      continue;
    }
    if (attempt.whole) take(std::move(*attempt.whole));
    take(std::move(attempt.span));
    attempts_.erase(at);
  }
  if (!has_begun_ || has_ended_ || root_is_given_) return;
  root_.context.span_id = root_id();
  root_.attributes.set("engineAttemptId", engine_attempt_);
  take(std::move(root_));
  root_ = {};
}

}  // namespace weir::project
