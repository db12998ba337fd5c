#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Words in messages for people.
namespace weir::text {

/// ", did you mean 'x'?" with the candidate nearest to `word`, or nothing when none is near. One
/// that begins with `word` is near; two letters in the wrong order are one mistake. Words over 64
/// bytes and candidates after the first 10 000 are not compared.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates);

/// "a, b, c"
[[nodiscard]] std::string join(std::span<const std::string> parts,
                               std::string_view separator = ", ");

/// "1 node", "2 nodes"
[[nodiscard]] std::string count(std::size_t number, std::string_view noun);

/// "813 ms", "12.4 s", "3 min 20 s", "2 h 5 min": three significant figures at the most.
[[nodiscard]] std::string duration(double milliseconds);

/// `text` on one line and harmless to a terminal: white space as spaces, other control characters
/// as
/// `\x1b`, what is not UTF-8 as U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// RFC 4648 with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace weir::text
