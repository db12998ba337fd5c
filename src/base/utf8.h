#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::utf8 {

/// U+FFFD, what stands for bytes that are not UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The length of the valid sequence (RFC 3629: no surrogates, no overlong forms) that `text` begins
/// with, 0 when there is none.
[[nodiscard]] std::size_t sequence_length(std::string_view text);

/// The offset of the first byte that is not part of a valid sequence; nothing when all is valid.
[[nodiscard]] std::optional<std::size_t> first_invalid(std::string_view text);

/// `text` cut to at most `size` bytes, not inside a sequence.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t size);

}  // namespace weir::utf8
