#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ingest/event_key.h"

namespace weir::ingest {

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
  using Slots = std::vector<EventKey>;
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
