#include "ingest/otlp_known.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir::ingest::otlp {
namespace {

// Most attributes are not known, and each is asked for: the table is so sparse that mostly one look
// says so.
constexpr std::size_t kSlots = 512;
constexpr std::uint8_t kFree = 255;

constexpr std::size_t slot_of(std::string_view key) {
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(key[i])}; };
  const auto last = key.size() - 1;
  return (key.size() * 31 + byte(last) * 7 + byte(key.size() / 2) * 13 + byte(last - 2)) % kSlots;
}

constexpr std::size_t kShortest = 7, kLongest = 34;

constexpr auto kTable = [] {
  std::array<std::uint8_t, kSlots> table{};
  table.fill(kFree);
  for (std::size_t i = 0; i < kKnownCount; ++i) {
    auto slot = slot_of(kKnownKeys[i]);
    while (table[slot] != kFree) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

static_assert(std::ranges::all_of(kKnownKeys, [](std::string_view key) {
  return key.size() >= kShortest && key.size() <= kLongest;
}));

/// Whole, and of 64 bits.
std::optional<std::int64_t> whole(double number) {
  constexpr double kLimit = 9.2e18;
  if (!(std::abs(number) < kLimit) || std::trunc(number) != number) return {};
  return static_cast<std::int64_t>(number);
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<std::int64_t> integer_of(const Scalar& value) {
  switch (value.kind) {
    case Scalar::Kind::kInteger:
      return value.integer;
    case Scalar::Kind::kNumber:
      return whole(value.number);
    case Scalar::Kind::kString:
      return parsed<std::int64_t>(value.text);
    default:
      return {};
  }
}

std::optional<double> number_of(const Scalar& value) {
  std::optional<double> number;
  if (value.kind == Scalar::Kind::kInteger) number = static_cast<double>(value.integer);
  if (value.kind == Scalar::Kind::kNumber) number = value.number;
  if (value.kind == Scalar::Kind::kString) number = parsed<double>(value.text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

std::optional<Known> find_known(std::string_view key) {
  if (key.size() < kShortest || key.size() > kLongest) return {};
  for (auto slot = slot_of(key); kTable[slot] != kFree; slot = (slot + 1) % kSlots) {
    if (kKnownKeys[kTable[slot]] == key) return static_cast<Known>(kTable[slot]);
  }
  return {};
}

std::string_view KnownValues::first_text(List any_of) const {
  for (const auto known : any_of) {
    const auto* value = find(known);
    if (value != nullptr && value->kind == Scalar::Kind::kString && !value->text.empty()) {
      return value->text;
    }
  }
  return {};
}

std::optional<std::int64_t> KnownValues::first_integer(List any_of) const {
  for (const auto known : any_of) {
    const auto* value = find(known);
    if (const auto found = value != nullptr ? integer_of(*value) : std::nullopt) return found;
  }
  return {};
}

std::optional<double> KnownValues::first_number(List any_of) const {
  for (const auto known : any_of) {
    const auto* value = find(known);
    if (const auto found = value != nullptr ? number_of(*value) : std::nullopt) return found;
  }
  return {};
}

}  // namespace weir::ingest::otlp
