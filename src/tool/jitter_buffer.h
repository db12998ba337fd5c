#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tool/stream_event.h"

namespace weir::tool {

/// Sound as it is: 16 kHz PCM16, one channel, unless it is said otherwise.
struct SoundFormat {
  int sample_rate_hz = 16'000;
  int channels = 1;
  int bytes_per_sample = 2;

  /// One sample of every channel.
  [[nodiscard]] std::size_t frame_bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(bytes_per_sample);
  }
  /// In whole frames.
  [[nodiscard]] std::size_t bytes_of(std::chrono::milliseconds duration) const;
  [[nodiscard]] double milliseconds_of(std::size_t bytes) const;
};

struct JitterOptions {
  std::chrono::milliseconds target{200};  ///< so much should be there before it is played
  std::chrono::milliseconds max{2'000};   ///< more is dropped
  SoundFormat format{};
};

struct JitterStatistics {
  std::size_t buffered_bytes = 0;
  double buffer_duration_ms = 0;
  std::int64_t received_bytes = 0;
  std::int64_t read_bytes = 0;
  std::int64_t dropped_bytes = 0;
  bool is_ready = false;
  bool is_underrun = false;
};

/// Evens out sound that comes in bursts: what is added waits here until it is played.
///
/// Events   `stream_buffer_overflow` when an added chunk (`frame_index`: its number, from 0) did
/// not
///          fit, and the oldest sound was dropped for it, kDropStep at a time;
///          `stream_buffer_underrun` when a read got less than it wanted, once until
///          `stream_buffer_recovered`, when one gets all again.
/// Threads  Any.
class JitterBuffer {
 public:
  static constexpr std::chrono::milliseconds kDropStep{50};

  explicit JitterBuffer(JitterOptions options = {}, StreamEventSink on_event = {});

  /// Errors: kInvalidInput for what is not whole frames.
  [[nodiscard]] Result<void> add(std::string_view sound);
  /// The oldest sound, as much of `duration` as there is.
  [[nodiscard]] std::string read(std::chrono::milliseconds duration);
  /// The target is reached: playing may begin.
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] JitterStatistics statistics() const;

 private:
  [[nodiscard]] std::size_t make_room();
  [[nodiscard]] std::size_t size() const { return sound_.size() - begin_; }
  void take(std::size_t bytes);

  const JitterOptions options_;
  StreamEvents events_;

  mutable std::mutex mutex_;
  std::string sound_;      // guarded by mutex_, as is the rest; from begin_ on
  std::size_t begin_ = 0;  // what is before it has been read
  std::int64_t added_ = 0;
  bool is_underrun_ = false;
  JitterStatistics totals_;
};

}  // namespace weir::tool
