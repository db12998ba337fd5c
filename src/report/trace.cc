#include "report/trace.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "project/observed_span.h"
#include "report/plan.h"

namespace weir::report {
namespace {

using event::Field;
using event::Type;
using project::NodeState;
using project::RunState;
using SpanKind = TraceSpan::Kind;

/// Of spans and calls within nodes; later ones are left out.
constexpr std::size_t kMostCalls = 200'000;

double span_ms(Timestamp from, Timestamp to) {
  return std::max(0.0, std::chrono::duration<double, std::milli>(to - from).count());
}

std::string error_in(const event::EventView& event) {
  std::string error(event.text(Field::kErrorType));
  const auto message = event.text(Field::kErrorMessage);
  if (!message.empty()) error.append(error.empty() ? "" : ": ").append(message);
  return error.empty() ? std::string(event.text(Field::kReason)) : error;
}

Field detail_of(SpanKind kind) {
  if (kind == SpanKind::kChildRun) return Field::kTargetRunId;
  return kind == SpanKind::kApproval ? Field::kNodeId : Field::kModelId;
}

/// When a node that has completed did, for the path.
std::optional<Timestamp> end_of(const NodeState& node) {
  const auto* attempt = node.last_attempt();
  return attempt == nullptr ? std::nullopt : attempt->ended_at;
}

/// The chain that decided how long the run took, or has taken so far: back from the node that ended
/// last, or that runs and began first, to the predecessor that ended last. What was cancelled
/// because another node failed ended after it, and decided nothing.
std::unordered_set<std::string_view> critical_path(const RunState& run) {
  const NodeState* last = nullptr;
  const bool has_failed = run.state == project::State::kFailed;
  const auto later = [has_failed](const NodeState* best, const NodeState& node) {
    if (node.attempts.empty()) return false;
    if (has_failed && node.attempts.back().state == project::State::kCancelled) return false;
    if (best == nullptr) return true;
    const auto a = end_of(*best), b = end_of(node);
    if (a && b) return *b > *a;
    if (!a && !b) return node.attempts.back().started_at < best->attempts.back().started_at;
    return a.has_value();  // what runs on has ended last
  };
  // Of a node with items, of which each is a node of the run, the item that decided.
  std::unordered_map<std::string_view, const NodeState*> deciding;
  const auto add = [&](std::string_view id, const NodeState& node) {
    auto& best = deciding.try_emplace(id).first->second;
    if (later(best, node)) best = &node;
  };
  for (const auto& node : run.nodes) {
    if (later(last, node)) last = &node;
    const auto whole = node_of_item(node.node_id);
    add(node.node_id, node);
    if (whole != node.node_id) add(whole, node);
  }
  std::unordered_set<std::string_view> path;
  while (last != nullptr && path.insert(last->node_id).second) {
    const NodeState* before = nullptr;
    for (const auto& id : last->predecessors) {
      const auto found = deciding.find(id);
      const auto* node = found == deciding.end() ? nullptr : found->second;
      if (node != nullptr && later(before, *node)) before = node;
    }
    last = before;
  }
  return path;
}

TraceSpan attempt_span(const NodeState& node, const project::Attempt& attempt) {
  TraceSpan span{
      .kind = SpanKind::kNode,
      .name = node.node_id,
      .detail = node.plugin_id.empty() ? node.tool_id : node.plugin_id + "." + node.tool_id,
      .node_id = node.node_id,
      .started_at = attempt.started_at,
      .ended_at = attempt.ended_at,
      .state = std::string(to_string(attempt.state)),
      .usage = attempt.usage};
  if (attempt.outcome == "unknown") span.state = "lost";
  if (!attempt.error_type.empty()) span.error = attempt.error_type + ": " + attempt.error_message;
  return span;
}

/// Puts the spans of a run together. The first is the run's.
class Assembly {
 public:
  Assembly(const RunState& run, const std::string& span_id) : run_(run) {
    all_.push_back({.kind = SpanKind::kRun,
                    .name = run.pipeline_id,
                    .span_id = span_id,
                    .started_at = run.started_at,
                    .state = std::string(to_string(run.state)),
                    .error = run.error_type.empty() || !run.failed_node_id.empty()
                                 ? std::string()  // its node says it
                                 : run.error_type + ": " + run.error_message,
                    .is_critical = true});
    if (!span_id.empty()) by_span_id_.emplace(span_id, 0);
    if (!run.is_finished()) return;
    // What comes after the end, as undoing does, is within the trace and not within the run.
    const auto took = run.duration_ms.value_or(span_ms(run.started_at, run.last_event_at));
    all_[0].ended_at = run.started_at + microseconds_of(took);
  }

