#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::fuzz {

/// Makes choices from the bytes of an input, from the front, so that seeds can be written by hand.
/// After its end every choice is 0.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  /// From 0 to `limit` - 1, at most 255.
  std::size_t below(std::size_t limit) { return take<unsigned char>() % limit; }
  bool coin() { return below(2) == 1; }

  /// The next bytes as they are in memory.
  template <class T>
  T take() {
    T value{};
    const auto bytes = text(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  std::string_view text(std::size_t size) {
    const auto text = bytes_.substr(0, size);
    bytes_.remove_prefix(text.size());
    return text;
  }

 private:
  std::string_view bytes_;
};

}  // namespace weir::fuzz
