#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

/// Numbers as people read them. Durations: text::duration.
namespace weir::report {

/// "12,345"
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "980 B", "3.4 MB": powers of 1000.
[[nodiscard]] std::string bytes_text(double bytes);
/// "93.3%"; "100%" and "0%" only for all and nothing.
[[nodiscard]] std::string percent(double rate);
/// Three significant figures: "0.125", "7.97 k", "12.3 M".
[[nodiscard]] std::string short_number(double number);
/// "1 run", "12,345 runs"
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);

/// "2026-01-05 03:00:01 UTC"
[[nodiscard]] std::string moment(Timestamp time);
/// "2026-01-05"
[[nodiscard]] std::string date_of(Timestamp time);

}  // namespace weir::report