  void add_nodes(const std::map<TraceFold::AttemptKey, std::string>& span_ids,
                 const std::map<std::int64_t, Timestamp>& last_heard) {
    const auto path = critical_path(run_);
    for (const auto& node : run_.nodes) {
      if (node.attempts.empty()) continue;
      const bool is_critical = path.contains(node.node_id);
      std::optional<std::size_t> whole;
      if (node.attempts.size() > 1) {
        whole = add(attempt_span(node, node.attempts.back()), is_critical);
        all_[*whole].started_at = node.attempts.front().started_at;
        all_[*whole].error.clear();  // each attempt says its own
        all_[*whole].usage = {};
      }
      for (const auto& attempt : node.attempts) {
        auto span = attempt_span(node, attempt);
        if (whole) {
          span.kind = SpanKind::kAttempt;
          span.name = "attempt " + std::to_string(attempt.number);
          span.detail.clear();
          span.parent = whole;
        }
        const auto id = span_ids.find({node.node_id, attempt.number, attempt.engine_attempt});
        if (id != span_ids.end()) span.span_id = id->second;
        const auto heard = last_heard.find(attempt.engine_attempt);
        if (span.is_open() && heard != last_heard.end()) span.last_heard_at = heard->second;
        const auto place = add(std::move(span), is_critical);
        attempts_.insert_or_assign({node.node_id, attempt.number, attempt.engine_attempt}, place);
        attempts_.insert_or_assign({node.node_id, 0, 0}, place);  // the last one
      }
    }
  }

  void add_calls(const std::vector<TracedCall>& calls) {
    const auto first = all_.size();
    for (const auto& call : calls) add(call.span, false);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto& call = calls[i];
      const auto parent = by_span_id_.find(call.parent_span_id);
      auto place = attempts_.find({call.span.node_id, call.attempt, call.engine_attempt});
      if (place == attempts_.end()) place = attempts_.find({call.span.node_id, 0, 0});
      auto& span = all_[first + i];
      if (parent != by_span_id_.end()) {
        span.parent = parent->second;
      } else if (place != attempts_.end()) {
        const auto& attempt = all_[place->second];
        const bool waited =
            span.kind == SpanKind::kApproval && span.started_at < attempt.started_at;
        if (!waited) span.parent = place->second;
        if (waited) span.is_critical = attempt.is_critical;
      }
    }
    break_circles();
  }

  /// Of spans that know only within which they are: back in time from the end of the run, within
  /// each the one that ended last before those that are on the path began.
  void mark_path() {
    const auto children = children_of_all();
    const auto end_of = [this](std::size_t i) {
      return all_[i].ended_at.value_or(Timestamp::max());
    };
    std::vector<std::size_t> next = {0};
    while (!next.empty()) {
      const auto parent = next.back();
      next.pop_back();
      auto inside = children[parent];
      std::ranges::stable_sort(inside, std::greater(), end_of);
      auto until = Timestamp::max();
      for (const auto child : inside) {
        if (end_of(child) > until || all_[child].started_at >= until) continue;
        all_[child].is_critical = true;
        until = all_[child].started_at;
        next.push_back(child);
      }
    }
  }

  /// `until` becomes the end of all.
  void measure(Timestamp& until, bool is_lost) {
    for (const auto& span : all_) until = std::max(until, span.ended_at.value_or(until));
    for (auto& span : all_) {
      if (span.is_open() && is_lost) span.state = "lost";
      const auto end = span.ended_at.value_or(span.last_heard_at.value_or(until));
      span.duration_ms = span_ms(span.started_at, end);
    }
  }

  /// Each after its parent.
  std::vector<TraceSpan> spans() && {
    auto children = children_of_all();
    struct Next {
      std::size_t span;
      std::optional<std::size_t> parent;
      std::size_t depth;
    };
    std::vector<TraceSpan> spans;
    spans.reserve(all_.size());
    std::vector<Next> next = {{0, {}, 0}};
    while (!next.empty()) {
      const auto [i, parent, depth] = next.back();
      next.pop_back();
      std::ranges::stable_sort(children[i], {},
                               [this](std::size_t child) { return all_[child].started_at; });
      for (auto child = children[i].rbegin(); child != children[i].rend(); ++child)
        next.push_back({*child, spans.size(), depth + 1});
      spans.push_back(std::move(all_[i]));
      spans.back().parent = parent;
      spans.back().depth = depth;
    }
    return spans;
  }

 private:
  [[nodiscard]] std::vector<std::vector<std::size_t>> children_of_all() const {
    std::vector<std::vector<std::size_t>> children(all_.size());
    for (std::size_t i = 1; i < all_.size(); ++i) children[all_[i].parent.value_or(0)].push_back(i);
    return children;
  }

  static std::chrono::microseconds microseconds_of(double milliseconds) {
    return std::chrono::microseconds(static_cast<std::int64_t>(1000 * milliseconds));
  }

