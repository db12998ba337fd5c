#include "weir/trace.h"

#include <map>
#include <utility>

#include "embed/state.h"
#include "embed/values.h"
#include "record/context_carrier.h"
#include "weir/fields.h"
#include "weir/run.h"

namespace weir {
namespace embed {

struct SpanState {
  SpanState(std::shared_ptr<RunState> its_run, const record::Tracer& tracer, std::string_view name,
            const record::TraceContext* parent)
      : run(std::move(its_run)),
        span(parent == nullptr ? tracer.span(name) : tracer.span(name, *parent)) {}

  std::shared_ptr<RunState> run;
  record::Span span;
};

namespace {

std::shared_ptr<const record::TraceContext> share(record::TraceContext context) {
  return std::make_shared<const record::TraceContext>(std::move(context));
}

record::TraceContext copy(const weir::TraceContext& context) {
  const auto shared = Access::get(context);
  return shared ? *shared : record::TraceContext();
}

Headers to_list(const std::map<std::string, std::string>& map) { return {map.begin(), map.end()}; }

std::unique_ptr<SpanState> open_span(const std::shared_ptr<RunState>& run, std::string_view name,
                                     const record::TraceContext* parent, Fields attributes) {
  // After the run's end spans are nothing.
  static const record::Tracer no_tracer(nullptr);
  const auto& tracer = run->closed() ? no_tracer : run->tracer;
  auto state = std::make_unique<SpanState>(run, tracer, name, parent);
  for (const auto& field : attributes) {
    state->span.set_attribute(key_of(field), json_or_error(field.value()));
  }
  return state;
}

}  // namespace
}  // namespace embed

using embed::Access;

TraceContext::TraceContext() noexcept = default;

TraceContext TraceContext::current() noexcept { return Access::make(record::current_context()); }

TraceContext TraceContext::start() noexcept {
  return Access::make(embed::share(record::TraceContext::start()));
}

TraceContext TraceContext::from_headers(const Headers& headers) noexcept {
  std::vector<record::Header> views;
  views.reserve(headers.size());
  for (const auto& [name, value] : headers) views.push_back({.name = name, .value = value});
  return Access::make(embed::share(record::from_headers(views)));
}

TraceContext TraceContext::from_environment() noexcept {
  return Access::make(embed::share(record::from_environment(record::process_environment())));
}

ContextScope TraceContext::activate() const noexcept { return ContextScope(*this); }

Headers TraceContext::to_headers() const noexcept {
  return embed::to_list(record::to_headers(embed::copy(*this)));
}

Headers TraceContext::to_environment() const noexcept {
  return embed::to_list(record::to_environment(embed::copy(*this)));
}

std::string TraceContext::trace_id() const noexcept {
  const auto context = Access::get(*this);
  return context && context->has_trace() ? context->trace_id.text() : std::string();
}

std::string TraceContext::span_id() const noexcept {
  const auto context = Access::get(*this);
  if (!context || context->span_id.value == 0) return {};
  const auto text = context->span_id.text();
  return {text.data(), text.size()};
}

std::optional<std::string> TraceContext::baggage(std::string_view key) const noexcept {
  const auto context = Access::get(*this);
  const auto* member = context ? context->baggage.find(key) : nullptr;
  if (member == nullptr) return {};
  return member->value;
}

StatusOr<TraceContext> TraceContext::with_baggage(std::string_view key,
                                                  std::string_view value) const noexcept {
  auto context = embed::copy(*this);
  const auto set = context.baggage.set({.key = std::string(key), .value = std::string(value)});
  if (!set) return embed::to_status(set.error());
  return Access::make(embed::share(std::move(context)));
}

StatusOr<TraceContext> TraceContext::with_id(TextField field, std::string_view id) const noexcept {
  if (!record::is_id(id)) {
    return Status(StatusCode::kInvalidInput,
                  "an id is 1 to 256 bytes of UTF-8 without control characters");
  }
  for (const auto& [its_field, member] : embed::kContextIds) {
    if (static_cast<event::Field>(field.index) != its_field) continue;
    auto context = embed::copy(*this);
    context.ids.*member = id;
    return Access::make(embed::share(std::move(context)));
  }
  return Status(StatusCode::kInvalidInput,
                "a context does not carry the field of index " + std::to_string(field.index));
}

struct ContextScope::State {
  explicit State(const TraceContext& context) : scope(Access::get(context)) {}
  record::ContextScope scope;
};

ContextScope::ContextScope(const TraceContext& context) noexcept
    : state_(std::make_unique<State>(context)) {}
ContextScope::~ContextScope() = default;

Span::Span(std::unique_ptr<embed::SpanState> state) noexcept : state_(std::move(state)) {}
Span::~Span() = default;

TraceContext Span::context() const noexcept {
  return Access::make(embed::share(state_->span.context()));
}

void Span::set_attribute(std::string_view key, Value value) noexcept {
  state_->span.set_attribute(key, embed::json_or_error(value));
}

void Span::add_event(std::string_view name, Fields attributes) noexcept {
  state_->span.add_event(name, embed::to_object(attributes));
}

void Span::set_ok() noexcept { state_->span.set_ok(); }

void Span::record_error(std::string_view type, std::string_view message) noexcept {
  state_->span.record_error(type, message);
}

void Span::end() noexcept { state_->span.end(); }

Span Run::span(std::string_view name, Fields attributes) noexcept {
  return Span(embed::open_span(state_, name, nullptr, attributes));
}

Span Run::span_in(const TraceContext& parent, std::string_view name, Fields attributes) noexcept {
  const auto context = embed::copy(parent);
  return Span(embed::open_span(state_, name, &context, attributes));
}

}  // namespace weir
