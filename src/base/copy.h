#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weir {

/// memcpy for what is mostly short: up to 32 bytes are copied without a call, in one or two
/// overlapping pieces. Returns where the copy ends. `from` may be null when `size` is 0.
template <class To, class From>
inline To* copy_short(To* to, const From* from, std::size_t size) {
  static_assert(sizeof(To) == 1 && sizeof(From) == 1);
  const auto piece = [&]<class Piece>(Piece first) {
    Piece last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
  };
  struct Sixteen {
    std::uint64_t low, high;
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    piece(Sixteen());
  } else if (size >= 8) {
    piece(std::uint64_t{0});
  } else if (size >= 4) {
    piece(std::uint32_t{0});
  } else if (size > 0) {
    const auto first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = static_cast<To>(first);
    to[size / 2] = static_cast<To>(middle);
    to[size - 1] = static_cast<To>(last);
  }
  return to + size;
}

}  // namespace weir