  std::size_t add(TraceSpan span, bool is_critical) {
    span.is_critical = is_critical;
    if (!span.span_id.empty()) by_span_id_.emplace(span.span_id, all_.size());
    all_.push_back(std::move(span));
    return all_.size() - 1;
  }

  /// Other systems may say that two spans are within each other: one is then within the run.
  void break_circles() {
    constexpr std::size_t kNever = 0;
    std::vector<std::size_t> seen_in(all_.size(), kNever);
    seen_in[0] = all_.size();  // of no walk
    for (std::size_t walk = 1; walk < all_.size(); ++walk) {
      auto i = walk;
      for (; seen_in[i] == kNever; i = all_[i].parent.value_or(0)) seen_in[i] = walk;
      if (seen_in[i] == walk) all_[i].parent = 0;
    }
  }

  const RunState& run_;
  std::vector<TraceSpan> all_;
  std::unordered_map<std::string, std::size_t> by_span_id_;
  std::map<TraceFold::AttemptKey, std::size_t> attempts_;
};

}  // namespace

std::string_view kind_name(SpanKind kind) {
  static constexpr std::string_view kNames[] = {"run",      "node",      "attempt",  "tool",
                                                "provider", "child_run", "approval", "span"};
  return kNames[static_cast<std::size_t>(kind)];
}

void TraceFold::apply(const event::EventView& event) {
  const auto engine_attempt = state_.engine_attempt;
  const auto last_event_at = state_.last_event_at;
  state_.apply(event);
  if (event.type() == Type::kPipelineResumed && state_.engine_attempt > engine_attempt) {
    last_heard_[engine_attempt] = last_event_at;
    lose_open_calls(last_event_at);
  }
  const auto text = [&event](Field field) { return std::string(event.text(field)); };
  switch (event.type()) {
    case Type::kPipelineStarted:
      trace_id_ = event.text(Field::kTraceId);
      span_id_ = event.text(Field::kSpanId);
      return;
    case Type::kNodeStarted:
      attempt_spans_[{text(Field::kNodeId), event.integer(Field::kAttempt).value_or(1),
                      engine_attempt_of(event)}] = text(Field::kSpanId);
      return;
    case Type::kToolInvoked:
    case Type::kToolStarted:
      return begin(event, SpanKind::kTool, text(Field::kCallId) + text(Field::kToolId),
                   text(Field::kToolId));
    case Type::kToolCompleted:
    case Type::kToolFailed:
    case Type::kToolUndone:
    case Type::kToolUndoFailed:
      return end(event, SpanKind::kTool, text(Field::kCallId) + text(Field::kToolId),
                 text(Field::kToolId));
    case Type::kProviderCallStarted:
      return begin(event, SpanKind::kProvider, text(Field::kCallId),
                   text(Field::kProvider) + " " + text(Field::kOperation));
    case Type::kProviderCallCompleted:
    case Type::kProviderCallFailed:
      return end(event, SpanKind::kProvider, text(Field::kCallId),
                 text(Field::kProvider) + " " + text(Field::kOperation));
    case Type::kChildSpawned:
      return begin(event, SpanKind::kChildRun, text(Field::kTargetRunId), "run");
    case Type::kChildCompleted:
    case Type::kChildFailed:
      return end(event, SpanKind::kChildRun, text(Field::kTargetRunId), "run");
    case Type::kApprovalRequested:
      return begin(event, SpanKind::kApproval, text(Field::kCallId), "approval");
    case Type::kApprovalDecided:
      return end(event, SpanKind::kApproval, text(Field::kCallId), "approval");
    case Type::kSpan:
      return observe(event);
    default:
      return;
  }
}

std::int64_t TraceFold::engine_attempt_of(const event::EventView& event) const {
  return event.integer(Field::kEngineAttempt).value_or(state_.engine_attempt);
}

/// But the runs of others, which have processes of their own, and questions, which people answer
/// whatever became of who asked.
void TraceFold::lose_open_calls(Timestamp last_heard_at) {
  std::erase_if(open_, [&](const auto& open) {
    auto& span = calls_[open.second].span;
    if (span.kind == SpanKind::kChildRun || span.kind == SpanKind::kApproval) return false;
    span.state = "lost";
    span.last_heard_at = last_heard_at;
    return true;
  });
}

