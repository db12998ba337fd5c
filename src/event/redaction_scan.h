#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The one pass over a clean text: where the exact matchers have to look. Internal to redaction.
namespace weir::event::redaction {

inline constexpr unsigned kTokenRun = 16;
inline constexpr unsigned kNumberRun = 11;  // 123-45-6789

/// Where something may be found, one bit a byte, the first lowest. Each bit stands where it is
/// certain that there is enough of it, so that nobody has to look ahead.
struct Triggers {
  std::uint64_t sign = 0;    ///< @ : = +
  std::uint64_t dashes = 0;  ///< the second of two or more dashes
  /// The last of kTokenRun bytes of A-Z a-z 0-9 _ -, of which the first begins a word with a letter
  /// or follows a dot.
  std::uint64_t token = 0;
  /// The last of kNumberRun digits with one space or dash between two, of which the first begins a
  /// number.
  std::uint64_t number = 0;
  std::uint64_t iban = 0;    ///< the second digit after two capitals
  std::uint64_t scheme = 0;  ///< the third letter of a word like "bearer" or "basic": ba?, b?a
  std::uint64_t dotted = 0;  ///< a digit after a digit and a dot

  [[nodiscard]] std::uint64_t any() const {
    return sign | dashes | token | number | iban | scheme | dotted;
  }
  void keep(const Triggers& wanted) {
    sign &= wanted.sign;
    dashes &= wanted.dashes;
    token &= wanted.token;
    number &= wanted.number;
    iban &= wanted.iban;
    scheme &= wanted.scheme;
    dotted &= wanted.dotted;
  }
  bool operator==(const Triggers&) const = default;
};

/// So many bytes are scanned at once.
inline constexpr std::size_t kBlock = 64;
/// No trigger says anything of more bytes before it. A text is scanned in blocks that share so
/// many, and the triggers in these are those of the block before.
inline constexpr std::size_t kShared = kTokenRun;

/// The triggers of a text of 1 to kBlock bytes.
[[nodiscard]] Triggers scan(std::string_view block);
/// The same without vector instructions: for other machines, and to test against.
[[nodiscard]] Triggers scan_portably(std::string_view block);

}  // namespace weir::event::redaction
