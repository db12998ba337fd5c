#include "record/context.h"

#include "base/time.h"

namespace weir::record {
namespace {

struct Slot {
  std::shared_ptr<const TraceContext> current;
  ContextScope* innermost = nullptr;
};

/// Never inlined: a coroutine may change threads between two uses, and a compiler that sees the
/// variable may keep its address.
[[gnu::noinline]] Slot& slot() {
  thread_local Slot slot;
  return slot;
}

/// Appends a member unless `value` is empty.
void append_known(json::Object& object, std::string_view key, json::Value value) {
  const auto* text = value.string();
  const auto* inner = value.object();
  const auto* list = value.array();
  const bool unknown = value.is_null() || (text != nullptr && text->empty()) ||
                       (inner != nullptr && inner->empty()) || (list != nullptr && list->empty());
  if (!unknown) object.append({std::string(key), std::move(value)});
}

json::Value to_value(const std::optional<Timestamp>& time) {
  return time ? json::Value(to_string(*time)) : json::Value();
}

json::Value to_value(SpanId id) {
  const auto text = id.text();
  return id == SpanId() ? json::Value() : json::Value(std::string(text.data(), text.size()));
}

json::Array steps_array(const std::vector<PreviousStep>& steps) {
  json::Array array;
  for (const auto& step : steps) {
    json::Object object;
    append_known(object, "stepId", step.step_id);
    append_known(object, "runId", step.run_id);
    append_known(object, "completedAt", to_value(step.completed_at));
    array.emplace_back(std::move(object));
  }
  return array;
}

void change_correlation_id(std::string_view id) {
  auto changed = TraceContext::capture();
  changed.ids.correlation_id = id;
  slot().current = std::make_shared<const TraceContext>(std::move(changed));
}

}  // namespace

TraceContext TraceContext::start() {
  // TraceId::make fixes one bit of the first byte; the flag speaks of the last seven.
  return {.trace_id = TraceId::make(), .flags = kSampledFlag | kRandomTraceIdFlag};
}

TraceContext TraceContext::capture() {
  const auto current = current_context();
  return current ? *current : TraceContext();
}

TraceContext TraceContext::child_span() const {
  auto child = *this;
  if (!has_trace()) {
    child = start();
    child.baggage = baggage;
    child.ids = ids;
  }
  child.parent_span_id = child.span_id;
  child.span_id = SpanId::make();
  return child;
}

ContextScope TraceContext::activate() const { return ContextScope(*this); }

json::Object TraceContext::to_object() const {
  auto known = ids;
  if (has_trace()) known.trace_id = trace_id.text();
  auto object = known.to_object();
  if (span_id != SpanId()) object.set("span_id", to_value(span_id));
  if (parent_span_id != SpanId()) object.set("parent_span_id", to_value(parent_span_id));
  return object;
}

json::Object TraceContext::run_context() const {
  json::Object session, workflow, trace, context, all;
  append_known(session, "sessionId", ids.session_id);
  append_known(session, "userId", ids.user_id);
  append_known(session, "startedAt", to_value(ids.session_started_at));
  append_known(workflow, "workflowId", ids.workflow_id);
  append_known(workflow, "workflowName", ids.workflow_name);
  append_known(workflow, "version", ids.workflow_version);
  append_known(trace, "traceId", has_trace() ? trace_id.text() : ids.trace_id);
  append_known(trace, "spanId", to_value(span_id));
  append_known(trace, "parentSpanId", to_value(parent_span_id));
  append_known(context, "currentStep", ids.step_id);
  append_known(context, "previousSteps", steps_array(ids.previous_steps));
  for (const auto& [key, value] : ids.extra) {
    if (context.find(key) == nullptr) append_known(context, key, value);
  }
  append_known(all, "runId", ids.run_id);
  append_known(all, "startedAt", to_value(ids.run_started_at));
  append_known(all, "session", std::move(session));
  append_known(all, "workflow", std::move(workflow));
  append_known(all, "trace", std::move(trace));
  append_known(all, "context", std::move(context));
  return all;
}

std::shared_ptr<const TraceContext> current_context() { return slot().current; }

ContextScope::ContextScope(TraceContext context)
    : ContextScope(std::make_shared<const TraceContext>(std::move(context))) {}

ContextScope::ContextScope(std::shared_ptr<const TraceContext> context)
    : before_(std::move(context)), enclosing_(this) {
  auto& here = slot();
  std::swap(here.current, before_);
  std::swap(here.innermost, enclosing_);
}

ContextScope::~ContextScope() {
  auto& here = slot();
  WEIR_CHECK(here.innermost == this);
  here.innermost = enclosing_;
  here.current = std::move(before_);
}

Result<void> set_correlation_id(std::string_view id) {
  if (!is_id(id)) {
    return fail(ErrorCode::kInvalidInput,
                "a correlation id has 1 to 256 bytes, no control characters, no spaces around it");
  }
  change_correlation_id(id);
  return {};
}

std::string correlation_id() {
  const auto current = current_context();
  return current ? current->ids.correlation_id : std::string();
}

std::string ensure_correlation_id() {
  auto id = correlation_id();
  if (id.empty()) {
    id = RunId::make(system_clock().now()).text();
    change_correlation_id(id);
  }
  return id;
}

}  // namespace weir::record