void TraceFold::begin(const event::EventView& event, SpanKind kind, std::string key,
                      std::string name) {
  std::string node_id(event.text(Field::kNodeId));
  const Key place(kind, node_id, std::move(key));
  // One that was invoked and then started is one.
  if (open_.contains(place) || calls_.size() == kMostCalls) return;
  open_.emplace(place, calls_.size());
  TracedCall call{.span = {.kind = kind,
                           .name = std::move(name),
                           .detail = std::string(event.text(detail_of(kind))),
                           .node_id = std::move(node_id),
                           .started_at = event.timestamp(),
                           .state = "running"},
                  .attempt = event.integer(Field::kAttempt).value_or(0),
                  .engine_attempt = engine_attempt_of(event)};
  calls_.push_back(std::move(call));
}

void TraceFold::end(const event::EventView& event, SpanKind kind, std::string key,
                    std::string name) {
  const Key place(kind, std::string(event.text(Field::kNodeId)), key);
  if (!open_.contains(place)) {
    begin(event, kind, std::move(key), std::move(name));
    if (!open_.contains(place)) return;
    auto& span = calls_[open_.at(place)].span;
    const auto took = event.number(Field::kDurationMs).value_or(0);
    span.started_at -= std::chrono::microseconds(static_cast<std::int64_t>(1000 * took));
  }
  auto& span = calls_[open_.at(place)].span;
  open_.erase(place);
  const bool failed = event.type_name().ends_with("_failed");
  span.ended_at = event.timestamp();
  span.state = failed ? "failed" : "completed";
  if (failed) span.error = error_in(event);
  if (event.type() == Type::kToolUndone || event.type() == Type::kToolUndoFailed)
    span.name += ", undo";
  if (kind == SpanKind::kApproval) {
    span.detail.append(", ").append(event.text(Field::kOutcome));
    if (event.has(Field::kActorId)) span.detail.append(" by ").append(event.text(Field::kActorId));
  }
}

void TraceFold::observe(const event::EventView& event) {
  const auto observed = project::ObservedSpan::of(event);
  const auto node_id = event.text(Field::kNodeId);
  const auto operation = event.text(Field::kOperation);
  const auto name = operation.empty() ? node_id : operation;
  is_observed_ = is_observed_ || observed.is_of_trace;
  if (observed.is_of_trace) trace_id_ = event.text(Field::kTraceId);
  if (observed.is_of_trace && node_id.empty() && span_id_.empty()) {  // the run's
    span_id_ = event.text(Field::kSpanId);
    return;
  }
  if (calls_.size() == kMostCalls) return;
  const bool failed = observed.state == project::State::kFailed || event.has(Field::kErrorType);
  calls_.push_back({.span = {.kind = SpanKind::kObserved,
                             .name = std::string(name.empty() ? "span" : name),
                             .detail = std::string(event.text(Field::kComponent)),
                             .node_id = std::string(node_id),
                             .span_id = std::string(event.text(Field::kSpanId)),
                             .started_at = observed.started_at,
                             .ended_at = observed.ended_at,
                             .state = failed ? "failed" : std::string(to_string(observed.state)),
                             .error = failed ? error_in(event) : std::string()},
                    .attempt = event.integer(Field::kAttempt).value_or(0),
                    .engine_attempt = engine_attempt_of(event),
                    .parent_span_id = std::string(event.text(Field::kParentSpanId))});
}

Trace TraceFold::trace(bool is_owned, Timestamp now) const {
  const bool goes_on = is_owned && !state_.is_finished();
  Trace trace{.run_id = state_.run_id,
              .pipeline_id = state_.pipeline_id,
              .trace_id = trace_id_,
              .until = goes_on ? std::max(now, state_.last_event_at) : state_.last_event_at};
  Assembly assembly(state_, span_id_);
  // Of an observed trace the nodes are spans as they were told, each within another.
  if (!is_observed_) assembly.add_nodes(attempt_spans_, last_heard_);
  assembly.add_calls(calls_);
  if (is_observed_) assembly.mark_path();
  // Who watches another system's run knows nothing of its process.
  assembly.measure(trace.until, !goes_on && state_.pipeline_type != "external");
  trace.spans = std::move(assembly).spans();
  return trace;
}

std::vector<std::size_t> shown_spans(const Trace& trace, std::size_t most) {
  const auto& spans = trace.spans;
  std::vector<bool> shown(spans.size());
  std::size_t count = 0;
  const auto show = [&](std::size_t i) {
    for (std::optional<std::size_t> at = i; at && !shown[*at]; at = spans[*at].parent) {
      shown[*at] = true;
      ++count;
    }
  };
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const bool must = spans[i].is_critical || spans[i].state == "failed" || spans[i].is_open();
    if (must && count < most) {
      show(i);
    } else {
      others.push_back(i);
    }
  }
  std::ranges::stable_sort(others, std::greater(),
                           [&spans](std::size_t i) { return spans[i].duration_ms; });
  for (const auto i : others) {
    if (count >= most) break;
    show(i);
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (shown[i]) places.push_back(i);
  }
  return places;
}

}  // namespace weir::report
