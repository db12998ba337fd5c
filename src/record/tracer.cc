#include "record/tracer.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/time.h"
#include "base/utf8.h"
#include "record/observation.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;

json::Object to_object(SpanAttributes attributes) {
  json::Object object;
  for (const auto& member : attributes) object.append(member);
  return object;
}

enum class Status : std::uint8_t { kUnset, kOk, kError };

}  // namespace

struct DetachedSpan::State {
  Run* run;
  std::shared_ptr<const TracerOptions> options;
  std::shared_ptr<const TraceContext> context;
  std::string name;
  std::chrono::nanoseconds start;
  json::Object attributes{};
  json::Array events{};
  std::size_t events_bytes = 0;
  std::int64_t dropped_attributes = 0;
  std::int64_t dropped_events = 0;
  Status status = Status::kUnset;
  std::string error_type{};
  std::string error_message{};

  void emit() const;
};

void DetachedSpan::State::emit() const {
  Observation event(context);
  event.set_default(Field::kComponent, options->component);
  event.set_default(Field::kOperation, name);
  event.set(Field::kDurationMs, milliseconds_since(run->clock(), start));
  if (status == Status::kError) {
    event.set_default(Field::kErrorType, error_type);
    event.set_default(Field::kErrorMessage, error_message);
  }
  // What the span says of itself comes first: attributes may fill the rest.
  json::Object own;
  if (status != Status::kUnset) {
    own.append({"otel.status_code", status == Status::kOk ? "OK" : "ERROR"});
  }
  if (dropped_attributes > 0) {
    own.append({"otel.dropped_attributes_count", dropped_attributes});
  }
  if (dropped_events > 0) own.append({"otel.dropped_events_count", dropped_events});
  if (!events.empty()) own.append({"span_events", events});
  event.add_attributes(own);
  for (const auto& [key, value, position] : attributes) {
    if (own.find(key) == nullptr) event.add_attribute(key, value);
  }
  event.emit(*run, event::Type::kSpan, status == Status::kError ? Level::kError : Level::kInfo);
}

DetachedSpan::DetachedSpan() = default;
DetachedSpan::DetachedSpan(std::unique_ptr<State> state) : state_(std::move(state)) {}
DetachedSpan::DetachedSpan(DetachedSpan&& other) noexcept = default;

DetachedSpan& DetachedSpan::operator=(DetachedSpan&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}

DetachedSpan::~DetachedSpan() { end(); }

void DetachedSpan::end() {
  // Ended first: it is written once.
  if (const auto state = std::move(state_)) state->emit();
}

TraceContext DetachedSpan::context() const {
  return state_ ? *state_->context : TraceContext::capture();
}

void DetachedSpan::set_attribute(std::string_view key, json::Value value) {
  if (!state_) return;
  const bool is_new = state_->attributes.find(key) == nullptr;
  if (key.size() > Observation::kMaxAttributeKeyBytes ||
      (is_new && state_->attributes.size() >= kMaxAttributes)) {
    ++state_->dropped_attributes;
    return;
  }
  state_->attributes.set(key, std::move(value));
}

void DetachedSpan::add_event(std::string_view name, SpanAttributes attributes) {
  if (state_) add_event(name, to_object(attributes));
}

void DetachedSpan::add_event(std::string_view name, const json::Object& attributes) {
  if (!state_) return;
  json::Object event;
  event.append({"name", utf8::cut(name, kMaxNameBytes)});
  event.append({"timestamp", to_string(state_->run->clock().now())});
  if (!attributes.empty()) event.append({"attributes", attributes});
  json::Value value(std::move(event));
  const auto size = json::to_text(value).size();
  if (state_->events.size() >= kMaxEvents || size > kMaxEventsBytes - state_->events_bytes) {
    ++state_->dropped_events;
    return;
  }
  state_->events_bytes += size;
  state_->events.push_back(std::move(value));
}

void DetachedSpan::set_ok() {
  if (state_) state_->status = Status::kOk;
}

void DetachedSpan::record_error(std::string_view type, std::string_view message) {
  if (!state_) return;
  state_->status = Status::kError;
  state_->error_type = utf8::cut(type, kMaxNameBytes);
  state_->error_message = utf8::cut(message, Observation::kMaxTextBytes);
}

/// An exception is leaving the span. Which one cannot be asked before it is caught.
void DetachedSpan::record_exception() {
  if (state_ && state_->status == Status::kUnset) record_error("exception", "left by an exception");
}

Span::Span(DetachedSpan span) : span_(std::move(span)), exceptions_(std::uncaught_exceptions()) {
  if (span_.is_recording()) scope_.emplace(span_.state_->context);
}

Span::~Span() {
  if (std::uncaught_exceptions() > exceptions_) span_.record_exception();
}

Tracer::Tracer(Run* run, TracerOptions options)
    : run_(run), options_(std::make_shared<const TracerOptions>(std::move(options))) {}

TraceContext Tracer::parent_here() const {
  const auto current = current_context();
  if (current && current->has_trace()) return *current;
  auto root = options_->root;
  if (current) {
    root.baggage = current->baggage;
    root.ids = current->ids;
  }
  return root;
}

DetachedSpan Tracer::detached(std::string_view name, const TraceContext& parent,
                              SpanAttributes attributes) const {
  if (run_ == nullptr) return {};
  auto state = std::make_unique<DetachedSpan::State>(
      DetachedSpan::State{.run = run_,
                          .options = options_,
                          .context = std::make_shared<const TraceContext>(parent.child_span()),
                          .name = std::string(utf8::cut(name, DetachedSpan::kMaxNameBytes)),
                          .start = run_->clock().monotonic()});
  DetachedSpan span(std::move(state));
  for (const auto& [key, value, position] : attributes) span.set_attribute(key, value);
  return span;
}

DetachedSpan Tracer::detached(std::string_view name, SpanAttributes attributes) const {
  if (run_ == nullptr) return {};
  return detached(name, parent_here(), attributes);
}

Span Tracer::span(std::string_view name, const TraceContext& parent,
                  SpanAttributes attributes) const {
  return Span(detached(name, parent, attributes));
}

Span Tracer::span(std::string_view name, SpanAttributes attributes) const {
  return Span(detached(name, attributes));
}

}  // namespace weir::record
