#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "record/context.h"
#include "record/recorder.h"

namespace weir::record {

using SpanAttributes = std::initializer_list<json::Member>;

/// A span that is current nowhere: work that begins in one place and ends in another. It can be
/// moved, kept, and ended by any thread, in any order; whatever should happen inside it gets its
/// context: `context().activate()`, `bind`, `tracer.span(name, span.context())`.
///
/// When it ends, by `end` or its destructor, it becomes one `span` event of the run, with the time
/// of its end as timestamp: trace_id, span_id, parent_span_id, duration_ms, component (the
/// tracer's), operation (its name), error_type and error_message; as attributes its own, and under
/// OpenTelemetry's names `otel.status_code`, `otel.dropped_attributes_count`,
/// `otel.dropped_events_count`; `span_events` is a list of {name, timestamp, attributes}.
///
/// Limits   The first kMaxAttributes attributes, each and together as an Observation's; the first
///          kMaxEvents events, up to kMaxEventsBytes.
/// Threads  One at a time. The Run outlives it.
class DetachedSpan {
 public:
  /// As the defaults of OpenTelemetry's SDKs.
  static constexpr std::size_t kMaxEvents = 128;
  static constexpr std::size_t kMaxAttributes = 128;
  /// Of all events as JSON: they share their line with the attributes.
  static constexpr std::size_t kMaxEventsBytes = std::size_t{32} << 10;
  static constexpr std::size_t kMaxNameBytes = 1024;

  /// One that does nothing, as is one that was moved from, has ended or has no run.
  DetachedSpan();
  DetachedSpan(DetachedSpan&& other) noexcept;
  /// Ends what was here before.
  DetachedSpan& operator=(DetachedSpan&& other) noexcept;
  ~DetachedSpan();

  /// Whether what is said of it will be recorded.
  [[nodiscard]] bool is_recording() const { return state_ != nullptr; }
  /// The context inside the span; if it is not recording, what is current in this thread.
  [[nodiscard]] TraceContext context() const;

  /// Replaces an attribute of the same key.
  void set_attribute(std::string_view key, json::Value value);
  void add_event(std::string_view name, SpanAttributes attributes = {});
  void add_event(std::string_view name, const json::Object& attributes);
  /// The status is what was said last; nothing said is no status.
  void set_ok();
  void record_error(std::string_view type, std::string_view message);
  void end();

 private:
  friend class Tracer;
  friend class Span;
  struct State;
  void record_exception();
  explicit DetachedSpan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A span of a block of code: current in this thread from its construction to its destruction, so
/// that spans, log lines and requests in between are inside it.
///
///   const Tracer tracer(&run, {.component = "my_service"});
///   Span request = tracer.span("process_request", {{"user_id", user}});
///   {
///     Span query = tracer.span("database_query");
///     query.set_attribute("table", "users");
///   }
///
/// It cannot be moved, stored or left open across a `co_await`: it ends in the thread that opened
/// it, the last opened first, as a ContextScope (DetachedSpan need not). `end` ends it earlier, in
/// any order: its event is written with that duration, and it stays current until it is destroyed.
/// Left by an exception without a status, it has the error type `exception`.
class Span {
 public:
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span();
  static void* operator new(std::size_t) = delete;  // would end in any order

  [[nodiscard]] bool is_recording() const { return span_.is_recording(); }
  [[nodiscard]] TraceContext context() const { return span_.context(); }
  void set_attribute(std::string_view key, json::Value value) {
    span_.set_attribute(key, std::move(value));
  }
  void add_event(std::string_view name, SpanAttributes attributes = {}) {
    span_.add_event(name, attributes);
  }
  void add_event(std::string_view name, const json::Object& attributes) {
    span_.add_event(name, attributes);
  }
  void set_ok() { span_.set_ok(); }
  void record_error(std::string_view type, std::string_view message) {
    span_.record_error(type, message);
  }
  void end() { span_.end(); }

 private:
  friend class Tracer;
  explicit Span(DetachedSpan span);

  DetachedSpan span_;
  std::optional<ContextScope> scope_;
  int exceptions_;
};

struct TracerOptions {
  std::string component;  ///< who speaks: a service, a library
  TraceContext root{};    ///< what spans are inside when nothing is current: the run's own trace
};

/// Makes spans. Without a run they are nothing: no ids, no clock, no memory; what is current stays
/// current.
///
/// Threads  All functions from any thread.
class Tracer {
 public:
  explicit Tracer(Run* run, TracerOptions options = {});

  /// Inside what is current in this thread, which may be another span.
  [[nodiscard]] Span span(std::string_view name, SpanAttributes attributes = {}) const;
  /// Inside `parent`, from wherever that is.
  [[nodiscard]] Span span(std::string_view name, const TraceContext& parent,
                          SpanAttributes attributes = {}) const;
  [[nodiscard]] DetachedSpan detached(std::string_view name, SpanAttributes attributes = {}) const;
  [[nodiscard]] DetachedSpan detached(std::string_view name, const TraceContext& parent,
                                      SpanAttributes attributes = {}) const;

 private:
  [[nodiscard]] TraceContext parent_here() const;

  Run* run_;
  std::shared_ptr<const TracerOptions> options_;
};

}  // namespace weir::record
