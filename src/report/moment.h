#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace weir::report {

/// A moment as people name it, in UTC: "24h" (so long ago; s, m, h, d, w), "today" and "yesterday"
/// (their beginning), "2026-01-05" (its beginning), "2026-01-05 03:00", or RFC 3339. Nothing for
/// anything else.
[[nodiscard]] std::optional<Timestamp> parse_moment(std::string_view text, Timestamp now);

}  // namespace weir::report
