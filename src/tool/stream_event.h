#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "event/catalogue.h"

namespace weir::tool {

/// What happened on a stream: an event of the family `stream`. Whoever records it adds where.
struct StreamEvent {
  event::Type type;
  std::optional<std::int64_t> frame_index{};  ///< of an event of one chunk: which
  std::string_view reason{};                  ///< empty: none
  json::Object attributes{};
};

/// Takes the events of one stream, one call at a time, from the threads that use it; it must not
/// use that stream. Empty: nobody wants them.
using StreamEventSink = std::function<void(const StreamEvent&)>;

/// Hands events to a sink in the order in which they happened to what another mutex guards.
class StreamEvents {
 public:
  explicit StreamEvents(StreamEventSink sink) : sink_(std::move(sink)) {}

  /// Unlocks `state`. Its own lock is taken before that, and so in the order of what happened; a
  /// sink that waits holds up those who have something to report, and nobody else.
  void report(std::unique_lock<std::mutex>& state, std::span<const StreamEvent> events) {
    if (!sink_ || events.empty()) return state.unlock();
    const std::lock_guard order(order_);
    state.unlock();
    for (const auto& event : events) sink_(event);
  }

 private:
  std::mutex order_;
  const StreamEventSink sink_;
};

}  // namespace weir::tool
