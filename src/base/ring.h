#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/result.h"

namespace weir {

/// A bounded queue of byte records from one thread to another, without locks or allocation.
///
/// Layout   Records are contiguous and 8-byte aligned: an 8-byte size, then the bytes. One that
///          does not fit before the end of the buffer starts at its beginning; the size kSkip fills
///          the rest.
/// Threads  `reserve` and `publish` on the producer's, `next` and `release` on the consumer's.
/// Not for  more than one producer: give each thread a ring of its own.
class Ring {
 public:
  /// `capacity` in bytes, a power of two.
  explicit Ring(std::size_t capacity)
      : mask_(capacity - 1),
        buffer_(std::make_unique_for_overwrite<std::uint64_t[]>(capacity / 8)) {
    WEIR_CHECK(std::has_single_bit(capacity) && capacity >= 64);
  }

  /// The largest record that is sure to fit into an empty ring, wherever it stands.
  [[nodiscard]] std::size_t max_record() const { return (mask_ + 1) / 2 - kHeader; }

  /// Room for a record of `size` bytes, to be filled before `publish`; null when the ring is full.
  /// A second call before `publish` takes the place of the first.
  [[nodiscard]] std::byte* reserve(std::size_t size) {
    const std::size_t need = kHeader + padded(size);
    std::size_t skip = 0;
    const std::size_t to_end = mask_ + 1 - (written_ & mask_);
    if (need > to_end) skip = to_end;
    if (written_ + skip + need - seen_read_ > mask_ + 1) {
      // Pairs with the release store in `release`: what the consumer read, it is done with.
      seen_read_ = read_.load(std::memory_order_acquire);
      if (written_ + skip + need - seen_read_ > mask_ + 1) return nullptr;
    }
    if (skip > 0) put_size(written_, kSkip);
    reserved_ = written_ + skip;
    return bytes_at(reserved_ + kHeader);
  }

  /// Hands the reserved record over, which may have become smaller: `size` bytes.
  void publish(std::size_t size) {
    put_size(reserved_, size);
    written_ = reserved_ + kHeader + padded(size);
    // Pairs with the acquire load in `next`: the record's bytes are there before its end moves.
    published_.store(written_, std::memory_order_release);
    prefetch();
  }

  /// The oldest record not yet taken, empty-handed (null data) when there is none. It stays valid
  /// until `release`.
  [[nodiscard]] std::span<const std::byte> next() {
    if (taken_ == seen_published_) {
      seen_published_ = published_.load(std::memory_order_acquire);
      if (taken_ == seen_published_) return {};
    }
    if (get_size(taken_) == kSkip) taken_ += mask_ + 1 - (taken_ & mask_);
    const auto size = static_cast<std::size_t>(get_size(taken_));
    const std::span<const std::byte> record(bytes_at(taken_ + kHeader), size);
    taken_ += kHeader + padded(size);
    return record;
  }

  /// Gives the room of every record taken so far back to the producer.
  void release() { read_.store(taken_, std::memory_order_release); }

 private:
  static constexpr std::size_t kHeader = 8;
  static constexpr std::uint64_t kSkip = ~std::uint64_t{0};
  static constexpr std::size_t kCacheLine = 64;

  [[nodiscard]] static std::size_t padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }
  /// Gets the cache lines of the next record, which the consumer has read last: while it is made,
  /// they are on their way. What is asked for beyond the buffer's end does no harm.
  void prefetch() const {
    const auto* const next = bytes_at(written_);
    for (std::size_t i = 0; i < 6; ++i) __builtin_prefetch(next + i * kCacheLine, 1);
  }
  void put_size(std::size_t at, std::uint64_t size) { buffer_[(at & mask_) / 8] = size; }
  [[nodiscard]] std::uint64_t get_size(std::size_t at) const { return buffer_[(at & mask_) / 8]; }
  [[nodiscard]] std::byte* bytes_at(std::size_t at) const {
    return reinterpret_cast<std::byte*>(buffer_.get()) + (at & mask_);
  }

  const std::size_t mask_;
  const std::unique_ptr<std::uint64_t[]> buffer_;

  // The producer's cache line, the consumer's, and one for what each tells the other.
  alignas(kCacheLine) std::size_t written_ = 0;
  std::size_t reserved_ = 0;  // where the reserved record begins
  std::size_t seen_read_ = 0;
  alignas(kCacheLine) std::size_t taken_ = 0;
  std::size_t seen_published_ = 0;
  alignas(kCacheLine) std::atomic<std::size_t> published_{0};
  alignas(kCacheLine) std::atomic<std::size_t> read_{0};
};

}  // namespace weir
