#include "tool/jitter_buffer.h"

#include <algorithm>
#include <utility>

namespace weir::tool {

using event::Type;

std::size_t SoundFormat::bytes_of(std::chrono::milliseconds duration) const {
  const auto frames = std::max<std::int64_t>(duration.count(), 0) * sample_rate_hz / 1000;
  return static_cast<std::size_t>(frames) * frame_bytes();
}

double SoundFormat::milliseconds_of(std::size_t bytes) const {
  return 1000.0 * static_cast<double>(bytes) / static_cast<double>(frame_bytes()) / sample_rate_hz;
}

JitterBuffer::JitterBuffer(JitterOptions options, StreamEventSink on_event)
    : options_(options), events_(std::move(on_event)) {
  const auto& format = options_.format;
  WEIR_CHECK(format.sample_rate_hz > 0 && format.channels > 0 && format.bytes_per_sample > 0);
}

Result<void> JitterBuffer::add(std::string_view sound) {
  if (sound.size() % options_.format.frame_bytes() != 0) {
    return fail(ErrorCode::kInvalidInput,
                std::to_string(sound.size()) + " bytes of sound are not whole samples of " +
                    std::to_string(options_.format.frame_bytes()) + " bytes");
  }
  std::unique_lock lock(mutex_);
  const auto frame = added_++;
  totals_.received_bytes += static_cast<std::int64_t>(sound.size());
  sound_.append(sound);
  const auto dropped = make_room();
  if (dropped == 0) return {};
  StreamEvent event{.type = Type::kStreamBufferOverflow, .frame_index = frame};
  event.attributes.set("bytes_dropped", static_cast<std::int64_t>(dropped));
  event.attributes.set("buffer_duration_ms", options_.format.milliseconds_of(size()));
  event.attributes.set("max_duration_ms", static_cast<std::int64_t>(options_.max.count()));
  events_.report(lock, {&event, 1});
  return {};
}

/// Returns how much was dropped.
std::size_t JitterBuffer::make_room() {
  const auto limit = options_.format.bytes_of(options_.max);
  const auto step = std::max(options_.format.bytes_of(kDropStep), options_.format.frame_bytes());
  std::size_t dropped = 0;
  if (size() > limit) dropped = std::min((size() - limit + step - 1) / step * step, size());
  take(dropped);
  totals_.dropped_bytes += static_cast<std::int64_t>(dropped);
  return dropped;
}

/// Moves what remains only when it is less than what has gone, so that each byte is moved once.
void JitterBuffer::take(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < sound_.size() - begin_) return;
  sound_.erase(0, begin_);
  begin_ = 0;
}

std::string JitterBuffer::read(std::chrono::milliseconds duration) {
  const auto wanted = options_.format.bytes_of(duration);
  std::unique_lock lock(mutex_);
  const auto available = size();
  auto result = sound_.substr(begin_, std::min(wanted, available));
  take(result.size());
  totals_.read_bytes += static_cast<std::int64_t>(result.size());
  const bool is_short = available < wanted;
  if (is_short == is_underrun_ || wanted == 0) return result;
  is_underrun_ = is_short;
  StreamEvent event{.type = is_short ? Type::kStreamBufferUnderrun : Type::kStreamBufferRecovered};
  if (is_short) {
    event.attributes.set("bytes_requested", static_cast<std::int64_t>(wanted));
    event.attributes.set("bytes_available", static_cast<std::int64_t>(available));
  }
  event.attributes.set("buffer_duration_ms", options_.format.milliseconds_of(available));
  events_.report(lock, {&event, 1});
  return result;
}

bool JitterBuffer::is_ready() const { return statistics().is_ready; }

JitterStatistics JitterBuffer::statistics() const {
  const std::lock_guard lock(mutex_);
  auto result = totals_;
  result.buffered_bytes = size();
  result.buffer_duration_ms = options_.format.milliseconds_of(size());
  result.is_ready = size() >= options_.format.bytes_of(options_.target);
  result.is_underrun = is_underrun_;
  return result;
}

}  // namespace weir::tool
