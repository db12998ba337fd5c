#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "engine/interceptor.h"

namespace weir::engine {

/// The span of an attempt, as the log has it too.
struct ObservedSpan {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  std::string name;  ///< "stage.ID", as stageflow says
  int attempt = 1;
  std::string status;  ///< status_of
  std::string error_type{};
  Timestamp started_at{};
  double duration_ms = 0;
};

/// Keeps the spans of the calls of tools, to be read when their run is over, or before.
///
/// Threads  Any.
class TracingInterceptor final : public Interceptor {
 public:
  static constexpr std::size_t kMaxSpans = 10'000;  ///< the oldest go first

  [[nodiscard]] std::string_view name() const override { return "tracing"; }
  [[nodiscard]] int priority() const override { return priority::kTracing; }
  void around(Attempt& attempt, Next& next) override;

  /// In the order in which they ended.
  [[nodiscard]] std::vector<ObservedSpan> spans() const;
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  mutable std::mutex mutex_;
  std::deque<ObservedSpan> spans_;  // guarded by mutex_, as dropped_
  std::uint64_t dropped_ = 0;
};

}  // namespace weir::engine
