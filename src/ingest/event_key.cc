#include "ingest/event_key.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace weir::ingest {
namespace {

/// A hash of the family of SipHash (Aumasson and Bernstein, 2012), 128 bits of 1-3 rounds: fast,
/// and not to be aimed at without the key.
class SipHash {
 public:
  SipHash(std::uint64_t key0, std::uint64_t key1)
      : v_{key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d ^ 0xee, key0 ^ 0x6c7967656e657261,
           key1 ^ 0x7465646279746573} {}

  /// Whatever follows stands apart: its length is part of it.
  void add(std::string_view bytes) {
    const auto size = bytes.size();
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) add_word(word_of(bytes.substr(0, 8)));
    add_word(word_of(bytes) | static_cast<std::uint64_t>(size) << 56);
  }

  [[nodiscard]] EventKey end() {
    v_[2] ^= 0xee;
    for (int i = 0; i < 3; ++i) round();
    EventKey key{.high = v_[0] ^ v_[1] ^ v_[2] ^ v_[3]};
    v_[1] ^= 0xdd;
    for (int i = 0; i < 3; ++i) round();
    key.low = v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
    return key;
  }

 private:
  static std::uint64_t word_of(std::string_view bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    return word;
  }
  void add_word(std::uint64_t word) {
    v_[3] ^= word;
    round();
    v_[0] ^= word;
  }
  void round() {
    auto& [a, b, c, d] = v_;
    a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
    c += d, d = std::rotl(d, 16) ^ c;
    a += d, d = std::rotl(d, 21) ^ a;
    c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
  }

  std::array<std::uint64_t, 4> v_;
};

}  // namespace

EventKey EventKey::of(std::string_view tenant, const RunId& run, std::string_view key) {
  static const std::array secret{random_bits(), random_bits()};
  SipHash hash(secret[0], secret[1]);
  hash.add({reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size()});
  hash.add(tenant);
  hash.add(key);
  return hash.end();
}

}  // namespace weir::ingest
