#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace weir {

/// One execution of a pipeline: a UUID. Ours are version 7 (RFC 9562), so they sort by start.
struct RunId {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const RunId&) const = default;
  /// In the order of their bytes, as of their texts. Inline: millions of events are sorted by it.
  std::strong_ordering operator<=>(const RunId& other) const {
    const auto half = [](const RunId& id, std::size_t at) {
      std::uint64_t value = 0;
      std::memcpy(&value, &id.bytes[at], sizeof value);
      return std::endian::native == std::endian::little ? std::byteswap(value) : value;
    };
    const auto first = half(*this, 0) <=> half(other, 0);
    return first != 0 ? first : half(*this, 8) <=> half(other, 8);
  }

  /// 36 characters, lower case, with dashes.
  [[nodiscard]] std::string text() const;
  /// Any UUID, upper or lower case; nothing for anything else.
  [[nodiscard]] static std::optional<RunId> parse(std::string_view text);
  /// A new version 7 id: 48 bits of milliseconds, then 74 random bits.
  [[nodiscard]] static RunId make(Timestamp now);
};

/// W3C trace context ids: 16 and 8 bytes, never all zero, lower-case hex on the wire.
struct TraceId {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const TraceId&) const = default;

  [[nodiscard]] std::string text() const;
  /// 32 lower-case hex digits, not all of them zero; nothing for anything else.
  [[nodiscard]] static std::optional<TraceId> parse(std::string_view text);
  [[nodiscard]] static TraceId make();
};

struct SpanId {
  std::uint64_t value = 0;
  static constexpr std::size_t kTextSize = 16;
  using Text = std::array<char, kTextSize>;

  bool operator==(const SpanId&) const = default;

  [[nodiscard]] Text text() const;
  /// 16 lower-case hex digits, not all of them zero; nothing for anything else.
  [[nodiscard]] static std::optional<SpanId> parse(std::string_view text);
  [[nodiscard]] static SpanId make();
};

/// 64 random bits from a generator of the calling thread, seeded by the kernel. Not for secrets.
[[nodiscard]] std::uint64_t random_bits();

/// From here on the calling thread's random bits follow from `seed`: for tests that must repeat.
void seed_random_bits(std::uint64_t seed);

/// Lower-case hex of `size` bytes.
[[nodiscard]] std::string to_hex(const std::uint8_t* bytes, std::size_t size);

}  // namespace weir

template <>
struct std::hash<weir::RunId> {
  std::size_t operator()(const weir::RunId& id) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
