#include "config/units.h"

#include <charconv>
#include <iterator>
#include <limits>
#include <span>

namespace weir::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

// The smallest first.
constexpr Unit kDurations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizes[] = {{"B", 1},           {"kB", 1000},        {"KiB", 1ULL << 10},
                           {"MB", 1'000'000},  {"MiB", 1ULL << 20}, {"GB", 1'000'000'000},
                           {"GiB", 1ULL << 30}};

constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return {};
  for (const auto& unit : units) {
    if (std::string_view(stopped, end) != unit.name) continue;
    if (number > kMax / unit.size) return {};
    return number * unit.size;
  }
  return {};
}

std::string write(std::uint64_t number, std::span<const Unit> units) {
  auto unit = units.rbegin();
  while (number % unit->size != 0 || number < unit->size) {
    if (std::next(unit) == units.rend()) break;
    ++unit;
  }
  return std::to_string(number / unit->size).append(unit->name);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto number = parse(text, kDurations);
  if (!number) return {};
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string to_text(std::chrono::milliseconds duration) {
  return write(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse(text, kSizes); }

std::string size_to_text(std::uint64_t bytes) { return write(bytes, kSizes); }

}  // namespace weir::config
