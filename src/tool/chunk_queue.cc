#include "tool/chunk_queue.h"

#include <algorithm>
#include <utility>

namespace weir::tool {

using event::Type;

ChunkQueue::ChunkQueue(StreamOptions options, const Clock& clock, StreamEventSink on_event)
    : capacity_(static_cast<std::size_t>(std::max(options.capacity, 1))),
      on_full_(options.on_full),
      clock_(clock),
      events_(std::move(on_event)) {}

namespace {

Error stopped() { return {ErrorCode::kCancelled, "its node is stopped"}; }

}  // namespace

Result<Put> ChunkQueue::put(std::string bytes, const std::stop_token& stop) {
  if (bytes.size() > kMaxChunkBytes) {
    return weir::fail(ErrorCode::kInvalidInput, "the chunk has " + std::to_string(bytes.size()) +
                                                    " bytes, the limit is " +
                                                    std::to_string(kMaxChunkBytes));
  }
  Events events;
  Lock lock(mutex_);
  auto result = put_locked(lock, std::move(bytes), stop, events);
  events_.report(lock, events);
  if (result == Put::kQueued) readable_.notify_one();
  return result;
}

Result<Put> ChunkQueue::put_locked(Lock& lock, std::string bytes, const std::stop_token& stop,
                                   Events& events) {
  const bool waits = on_full_ == OnFull::kBlock && is_full();
  const auto blocked = waits ? wait_for_room(lock, stop) : std::chrono::nanoseconds();
  if (stop.stop_requested()) return std::unexpected(stopped());
  if (error_) return std::unexpected(*error_);
  if (is_over() || !is_read_) return Put::kClosed;
  const auto frame = statistics_.total_items++;
  if (blocked > kBlockedAfter) note_blocked(frame, blocked, events);
  if (is_full() && on_full_ == OnFull::kDropOldest) {
    const auto oldest = chunks_.front().frame_index;
    chunks_.pop_front();
    drop(oldest, "overflow", events);
  } else if (is_full()) {
    drop(frame, "queue_full", events);
    if (on_full_ == OnFull::kDropNewest) return Put::kDropped;
    return weir::fail(ErrorCode::kExhausted,
                      "the stream is full: " + std::to_string(capacity_) + " chunks wait");
  }
  chunks_.push_back({.frame_index = frame, .bytes = std::move(bytes)});
  statistics_.max_queue_size = std::max(statistics_.max_queue_size, size());
  note_fill(events);
  return Put::kQueued;
}

/// Or for the end. Returns how long it took.
std::chrono::nanoseconds ChunkQueue::wait_for_room(Lock& lock, const std::stop_token& stop) {
  const auto start = clock_.monotonic();
  writable_.wait(lock, stop, [this] { return !is_full() || is_over() || !is_read_; });
  return clock_.monotonic() - start;
}

void ChunkQueue::note_blocked(std::int64_t frame, std::chrono::nanoseconds blocked,
                              Events& events) {
  const auto blocked_ms = std::chrono::duration<double, std::milli>(blocked).count();
  ++statistics_.blocked_puts;
  statistics_.total_blocked_ms += blocked_ms;
  StreamEvent event{.type = Type::kStreamProducerBlocked, .frame_index = frame};
  event.attributes.set("blocked_ms", blocked_ms);
  event.attributes.set("queue_size", size());
  events.push_back(std::move(event));
}

void ChunkQueue::drop(std::int64_t frame, std::string_view reason, Events& events) {
  ++statistics_.dropped_items;
  StreamEvent event{.type = Type::kStreamChunkDropped, .frame_index = frame, .reason = reason};
  event.attributes.set("queue_size", size());
  event.attributes.set("max_size", static_cast<std::int64_t>(capacity_));
  events.push_back(std::move(event));
}

Result<std::optional<Chunk>> ChunkQueue::get(const std::stop_token& stop) {
  Lock lock(mutex_);
  readable_.wait(lock, stop,
                 [this] { return !chunks_.empty() || !is_read_ || state_ == State::kClosed; });
  if (stop.stop_requested()) return std::unexpected(stopped());
  return take(std::move(lock));
}

Result<std::optional<Chunk>> ChunkQueue::try_get() { return take(Lock(mutex_)); }

Result<std::optional<Chunk>> ChunkQueue::take(Lock lock) {
  const bool has_chunk = !chunks_.empty() && is_read_;
  if (!has_chunk && error_) return std::unexpected(*error_);
  if (!has_chunk) return std::optional<Chunk>();
  std::optional chunk = std::move(chunks_.front());
  chunks_.pop_front();
  ++statistics_.read_items;
  Events events;
  note_fill(events);
  events_.report(lock, events);
  writable_.notify_one();
  return chunk;
}

/// Between the two marks it stays as it is, so that a stream does not report every chunk.
void ChunkQueue::note_fill(Events& events) {
  const auto fill = 100.0 * static_cast<double>(size()) / static_cast<double>(capacity_);
  const bool throttled = statistics_.throttled ? fill > kLowWater : fill >= kHighWater;
  if (throttled == statistics_.throttled) return;
  statistics_.throttled = throttled;
  StreamEvent event{.type = throttled ? Type::kStreamThrottleStarted : Type::kStreamThrottleEnded};
  event.attributes.set("fill_percentage", fill);
  event.attributes.set("queue_size", size());
  events.push_back(std::move(event));
}

void ChunkQueue::close() { end("end_of_stream", {}); }

void ChunkQueue::fail(Error error) {
  const bool cancelled = error.code == ErrorCode::kCancelled;
  end(cancelled ? "cancelled" : "failed", std::move(error));
}

void ChunkQueue::end(std::string_view reason, std::optional<Error> error) {
  Lock lock(mutex_);
  if (is_over()) return;
  if (!error && !is_read_) reason = "reader_ended";
  state_ = State::kClosing;  // nothing is put any more: the totals stay
  error_ = std::move(error);
  const auto& totals = statistics_;
  StreamEvent event{.type = Type::kStreamQueueClosed, .reason = reason};
  event.attributes.set("total_items", totals.total_items);
  event.attributes.set("dropped_items", totals.dropped_items);
  event.attributes.set("blocked_puts", totals.blocked_puts);
  event.attributes.set("max_queue_size", totals.max_queue_size);
  event.attributes.set("total_blocked_ms", totals.total_blocked_ms);
  events_.report(lock, {&event, 1});
  lock.lock();
  state_ = State::kClosed;
  lock.unlock();
  readable_.notify_all();
  writable_.notify_all();
}

void ChunkQueue::stop_reading() {
  {
    const std::lock_guard lock(mutex_);
    is_read_ = false;
  }
  readable_.notify_all();
  writable_.notify_all();
}

StreamStatistics ChunkQueue::statistics() const {
  const std::lock_guard lock(mutex_);
  auto statistics = statistics_;
  statistics.queue_size = size();
  return statistics;
}

}  // namespace weir::tool
