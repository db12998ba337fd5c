#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

namespace weir::log {

/// What a disk takes past the page cache begins and ends at multiples of this, in memory and in the
/// file.
inline constexpr std::size_t kDirectAlignment = 4096;

/// The event lines of one commit, where a disk can take them without a copy.
///
/// Threads  One at a time.
class CommitBuffer {
 public:
  CommitBuffer() = default;
  CommitBuffer(CommitBuffer&& other) noexcept { swap(other); }
  CommitBuffer& operator=(CommitBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~CommitBuffer() = default;

  /// Event lines, each with its newline.
  void append(std::string_view lines);
  /// Where `size` bytes can be written at its end, until the next call; `add` takes those in that
  /// are lines.
  [[nodiscard]] char* room(std::size_t size) {
    if (size > capacity_ - size_) grow(size_ + size);
    return bytes_.get() + size_;
  }
  void add(std::size_t size) { size_ += size; }
  /// Takes what was added into the checksum, nearly to the end, as long as it is in the processor's
  /// cache: so that it need not be read again when the disk waits for it.
  void sum_up();
  /// CRC-32C of all.
  [[nodiscard]] std::uint32_t checksum() const;
  /// Keeps the memory.
  void clear() { size_ = summed_ = sum_ = 0; }
  void swap(CommitBuffer& other) noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Begins at a multiple of kDirectAlignment.
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const {
      ::operator delete(bytes, std::align_val_t(kDirectAlignment));
    }
  };
  void grow(std::size_t size);

  std::unique_ptr<char, Free> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t summed_ = 0;  // so many bytes are in sum_
  std::uint32_t sum_ = 0;
};

}  // namespace weir::log
