#include "export/printable.h"

#include <algorithm>

#include "base/utf8.h"

namespace weir::exporting {
namespace {

/// C0, delete and C1, as one or two bytes of UTF-8.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

}  // namespace

std::string printable(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line;
  while (!text.empty()) {
    const auto size = utf8::sequence_length(text);
    if (size == 0) {
      line += utf8::kReplacement;
    } else if (is_control(text.substr(0, size))) {
      const auto last = static_cast<unsigned char>(text[size - 1]);
      line.append("\\x") += kDigits[last >> 4U];
      line += kDigits[last & 15U];
    } else {
      line += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return line;
}

}  // namespace weir::exporting
