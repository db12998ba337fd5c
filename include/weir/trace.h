#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/field.h"
#include "weir/status.h"

/// Where in which trace something happens, and for whom.
namespace weir {

namespace embed {
struct Access;
struct ContextState;
struct SpanState;
}  // namespace embed

/// Names and values: headers as they arrive or go, or variables of the environment.
using Headers = std::vector<std::pair<std::string, std::string>>;

class ContextScope;

/// A place in a trace (W3C Trace Context), baggage (W3C Baggage) and ids of the request: a value
/// that goes into other threads, processes and requests as a copy.
///
/// Threads  A value never changes: all functions from any thread.
class TraceContext {
 public:
  /// Empty: no trace, no baggage, no ids.
  TraceContext() noexcept;

  /// What is current in this thread; empty when nothing is.
  [[nodiscard]] static TraceContext current() noexcept;
  /// The same, as it is called where it is taken along.
  [[nodiscard]] static TraceContext capture() noexcept { return current(); }
  /// A new trace without a span.
  [[nodiscard]] static TraceContext start() noexcept;
  /// The sender's context, out of `traceparent`, `tracestate`, `baggage`, `x-correlation-id`,
  /// `x-request-id` and others. An invalid traceparent begins a new trace, as the standard has it.
  [[nodiscard]] static TraceContext from_headers(const Headers& headers) noexcept;
  /// The context of the process that started this one: TRACEPARENT and others, as `weir run` sets
  /// them for the programs of its nodes.
  [[nodiscard]] static TraceContext from_environment() noexcept;

  /// Makes it current in this thread while the scope lives:
  ///   const auto scope = context.activate();
  [[nodiscard]] ContextScope activate() const noexcept;

  /// For a request, names in lower case: `traceparent`, `x-correlation-id`, ….
  [[nodiscard]] Headers to_headers() const noexcept;
  /// For a child process.
  [[nodiscard]] Headers to_environment() const noexcept;

  [[nodiscard]] std::string trace_id() const noexcept;  ///< 32 hex digits; empty without a trace
  [[nodiscard]] std::string span_id() const noexcept;   ///< 16 hex digits; empty outside spans
  [[nodiscard]] std::optional<std::string> baggage(std::string_view key) const noexcept;

  /// A copy with one more entry of the baggage. Errors: kInvalidInput for what is no key,
  /// kExhausted.
  [[nodiscard]] StatusOr<TraceContext> with_baggage(std::string_view key,
                                                    std::string_view value) const noexcept;
  /// A copy with one more id: tenant, session, request, user, org, workflow, previous run or
  /// correlation. Events inside the context have it. Errors: kInvalidInput for another field, and
  /// for what is not an id: 1 to 256 bytes of UTF-8 without control characters.
  [[nodiscard]] StatusOr<TraceContext> with_id(TextField field, std::string_view id) const noexcept;

 private:
  friend struct embed::Access;
  std::shared_ptr<const embed::ContextState> state_;
};

/// Makes a context current in this thread while it lives; then what was current before. Scopes and
/// spans end in the thread that opened them, the last opened first: otherwise the process is
/// stopped.
class [[nodiscard]] ContextScope {
 public:
  explicit ContextScope(const TraceContext& context) noexcept;
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A span of a block of code: current in this thread from its construction to its destruction, so
/// that spans, events and log lines in between are inside it. It becomes one `span` event when it
/// ends, with its duration.
///
///   weir::Span query = run.span("query", {{"table", "users"}});
///   …
///   query.set_attribute("rows", rows);
///
/// Left by an exception without a status, it has the error type `exception`. Cannot be moved or
/// stored; see ContextScope. At most 128 attributes and 128 events are kept.
///
/// Threads  The one that opened it.
class [[nodiscard]] Span {
 public:
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  /// The context inside the span, to go on elsewhere.
  [[nodiscard]] TraceContext context() const noexcept;
  void set_attribute(std::string_view key, Value value) noexcept;
  /// Something that happened at a moment inside the span.
  void add_event(std::string_view name, Fields attributes = {}) noexcept;
  void set_ok() noexcept;
  void record_error(std::string_view type, std::string_view message) noexcept;
  /// Writes the event now; the span stays current until it is destroyed.
  void end() noexcept;

 private:
  friend class Run;
  explicit Span(std::unique_ptr<embed::SpanState> state) noexcept;
  std::unique_ptr<embed::SpanState> state_;
};

}  // namespace weir
