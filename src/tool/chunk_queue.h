#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tool/stream_event.h"

namespace weir::tool {

/// What a writer meets when the queue is full.
enum class OnFull : std::uint8_t {
  kBlock,       ///< it waits until there is room
  kDropNewest,  ///< its chunk is dropped
  kDropOldest,  ///< the chunk that has waited longest is dropped for it
  kError,       ///< its call fails
};

struct StreamOptions {
  int capacity = 100;  ///< in chunks, at least 1
  OnFull on_full = OnFull::kBlock;
  bool operator==(const StreamOptions&) const = default;
};

/// A larger chunk is refused: a queue holds at most this much times its capacity.
inline constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 20;

struct Chunk {
  std::int64_t frame_index = 0;  ///< its number in the stream, from 0, those dropped included
  std::string bytes;
  bool operator==(const Chunk&) const = default;
};

/// What became of a chunk.
enum class Put : std::uint8_t {
  kQueued,
  kDropped,  ///< it was, because the queue is full; the stream goes on
  kClosed,   ///< the reader needs no more
};

/// Every chunk is read, dropped, or left when the reader has ended.
struct StreamStatistics {
  std::int64_t total_items = 0;    ///< that writers have put, those dropped included
  std::int64_t dropped_items = 0;  ///< since there was no room
  std::int64_t read_items = 0;
  std::int64_t blocked_puts = 0;  ///< that took longer than kBlockedAfter
  double total_blocked_ms = 0;
  std::int64_t max_queue_size = 0;  ///< that there ever was
  std::int64_t queue_size = 0;
  bool throttled = false;
  bool operator==(const StreamStatistics&) const = default;
};

/// A bounded queue of chunks between those who write a stream and those who read it.
///
///   writer ── put ──► [ chunks, at most `capacity` ] ── get ──► reader
///          ── close                                   stop_reading ──
///
/// Events   `stream_chunk_dropped` and `stream_producer_blocked` (of puts that took longer than
///          kBlockedAfter) name their chunk's frame_index; `stream_throttle_started` when it is
///          filled to kHighWater, `…_ended` when it has emptied to kLowWater; `stream_queue_closed`
///          once, with the totals, before a reader can see the end.
/// End      After `close` readers get what is left, and then nothing. After `fail` they get what is
///          left and then the error, and writers the error. After `stop_reading` puts are answered
///          kClosed. Whoever waits is woken. The first of `close` and `fail` counts.
/// Threads  Any, any number on both sides.
class ChunkQueue {
 public:
  static constexpr std::chrono::milliseconds kBlockedAfter{1};
  static constexpr double kHighWater = 80;  ///< percent of the capacity
  static constexpr double kLowWater = 20;

  /// `clock` outlives it. `on_event` must not use this queue.
  ChunkQueue(StreamOptions options, const Clock& clock, StreamEventSink on_event = {});

  /// Errors: kInvalidInput for a chunk over kMaxChunkBytes; kExhausted when it is full and
  /// `on_full` is kError; kCancelled when `stop` is requested; that of `fail`.
  [[nodiscard]] Result<Put> put(std::string bytes, const std::stop_token& stop = {});
  /// Waits for a chunk; nothing: the stream has ended. Errors: kCancelled when `stop` is requested;
  /// that of `fail`.
  [[nodiscard]] Result<std::optional<Chunk>> get(const std::stop_token& stop = {});
  /// The same without waiting: nothing when there is none now.
  [[nodiscard]] Result<std::optional<Chunk>> try_get();

  /// The stream is complete.
  void close();
  /// It will never be.
  void fail(Error error);
  /// Who reads needs no more; what is left stays unread.
  void stop_reading();

  [[nodiscard]] StreamStatistics statistics() const;

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };
  using Lock = std::unique_lock<std::mutex>;
  using Events = std::vector<StreamEvent>;

  [[nodiscard]] Result<Put> put_locked(Lock& lock, std::string bytes, const std::stop_token& stop,
                                       Events& events);
  [[nodiscard]] std::chrono::nanoseconds wait_for_room(Lock& lock, const std::stop_token& stop);
  void note_blocked(std::int64_t frame, std::chrono::nanoseconds blocked, Events& events);
  void drop(std::int64_t frame, std::string_view reason, Events& events);
  [[nodiscard]] Result<std::optional<Chunk>> take(Lock lock);
  void note_fill(Events& events);
  void end(std::string_view reason, std::optional<Error> error);
  [[nodiscard]] bool is_full() const { return chunks_.size() >= capacity_; }
  [[nodiscard]] bool is_over() const { return state_ != State::kOpen; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(chunks_.size()); }

  const std::size_t capacity_;
  const OnFull on_full_;
  const Clock& clock_;
  StreamEvents events_;

  mutable std::mutex mutex_;
  std::condition_variable_any readable_;
  std::condition_variable_any writable_;
  std::deque<Chunk> chunks_;  // guarded by mutex_, as is the rest
  State state_ = State::kOpen;
  bool is_read_ = true;  // somebody still wants to read
  std::optional<Error> error_;
  StreamStatistics statistics_;
};

}  // namespace weir::tool
