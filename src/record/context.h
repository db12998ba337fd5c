#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "record/correlation_ids.h"
#include "record/w3c.h"

namespace weir::record {

class ContextScope;

/// Where in which trace something happens, and for whom. A value: it goes into other threads,
/// coroutines, processes and requests as a copy (context_carrier.h).
struct TraceContext {
  TraceId trace_id;        ///< all zero: there is no trace, only ids and baggage
  SpanId span_id;          ///< what runs; 0 when no span of the trace is known yet
  SpanId parent_span_id;   ///< 0 for the first span, and where it is not known
  std::uint8_t flags = 0;  ///< kSampledFlag, kRandomTraceIdFlag
  Tracestate tracestate{};
  Baggage baggage{};
  CorrelationIds ids{};

  bool operator==(const TraceContext&) const = default;
  [[nodiscard]] bool has_trace() const { return trace_id != TraceId(); }

  /// A new trace without a span, sampled: Weir records every run.
  [[nodiscard]] static TraceContext start();
  /// What is current in this thread; without a trace and empty when nothing is.
  [[nodiscard]] static TraceContext capture();
  /// The same trace with a new span whose parent is this one. Without a trace, a new one's first.
  [[nodiscard]] TraceContext child_span() const;
  /// Makes it current in this thread while the scope lives.
  [[nodiscard]] ContextScope activate() const;

  /// CorrelationIds::to_object with the trace's `trace_id`, `span_id` and `parent_span_id`.
  [[nodiscard]] json::Object to_object() const;
  /// `runContext` of PaperKit: runId, startedAt, session, workflow, trace, and `context` with
  /// currentStep, previousSteps and the extra ids. What is not known is left out.
  [[nodiscard]] json::Object run_context() const;
};

/// What is current in this thread; null when nothing is.
[[nodiscard]] std::shared_ptr<const TraceContext> current_context();

/// Makes a context current in this thread from its construction to its destruction, then what was
/// current before. Scopes nest. Each ends in the thread that opened it, the last opened first;
/// otherwise the process is stopped. So none may be open across a `co_await`: see `resume_on`.
class [[nodiscard]] ContextScope {
 public:
  explicit ContextScope(TraceContext context);
  /// Null: nothing is current.
  explicit ContextScope(std::shared_ptr<const TraceContext> context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  std::shared_ptr<const TraceContext> before_;
  ContextScope* enclosing_;
};

/// Of the current context. Setting makes a changed copy current until the innermost scope ends, or
/// for good where there is none. Errors: kInvalidInput for what is not an id (is_id).
[[nodiscard]] Result<void> set_correlation_id(std::string_view id);
[[nodiscard]] std::string correlation_id();
/// What it is; when there is none, a new UUID that it is from now on.
std::string ensure_correlation_id();

/// `function` with `context` current while it runs, for another thread to call.
template <class Function>
[[nodiscard]] auto bind(std::shared_ptr<const TraceContext> context, Function function) {
  // Constrained: whoever only asks whether it takes a stop token (std::jthread) is told no.
  return [context = std::move(context), function = std::move(function)]<class... Arguments>(
             Arguments&&... arguments) mutable -> decltype(auto)
           requires std::invocable<Function&, Arguments...>
  {
    const ContextScope scope(context);
    return std::invoke(function, std::forward<Arguments>(arguments)...);
  };
}

/// The same with what is current now.
template <class Function>
[[nodiscard]] auto bind(Function function) {
  return bind(current_context(), std::move(function));
}

template <class Post>
class ResumeOn {
 public:
  ResumeOn(Post post, std::shared_ptr<const TraceContext> context)
      : post_(std::move(post)), context_(std::move(context)) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    // Once posted, the coroutine may be gone before `post` returns, and this object with it.
    auto post = std::move(post_);
    post(bind(std::move(context_), [coroutine] { coroutine.resume(); }));
  }
  void await_resume() const noexcept {}

 private:
  Post post_;
  std::shared_ptr<const TraceContext> context_;
};

/// `co_await resume_on(post)` goes on with a coroutine where `post` runs what it is given, a
/// copyable function without arguments; what was current stays current, in whatever thread that is:
///
///   current: A │ co_await resume_on(pool) │ current: A │ co_await resume_on(pool, b) │ current: b
///   thread 1   │                          │ thread 2   │                             │ thread 3
///
/// Each thread has back what was current in it as soon as the coroutine suspends or ends. Whoever
/// resumes coroutines in another way does it with `bind([coroutine] { coroutine.resume(); })`,
/// bound when the coroutine suspends.
template <class Post>
[[nodiscard]] ResumeOn<Post> resume_on(Post post) {
  return {std::move(post), current_context()};
}
/// The same, and from there on the coroutine's context is `context`.
template <class Post>
[[nodiscard]] ResumeOn<Post> resume_on(Post post, TraceContext context) {
  return {std::move(post), std::make_shared<const TraceContext>(std::move(context))};
}

}  // namespace weir::record
