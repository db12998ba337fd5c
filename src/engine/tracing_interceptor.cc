#include "engine/tracing_interceptor.h"

#include "record/context.h"

namespace weir::engine {

void TracingInterceptor::around(Attempt& attempt, Next& next) {
  ObservedSpan span{.name = "stage." + std::string(attempt.node_id),
                    .attempt = attempt.number,
                    .started_at = attempt.clock.now()};
  if (const auto context = record::current_context()) {
    span.trace_id = context->trace_id;
    span.span_id = context->span_id;
    span.parent_span_id = context->parent_span_id;
  }
  const auto start = attempt.clock.monotonic();
  const auto& outcome = next.run();
  span.duration_ms = milliseconds_since(attempt.clock, start);
  span.status = status_of(attempt, outcome);
  if (!outcome) span.error_type = outcome.error().type;
  const std::lock_guard lock(mutex_);
  spans_.push_back(std::move(span));
  if (spans_.size() <= kMaxSpans) return;
  spans_.pop_front();
  ++dropped_;
}

std::vector<ObservedSpan> TracingInterceptor::spans() const {
  const std::lock_guard lock(mutex_);
  return {spans_.begin(), spans_.end()};
}

std::uint64_t TracingInterceptor::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace weir::engine
