#pragma once

#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "ingest/event_key.h"

namespace weir::ingest {

/// Memory in the processor's large pages, where there are such and it is large enough: of small
/// ones, each place that is looked at is a wait for where its page is, too.
template <class T>
struct LargePages {
  using value_type = T;
  static constexpr std::size_t kPage = std::size_t{2} << 20;

  LargePages() = default;
  template <class U>
  explicit LargePages(const LargePages<U>& /*other*/) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const auto size = count * sizeof(T);
    auto* const memory = ::operator new(size, alignment_of(size));
    if (size >= kPage) static_cast<void>(::madvise(memory, size, MADV_HUGEPAGE));
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    ::operator delete(memory, alignment_of(count * sizeof(T)));
  }
  bool operator==(const LargePages& /*other*/) const { return true; }

 private:
  static std::align_val_t alignment_of(std::size_t size) {
    return std::align_val_t(size >= kPage ? kPage : alignof(T));
  }
};

/// Keys of which any may be asked for: millions, far more than the processor's caches hold. Of 64
/// parts, which grow one after the other: nobody waits until all keys are moved.
///
///   key.low  [part: 6 bits][ … ][slot: as many as the part has]
///
/// Threads One at a time.
class KeySet {
 public:
  /// False: it is there already.
  bool insert(const EventKey& key);
  /// Of nothing if it is not there.
  void erase(const EventKey& key);
  /// Asks memory for where the key is or would be, which will be looked at soon. Inline: g++ leaves
  /// out calls of functions that do nothing else.
  [[gnu::always_inline]] void prefetch(const EventKey& key) const {
    const auto& slots = parts_[part_index(key)].slots;
    if (!slots.empty()) __builtin_prefetch(&slots[key.low & (slots.size() - 1)]);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  /// Open addressing, a key in the next free slot after its own. A power of two of them, at most
  /// half of which are taken; none at first. No hash is all zero: so are free slots.
  using Slots = std::vector<EventKey, LargePages<EventKey>>;
  struct Part {
    Slots slots;
    std::size_t size = 0;
  };
  static constexpr unsigned kPartBits = 6;

  [[nodiscard]] Part& part_of(const EventKey& key) { return parts_[part_index(key)]; }
  static std::size_t part_index(const EventKey& key) { return key.low >> (64U - kPartBits); }
  static void grow(Part& part);

  std::array<Part, std::size_t{1} << kPartBits> parts_;
  std::size_t size_ = 0;
};

}  // namespace weir::ingest
