#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers with units as people write them: digits and a unit, nothing else.
namespace weir::config {

/// "5ms", "90s", "10m", "12h", "30d". Nothing for anything else, and for what does not fit.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// With the largest unit that loses nothing. Reads back as the same.
[[nodiscard]] std::string to_text(std::chrono::milliseconds duration);

/// "512B", "10MB" (ten million), "64MiB": kB, MB, GB and KiB, MiB, GiB. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// With the largest unit that loses nothing. Reads back as the same.
[[nodiscard]] std::string size_to_text(std::uint64_t bytes);

}  // namespace weir::config
