#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/id.h"

namespace weir {
namespace {

class Sha256Stream {
 public:
  Sha256Stream() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    WEIR_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    WEIR_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] Sha256 finish() {
    Sha256 hash;
    WEIR_CHECK(EVP_DigestFinal_ex(context_.get(), hash.bytes.data(), nullptr) == 1);
    return hash;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

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

#ifdef __SSE4_2__

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  std::uint64_t state = ~crc;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
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
