#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// A moment in UTC. Microseconds since 1970-01-01, what events and DuckDB hold.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// "2026-01-31T23:59:59.000001Z" has this many characters.
inline constexpr std::size_t kRfc3339Size = 27;

/// Writes RFC 3339, UTC, microseconds, `Z`: kRfc3339Size characters to `out`, no terminator.
/// Years outside 0000 to 9999 are clamped.
void format_rfc3339(Timestamp time, char* out);
[[nodiscard]] std::string to_string(Timestamp time);

/// Reads an RFC 3339 date-time with any offset; digits beyond microseconds are cut off. Leap
/// seconds (`:60`) are read as the next second. Nothing for anything else.
[[nodiscard]] std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// Where time comes from, so that tests decide what time it is.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// Never goes back; for durations only.
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
};

/// The machine's clocks. The object lives as long as the process.
[[nodiscard]] const Clock& system_clock();

/// The time since `start` (of the same clock's monotonic()), as events give durations.
[[nodiscard]] double milliseconds_since(const Clock& clock, std::chrono::nanoseconds start);

}  // namespace weir
