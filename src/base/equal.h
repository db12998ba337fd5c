#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

/// Whether two texts are the same, for those that are mostly short: without a call of memcmp, which
/// takes longer than to compare a name.
inline bool equal_short(std::string_view a, std::string_view b) {
  const auto size = a.size();
  if (size != b.size()) return false;
  const auto differs = [&]<class Word>(Word left, std::size_t at) {
    Word right = 0;
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    return left != right;
  };
  constexpr std::size_t kWord = sizeof(std::uint64_t), kHalf = sizeof(std::uint32_t);
  if (size >= kWord) {
    for (std::size_t at = 0; at + kWord < size; at += kWord) {
      if (differs(std::uint64_t{}, at)) return false;
    }
    return !differs(std::uint64_t{}, size - kWord);
  }
  if (size >= kHalf) return !differs(std::uint32_t{}, 0) && !differs(std::uint32_t{}, size - kHalf);
  return std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace weir
