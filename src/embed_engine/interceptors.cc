#include "weir/interceptors.h"

#include "engine/idempotency_interceptor.h"
#include "engine/logging_interceptor.h"
#include "engine/metrics_interceptor.h"
#include "engine/tracing_interceptor.h"

namespace weir {
namespace {

/// Empty for none.
std::string text_of(const SpanId& id) {
  if (id == SpanId()) return {};
  const auto text = id.text();
  return {text.begin(), text.end()};
}

}  // namespace

IdempotencyInterceptor::IdempotencyInterceptor() : IdempotencyInterceptor(Options()) {}
IdempotencyInterceptor::IdempotencyInterceptor(Options options)
    : own_(std::make_unique<engine::IdempotencyInterceptor>(
          engine::IdempotencyInterceptor::Options{.ttl = options.ttl,
                                                  .max_entries = options.max_entries,
                                                  .max_bytes = options.max_bytes})) {}
IdempotencyInterceptor::~IdempotencyInterceptor() = default;
std::string_view IdempotencyInterceptor::name() const { return own_->name(); }
int IdempotencyInterceptor::priority() const { return own_->priority(); }
std::size_t IdempotencyInterceptor::size() const { return own_->size(); }
engine::Interceptor* IdempotencyInterceptor::own() noexcept { return own_.get(); }

static_assert(TracingInterceptor::kMaxSpans == engine::TracingInterceptor::kMaxSpans);

TracingInterceptor::TracingInterceptor() : own_(std::make_unique<engine::TracingInterceptor>()) {}
TracingInterceptor::~TracingInterceptor() = default;
std::string_view TracingInterceptor::name() const { return own_->name(); }
int TracingInterceptor::priority() const { return own_->priority(); }
std::uint64_t TracingInterceptor::dropped() const { return own_->dropped(); }
engine::Interceptor* TracingInterceptor::own() noexcept { return own_.get(); }

std::vector<ObservedSpan> TracingInterceptor::spans() const {
  std::vector<ObservedSpan> spans;
  for (auto& span : own_->spans()) {
    spans.push_back({.trace_id = span.trace_id.text(),
                     .span_id = text_of(span.span_id),
                     .parent_span_id = text_of(span.parent_span_id),
                     .name = std::move(span.name),
                     .attempt = span.attempt,
                     .status = std::move(span.status),
                     .error_type = std::move(span.error_type),
                     .started_at = span.started_at,
                     .duration_ms = span.duration_ms});
  }
  return spans;
}

MetricsInterceptor::MetricsInterceptor() : own_(std::make_unique<engine::MetricsInterceptor>()) {}
MetricsInterceptor::~MetricsInterceptor() = default;
std::string_view MetricsInterceptor::name() const { return own_->name(); }
int MetricsInterceptor::priority() const { return own_->priority(); }
engine::Interceptor* MetricsInterceptor::own() noexcept { return own_.get(); }

std::map<std::string, StageMetrics> MetricsInterceptor::stages() const {
  std::map<std::string, StageMetrics> stages;
  for (const auto& [node, stage] : own_->stages()) {
    stages[node] = {.started = stage.started,
                    .ended = {stage.ended.begin(), stage.ended.end()},
                    .errors = {stage.errors.begin(), stage.errors.end()},
                    .avg_duration_ms = stage.duration_ms.average(),
                    .min_duration_ms = stage.duration_ms.min,
                    .max_duration_ms = stage.duration_ms.max};
  }
  return stages;
}

LoggingInterceptor::LoggingInterceptor() : own_(std::make_unique<engine::LoggingInterceptor>()) {}
LoggingInterceptor::~LoggingInterceptor() = default;
std::string_view LoggingInterceptor::name() const { return own_->name(); }
int LoggingInterceptor::priority() const { return own_->priority(); }
engine::Interceptor* LoggingInterceptor::own() noexcept { return own_.get(); }

}  // namespace weir
