#include "project/observed_span.h"

#include <cmath>

namespace weir::project {

using event::Field;

ObservedSpan ObservedSpan::of(const event::EventView& event) {
  constexpr double kLongestMs = 1e13;  // a duration of centuries is none
  ObservedSpan span{.started_at = event.timestamp(),
                    .is_of_trace = event.text(Field::kSource) == "otlp"};
  const auto duration_ms = event.number(Field::kDurationMs);
  if (!duration_ms) return span;
  if (*duration_ms >= 0 && *duration_ms <= kLongestMs) {
    span.started_at -=
        std::chrono::microseconds(static_cast<std::int64_t>(std::round(*duration_ms * 1000)));
  }
  span.ended_at = event.timestamp();
  const auto level = event.text(Field::kLevel);
  span.state = level == "ERROR" || level == "FATAL" ? State::kFailed : State::kCompleted;
  return span;
}

}  // namespace weir::project
