#pragma once

#include <chrono>

#include "record/event_bus.h"
#include "record/event_sink.h"

namespace weir::record {

/// Publishes to a bus what it is given: hooks see events that are on disk.
class EventBusSink final : public EventSink {
 public:
  /// `bus` must outlive it. `flush` waits so long for the hooks.
  explicit EventBusSink(EventBus& bus, std::chrono::milliseconds patience = kAsynchronousTimeout)
      : bus_(bus), patience_(patience) {}

  [[nodiscard]] Result<void> emit(const Published& event) override {
    bus_.publish(event.event, event.line);
    return {};
  }
  /// Errors: kUnavailable (hooks are still busy).
  [[nodiscard]] Result<void> flush() override {
    if (bus_.drain(patience_)) return {};
    return fail(ErrorCode::kUnavailable, "the hooks have not done everything within " +
                                             std::to_string(patience_.count()) + " ms");
  }

 private:
  EventBus& bus_;
  const std::chrono::milliseconds patience_;
};

}  // namespace weir::record
