#pragma once

#include "base/result.h"
#include "record/event_bus.h"

namespace weir::record {

/// Where events go beside the log: a console, files, a program's own database.
///
/// Order    Gets the events of a process as they were committed: a sink never has what the log has
///          not.
/// Failure  What a sink returns or throws is counted and reported by whoever feeds it, and harms no
///          run and no other sink.
/// Threads  One call at a time.
class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;

  /// Takes an event; may wait for room. The views are good until it returns.
  [[nodiscard]] virtual Result<void> emit(const Published& event) = 0;
  /// The same, but never waits: false when the event was dropped.
  [[nodiscard]] virtual bool try_emit(const Published& event) { return emit(event).has_value(); }
  /// What was taken so far is where the sink puts it when this returns.
  [[nodiscard]] virtual Result<void> flush() { return {}; }
};

}  // namespace weir::record
