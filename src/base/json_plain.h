#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/json_flat.h"

namespace weir::json {

/// Bytes, all zero, that must follow the text which read_plain gets: no value goes on beyond one,
/// so that it need not ask where the text ends, and looks at sixteen at a time.
inline constexpr std::size_t kPlainPadding = 32;

/// Lists and objects in one another.
inline constexpr int kMaxPlainDepth = 32;

/// Reads the members of an object if it is written as nearly all event lines are: FlatReader's
/// first try. Returns how many there are; nothing: it is no such object, or there are more than
/// `members` has room for.
///
/// It takes nothing that is no JSON, and not all that is: of escapes those of one letter, lists and
/// objects to a depth of kMaxPlainDepth, numbers of at most 19 digits. What it takes it gives as
/// FlatReader should. It does not say what is wrong with a text, nor whether anything is: who asks
/// for that reads it again.
///
/// `text` has `size` bytes and its padding behind them. The members are views into it. Where it has
/// escapes it is written to: what they stand for is put in their place.
[[nodiscard]] std::optional<std::size_t> read_plain(char* text, std::size_t size,
                                                    std::span<FlatMember> members);

}  // namespace weir::json
