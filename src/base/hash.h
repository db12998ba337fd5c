#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"

namespace weir {

/// SHA-256 (FIPS 180-4): the address of content.
struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Sha256&) const = default;
  /// 64 characters, lower case.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<Sha256> parse(std::string_view text);
};

[[nodiscard]] Sha256 sha256(std::string_view bytes);
/// Reads the whole file. Errors: kNotFound, kIo.
[[nodiscard]] Result<Sha256> sha256_of_file(const std::filesystem::path& path,
                                            FileSystem& files = local_files());

/// HMAC-SHA-256 (RFC 2104): a name for `bytes` that nobody without `key` can make or guess.
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

/// CRC-32C (Castagnoli, RFC 3720 B.4). `crc32c(b, crc32c(a))` is that of a followed by b.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace weir
