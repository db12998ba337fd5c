#include <utility>

#include "embed/state.h"
#include "embed_engine/call_state.h"
#include "tool/jitter_buffer.h"
#include "tool/stream.h"

namespace weir {

using embed::to_status;

std::string_view StreamReader::node_id() const noexcept { return end_->node_id(); }

StatusOr<std::optional<StreamChunk>> StreamReader::read() noexcept {
  auto chunk = end_->get();
  if (!chunk) return to_status(chunk.error());
  auto& got = *chunk;
  if (!got) return std::optional<StreamChunk>();
  return std::optional(
      StreamChunk{.frame_index = got->frame_index, .bytes = std::move(got->bytes)});
}

void StreamReader::stop() noexcept { end_->stop(); }

static_assert(StreamWriter::kMaxChunkBytes == tool::kMaxChunkBytes);

std::string_view StreamWriter::node_id() const noexcept { return end_->node_id(); }

StatusOr<StreamWrite> StreamWriter::write(std::string bytes) noexcept {
  const auto put = end_->put(std::move(bytes));
  if (!put) return to_status(put.error());
  switch (*put) {
    case tool::Put::kQueued:
      return StreamWrite::kQueued;
    case tool::Put::kDropped:
      return StreamWrite::kDropped;
    case tool::Put::kClosed:
      break;
  }
  return StreamWrite::kClosed;
}

void StreamWriter::close() noexcept { end_->close(); }

std::vector<StreamReader> ToolCall::streams_in() const {
  const auto& ends = state_->call().streams_in;
  return {ends.begin(), ends.end()};
}

std::vector<StreamWriter> ToolCall::streams_out() const {
  const auto& ends = state_->call().streams_out;
  return {ends.begin(), ends.end()};
}

std::optional<StreamReader> ToolCall::stream_in(std::string_view from) const noexcept {
  const auto* end = state_->call().stream_in(from);
  return end == nullptr ? std::nullopt : std::optional<StreamReader>(*end);
}

std::optional<StreamWriter> ToolCall::stream_out(std::string_view to) const noexcept {
  const auto* end = state_->call().stream_out(to);
  return end == nullptr ? std::nullopt : std::optional<StreamWriter>(*end);
}

StatusOr<JitterBuffer> JitterBuffer::make(ToolCall& call, JitterOptions options) noexcept {
  const bool has_sound =
      options.sample_rate_hz > 0 && options.channels > 0 && options.bytes_per_sample > 0;
  if (!has_sound || options.target.count() <= 0 || options.max < options.target) {
    return Status(StatusCode::kInvalidInput,
                  "a jitter buffer has a sample rate, channels and bytes a sample above 0, and a "
                  "target above 0 and up to its maximum");
  }
  return JitterBuffer(std::make_unique<tool::JitterBuffer>(
      tool::JitterOptions{.target = options.target,
                          .max = options.max,
                          .format = {.sample_rate_hz = options.sample_rate_hz,
                                     .channels = options.channels,
                                     .bytes_per_sample = options.bytes_per_sample}},
      call.state_->call().stream_event));
}

JitterBuffer::JitterBuffer(std::unique_ptr<tool::JitterBuffer> buffer) noexcept
    : buffer_(std::move(buffer)) {}
JitterBuffer::JitterBuffer(JitterBuffer&& other) noexcept = default;
JitterBuffer& JitterBuffer::operator=(JitterBuffer&& other) noexcept = default;
JitterBuffer::~JitterBuffer() = default;

Status JitterBuffer::add(std::string_view sound) noexcept { return to_status(buffer_->add(sound)); }

std::string JitterBuffer::read(std::chrono::milliseconds duration) noexcept {
  return buffer_->read(duration);
}

bool JitterBuffer::is_ready() const noexcept { return buffer_->is_ready(); }

JitterStatistics JitterBuffer::statistics() const noexcept {
  const auto now = buffer_->statistics();
  return {.buffered_bytes = now.buffered_bytes,
          .buffer_duration_ms = now.buffer_duration_ms,
          .received_bytes = now.received_bytes,
          .read_bytes = now.read_bytes,
          .dropped_bytes = now.dropped_bytes,
          .is_ready = now.is_ready,
          .is_underrun = now.is_underrun};
}

}  // namespace weir
