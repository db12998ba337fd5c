#pragma once

#include "weir/correlation.h"

/// Contexts and coroutines (C++20; without them this header has nothing).
///
/// A ContextScope or a Span must end in its thread before another one that was opened there, so
/// none may be open across a `co_await`. What a coroutine was called with is current in it until it
/// suspends; `resume_on` takes it along:
///
///   current: A │ co_await resume_on(pool) │ current: A │ co_await resume_on(pool, b) │ current: b
///   thread 1   │                          │ thread 2   │                             │ thread 3
///
/// Each thread has back what was current in it as soon as the coroutine suspends or ends. Whoever
/// resumes coroutines in another way does it with `bind(context, [h] { h.resume(); })`, the context
/// captured when the coroutine suspends.
#if defined(__cpp_impl_coroutine)

#include <coroutine>
#include <utility>

namespace weir {

template <class Post>
class ResumeOn {
 public:
  ResumeOn(Post post, TraceContext context)
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
  TraceContext context_;
};

/// Goes on with the coroutine where `post` runs what it is given, a copyable function without
/// arguments; what was current stays current.
template <class Post>
[[nodiscard]] ResumeOn<Post> resume_on(Post post) {
  return {std::move(post), TraceContext::current()};
}
/// The same, and from there on the coroutine's context is `context`.
template <class Post>
[[nodiscard]] ResumeOn<Post> resume_on(Post post, TraceContext context) {
  return {std::move(post), std::move(context)};
}

}  // namespace weir

#endif
