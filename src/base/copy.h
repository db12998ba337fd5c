#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace weir {

/// memcpy for what is mostly short: up to 64 bytes are copied without a call, in one or two
/// overlapping pieces. Returns where the copy ends. `from` may be null when `size` is 0.
template <class To, class From>
inline To* copy_short(To* to, const From* from, std::size_t size) {
  static_assert(sizeof(To) == 1 && sizeof(From) == 1);
  // Together the first and the last so many bytes are all.
  const auto copy_ends = [=]<std::size_t kBytes>(std::integral_constant<std::size_t, kBytes>) {
    std::memcpy(to, from, kBytes);
    std::memcpy(to + size - kBytes, from + size - kBytes, kBytes);
  };
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size > 32) {
    copy_ends(std::integral_constant<std::size_t, 32>());
  } else if (size >= 16) {
    copy_ends(std::integral_constant<std::size_t, 16>());
  } else if (size >= 8) {
    copy_ends(std::integral_constant<std::size_t, 8>());
  } else if (size >= 4) {
    copy_ends(std::integral_constant<std::size_t, 4>());
  } else if (size > 0) {
    const auto first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = static_cast<To>(first);
    to[size / 2] = static_cast<To>(middle);
    to[size - 1] = static_cast<To>(last);
  }
  return to + size;
}

}  // namespace weir
