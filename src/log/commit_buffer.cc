#include "log/commit_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/hash.h"

namespace weir::log {
namespace {

/// Gets the pages of memory that is about to be written to: together they take half as long as one
/// after the other. Whatever it cannot do is done then.
void get_pages([[maybe_unused]] char* begin, [[maybe_unused]] std::size_t size) {
#ifdef MADV_POPULATE_WRITE  // Linux 5.14
  static_cast<void>(::madvise(begin, size, MADV_POPULATE_WRITE));
#endif
}

}  // namespace

void CommitBuffer::append(std::string_view lines) {
  if (lines.empty()) return;
  std::memcpy(room(lines.size()), lines.data(), lines.size());
  add(lines.size());
}

void CommitBuffer::sum_up() {
  // What crc32c takes in its fastest way.
  constexpr std::size_t kPiece = 6144;
  const auto size = (size_ - summed_) / kPiece * kPiece;
  sum_ = crc32c(view().substr(summed_, size), sum_);
  summed_ += size;
}

std::uint32_t CommitBuffer::checksum() const { return crc32c(view().substr(summed_), sum_); }

void CommitBuffer::grow(std::size_t size) {
  // More than most commits: to grow means to copy, and room that is not used takes no memory.
  constexpr std::size_t kFirst = std::size_t{2} << 20;
  const auto wanted = std::max({size, 2 * capacity_, kFirst});
  const auto capacity = (wanted + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
  std::unique_ptr<char, Free> bytes(
      static_cast<char*>(::operator new(capacity, std::align_val_t(kDirectAlignment))));
  // A run of a few dozen nodes needs no more.
  constexpr std::size_t kBeyond = std::size_t{64} << 10;
  get_pages(bytes.get(), std::min(size + kBeyond, capacity));
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void CommitBuffer::swap(CommitBuffer& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(capacity_, other.capacity_);
  std::swap(size_, other.size_);
  std::swap(summed_, other.summed_);
  std::swap(sum_, other.sum_);
}

}  // namespace weir::log
