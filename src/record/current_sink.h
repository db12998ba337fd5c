#pragma once

#include <memory>

#include "record/event_sink.h"

/// The sink that code without one of its own gives events to (stageflow's set_event_sink and
/// get_event_sink): the thread's, where a scope has set one, or else the process's.
///
/// Threads  All functions from any thread. A sink is called by one thread at a time: where several
///          may find it here, let it be a BufferedSink, which takes calls from any thread.
namespace weir::record {

/// Sets the process's. No sink: as clear_event_sink. Must not be waiting for anything when the
/// process ends: clear it, or stop it, before main returns.
void set_event_sink(std::shared_ptr<EventSink> sink);
/// The process's is the NullSink again, as in the beginning.
void clear_event_sink();
/// Never null.
[[nodiscard]] std::shared_ptr<EventSink> get_event_sink();

/// Sets the calling thread's sink as long as it lives; no sink: the NullSink. Scopes may stand in
/// one another, and end in that order on the thread that began them; threads begun meanwhile do not
/// inherit it.
class ScopedEventSink {
 public:
  explicit ScopedEventSink(std::shared_ptr<EventSink> sink);
  ~ScopedEventSink();
  ScopedEventSink(const ScopedEventSink&) = delete;
  ScopedEventSink& operator=(const ScopedEventSink&) = delete;

 private:
  std::shared_ptr<EventSink> before_;
};

}  // namespace weir::record
