#include "record/current_sink.h"

#include <mutex>
#include <utility>

#include "record/null_sink.h"

namespace weir::record {
namespace {

using SinkPointer = std::shared_ptr<EventSink>;

SinkPointer or_null_sink(SinkPointer sink) {
  return sink ? std::move(sink) : std::make_shared<NullSink>();
}

struct ProcessSink {
  std::mutex mutex;
  SinkPointer sink = std::make_shared<NullSink>();  // guarded by mutex
};

ProcessSink& process_sink() {
  static ProcessSink process;
  return process;
}

/// Null where no scope has set one.
SinkPointer& thread_sink() {
  thread_local SinkPointer sink;
  return sink;
}

}  // namespace

void set_event_sink(std::shared_ptr<EventSink> sink) {
  auto& process = process_sink();
  // The one before is destroyed after the lock is released: its destructor may wait.
  sink = or_null_sink(std::move(sink));
  const std::lock_guard lock(process.mutex);
  process.sink.swap(sink);
}

void clear_event_sink() { set_event_sink(nullptr); }

std::shared_ptr<EventSink> get_event_sink() {
  if (const auto& own = thread_sink()) return own;
  auto& process = process_sink();
  const std::lock_guard lock(process.mutex);
  return process.sink;
}

ScopedEventSink::ScopedEventSink(std::shared_ptr<EventSink> sink)
    : before_(std::exchange(thread_sink(), or_null_sink(std::move(sink)))) {}

ScopedEventSink::~ScopedEventSink() { thread_sink() = std::move(before_); }

}  // namespace weir::record
