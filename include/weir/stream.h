#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/status.h"

/// What nodes that run at the same time hand to each other, chunk by chunk: the edges of a pipeline
/// that have `stream`.
namespace weir {

class ToolCall;
namespace tool {
class JitterBuffer;
class StreamReader;
class StreamWriter;
}  // namespace tool

struct StreamChunk {
  std::int64_t frame_index = 0;  ///< its number in the stream, from 0, those dropped included
  std::string bytes;
};

/// The end of a stream that a node reads: ToolCall::stream_in. Good until the tool returns.
///
/// Threads  Any.
class StreamReader {
 public:
  explicit StreamReader(const tool::StreamReader& end) noexcept : end_(&end) {}

  [[nodiscard]] std::string_view node_id() const noexcept;  ///< who writes
  /// Waits for a chunk; nothing: the stream has ended. Errors: kCancelled when the node is not
  /// wanted any more; why the writer failed.
  [[nodiscard]] StatusOr<std::optional<StreamChunk>> read() noexcept;
  /// No more is needed: the writer is told.
  void stop() noexcept;

 private:
  const tool::StreamReader* end_;
};

/// What became of a chunk.
enum class StreamWrite : std::uint8_t {
  kQueued,
  kDropped,  ///< it was, as the queue is full; the stream goes on
  kClosed,   ///< the reader needs no more, which is no failure
};

/// The end of a stream that a node writes: ToolCall::stream_out. Good until the tool returns, which
/// closes it.
///
/// Threads  Any.
class StreamWriter {
 public:
  static constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 20;

  explicit StreamWriter(const tool::StreamWriter& end) noexcept : end_(&end) {}

  [[nodiscard]] std::string_view node_id() const noexcept;  ///< who reads
  /// Waits for room where the edge says `on_full: block`. Errors: kInvalidInput for a chunk over
  /// kMaxChunkBytes; kExhausted where it says `error` and there is no room; kCancelled when the
  /// node is not wanted any more; why the reader failed.
  [[nodiscard]] StatusOr<StreamWrite> write(std::string bytes) noexcept;
  /// The stream is complete.
  void close() noexcept;

 private:
  const tool::StreamWriter* end_;
};

struct JitterOptions {
  std::chrono::milliseconds target{200};  ///< so much should be there before it is played
  std::chrono::milliseconds max{2'000};   ///< more is dropped
  int sample_rate_hz = 16'000;
  int channels = 1;
  int bytes_per_sample = 2;
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
///          fit, and the oldest sound was dropped for it; `stream_buffer_underrun` when a read got
///          less than it wanted, once until `stream_buffer_recovered`, when one gets all again.
/// Threads  Any, until the tool returns.
class JitterBuffer {
 public:
  /// Its events are the call's. Errors: kInvalidInput for options that are not above 0, or a target
  /// over the maximum.
  [[nodiscard]] static StatusOr<JitterBuffer> make(ToolCall& call,
                                                   JitterOptions options = {}) noexcept;
  JitterBuffer(JitterBuffer&& other) noexcept;
  JitterBuffer& operator=(JitterBuffer&& other) noexcept;
  ~JitterBuffer();

  /// Errors: kInvalidInput for what is not whole samples of all channels.
  Status add(std::string_view sound) noexcept;
  /// The oldest sound, as much of `duration` as there is.
  [[nodiscard]] std::string read(std::chrono::milliseconds duration) noexcept;
  /// The target is reached: playing may begin.
  [[nodiscard]] bool is_ready() const noexcept;
  [[nodiscard]] JitterStatistics statistics() const noexcept;

 private:
  explicit JitterBuffer(std::unique_ptr<tool::JitterBuffer> buffer) noexcept;
  std::unique_ptr<tool::JitterBuffer> buffer_;
};

}  // namespace weir
