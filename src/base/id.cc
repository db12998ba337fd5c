#include "base/id.h"

#include <pthread.h>
#include <sys/random.h>

#include <bit>
#include <cstring>
#include <random>

#include "base/result.h"

namespace weir {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// What each character is as a digit; -1: none.
constexpr auto kHexDigits = [] {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::int8_t i = 0; i < 16; ++i) {
    digits[static_cast<unsigned char>(kHex[i])] = i;
    if (i >= 10) digits[static_cast<unsigned char>(kHex[i] - 'a' + 'A')] = i;
  }
  return digits;
}();

int hex_digit(char c) { return kHexDigits[static_cast<unsigned char>(c)]; }

/// At most 16 digits.
std::optional<std::uint64_t> parse_lower_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0 || (c >= 'A' && c <= 'F')) return {};
    value = value << 4 | static_cast<unsigned>(digit);
  }
  return value;
}

/// The eight digits at once; in memory the first one stands first.
std::uint64_t hex_of(std::uint32_t value) {
  static_assert(std::endian::native == std::endian::little);
  // Each half, quarter and eighth moves up to twice its place: one digit a byte.
  std::uint64_t digits = value;
  digits = (digits << 16 | digits) & 0x0000'FFFF'0000'FFFF;
  digits = (digits << 8 | digits) & 0x00FF'00FF'00FF'00FF;
  digits = (digits << 4 | digits) & 0x0F0F'0F0F'0F0F'0F0F;
  const auto is_letter = (digits + 0x0606'0606'0606'0606) >> 4 & 0x0101'0101'0101'0101;
  return std::byteswap(digits + 0x3030'3030'3030'3030 + is_letter * ('a' - '0' - 10));
}

std::uint64_t kernel_seed() {
  std::uint64_t seed = 0;
  WEIR_CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

/// Of the calling thread. A forked child must not go on with its parent's: two processes would give
/// out the same ids.
std::uint64_t& random_state() {
  thread_local std::uint64_t state = kernel_seed();
  static const int registered =
      ::pthread_atfork(nullptr, nullptr, [] { random_state() = kernel_seed(); });
  static_cast<void>(registered);
  return state;
}

}  // namespace

std::uint64_t random_bits() {
  // splitmix64: eight bytes of state, two multiplications, passes BigCrush; ids need no more.
  std::uint64_t z = (random_state() += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

void seed_random_bits(std::uint64_t seed) { random_state() = seed; }

std::string to_hex(const std::uint8_t* bytes, std::size_t size) {
  std::string text(size * 2, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[2 * i] = kHex[bytes[i] >> 4];
    text[2 * i + 1] = kHex[bytes[i] & 15];
  }
  return text;
}

std::string RunId::text() const {
  std::string text = to_hex(bytes.data(), bytes.size());
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

std::optional<RunId> RunId::parse(std::string_view text) {
  constexpr std::size_t kSize = 36;
  if (text.size() != kSize) return {};
  RunId id;
  bool is_one = true;
  int digits = 0;  // negative once one is none
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) is_one = text[at++] == '-' && is_one;
    const int byte = hex_digit(text[at]) * 16 | hex_digit(text[at + 1]);
    at += 2;
    digits |= byte;
    id.bytes[i] = static_cast<std::uint8_t>(byte);
  }
  if (!is_one || digits < 0) return {};
  return id;
}

RunId RunId::make(Timestamp now) {
  RunId id;
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  }
  const std::uint64_t high = random_bits(), low = random_bits();
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (high & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(high >> 8);
  std::memcpy(&id.bytes[8], &low, sizeof low);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

std::string TraceId::text() const { return to_hex(bytes.data(), bytes.size()); }

std::optional<TraceId> TraceId::parse(std::string_view text) {
  TraceId id;
  if (text.size() != 2 * id.bytes.size()) return {};
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const auto byte = parse_lower_hex(text.substr(2 * i, 2));
    if (!byte) return {};
    id.bytes[i] = static_cast<std::uint8_t>(*byte);
  }
  return id == TraceId() ? std::nullopt : std::optional(id);
}

TraceId TraceId::make() {
  TraceId id;
  const std::uint64_t halves[2] = {random_bits() | 1, random_bits()};
  std::memcpy(id.bytes.data(), halves, sizeof halves);
  return id;
}

SpanId::Text SpanId::text() const {
  const auto high = hex_of(static_cast<std::uint32_t>(value >> 32));
  const auto low = hex_of(static_cast<std::uint32_t>(value));
  Text text;
  std::memcpy(text.data(), &high, sizeof high);
  std::memcpy(text.data() + sizeof high, &low, sizeof low);
  return text;
}

std::optional<SpanId> SpanId::parse(std::string_view text) {
  if (text.size() != kTextSize) return {};
  const SpanId id{parse_lower_hex(text).value_or(0)};
  return id == SpanId() ? std::nullopt : std::optional(id);
}

SpanId SpanId::make() {
  std::uint64_t value = random_bits();
  while (value == 0) value = random_bits();
  return {value};
}

}  // namespace weir
