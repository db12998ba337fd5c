#include "base/hash.h"

#include <openssl/hmac.h>

#if defined(__SSE4_2__) && defined(__PCLMUL__)
#define WEIR_HAS_CRC32
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/id.h"
#include "base/sha256_stream.h"

namespace weir {

std::string Sha256::text() const { return to_hex(bytes.data(), bytes.size()); }

std::optional<Sha256> Sha256::parse(std::string_view text) {
  if (text.size() != 64) return {};
  Sha256 hash;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
    if (!digit && !letter) return {};
    auto& byte = hash.bytes[i / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | (digit ? c - '0' : c - 'a' + 10));
  }
  return hash;
}

Sha256 sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.add(bytes);
  return stream.finish();
}

Result<Sha256> sha256_of_file(const std::filesystem::path& path, FileSystem& files) {
  WEIR_TRY(const auto file, File::open_to_read(path, files));
  Sha256Stream stream;
  std::string buffer(std::size_t{1} << 16, '\0');
  for (std::uint64_t offset = 0;;) {
    WEIR_TRY(const auto size, file.read_at(offset, buffer.data(), buffer.size()));
    if (size == 0) return stream.finish();
    stream.add({buffer.data(), size});
    offset += size;
  }
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Sha256 hash;
  unsigned size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  // A null key would mean "the key of the call before" to OpenSSL.
  const char* const key_data = key.empty() ? "" : key.data();
  const auto* made = HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()), data, bytes.size(),
                          hash.bytes.data(), &size);
  WEIR_CHECK(made != nullptr && size == hash.bytes.size());
  return hash;
}

#ifdef WEIR_HAS_CRC32

namespace {

std::uint64_t crc32c_step(std::uint64_t state, const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return _mm_crc32_u64(state, word);
}

/// x to the power of `exponent` modulo the polynomial of CRC-32C, the highest bit first.
consteval std::uint32_t power_of_x(unsigned exponent) {
  std::uint32_t power = 0x80000000U;
  for (; exponent > 0; --exponent) power = power >> 1 ^ (power & 1 ? 0x82f63b78U : 0U);
  return power;
}

/// The state after `kBytes` zero bytes more. (Gopal et al., "Fast CRC computation for iSCSI
/// polynomial using CRC32 instruction", Intel 2011: the product of 32 by 32 bits is one bit short,
/// and CRC32 takes its words times x to the power of 32.)
template <unsigned kBytes>
std::uint64_t after_zeros(std::uint64_t state) {
  const auto factor = _mm_cvtsi32_si128(static_cast<int>(power_of_x(8 * kBytes - 33)));
  const auto product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(state)), factor, 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

}  // namespace

/// The instruction gives its result after three cycles and can begin each cycle: so it runs over
/// three parts at once.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  constexpr unsigned kPart = 2048;
  std::uint64_t state = ~crc;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= std::size_t{3} * kPart; left -= std::size_t{3} * kPart) {
    std::uint64_t second = 0, third = 0;
    for (const char* const end = at + kPart; at != end; at += 8) {
      state = crc32c_step(state, at);
      second = crc32c_step(second, at + kPart);
      third = crc32c_step(third, at + std::size_t{2} * kPart);
    }
    state = after_zeros<2 * kPart>(state) ^ after_zeros<kPart>(second) ^ third;
    at += std::size_t{2} * kPart;
  }
  for (; left >= 8; left -= 8, at += 8) state = crc32c_step(state, at);
  auto small = static_cast<std::uint32_t>(state);
  for (; left > 0; --left, ++at) small = _mm_crc32_u8(small, static_cast<unsigned char>(*at));
  return ~small;
}

#else

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

#endif

}  // namespace weir
