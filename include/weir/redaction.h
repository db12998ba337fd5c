#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What an event must not say is masked before anything is written, with a count of it in the
/// attribute `redacted`. Without further words: passwords, keys and tokens everywhere; personal
/// data (mail addresses, card numbers, …) in messages and inputs.
namespace weir {

enum class RedactionKind : std::uint8_t { kSecret, kPersonal };

/// The whole value of a key is masked. `key` is a word, which is met by every key that ends in it
/// whatever the case and the separators ("api_key": "x-api-key", "stripeApiKey"), or a path of such
/// words with dots ("customer.address.*", where * is any key).
struct RedactionKey {
  std::string name{};  ///< in the mask: [a-z][a-z0-9_]*, at most 48 characters
  std::string key{};
  RedactionKind kind = RedactionKind::kSecret;
};

/// `prefix`, then `min_length` to `max_length` characters of `alphabet`, which is written as in a
/// regular expression's brackets ("A-Za-z0-9_-"), are masked wherever they stand.
struct RedactionPattern {
  std::string name{};
  std::string prefix{};
  std::string alphabet{};
  std::size_t min_length = 1;
  std::size_t max_length = 256;
  RedactionKind kind = RedactionKind::kSecret;
};

/// As `redaction:` in weir.yaml.
struct Redaction {
  std::vector<std::string> enable{};         ///< built-in rules that are off: ip_address
  std::vector<std::string> disable{};        ///< others
  std::vector<RedactionKey> keys{};          ///< at most 128
  std::vector<RedactionPattern> patterns{};  ///< at most 64
  /// Secrets of which the value is known: at most 256, of 6 bytes at least.
  std::vector<std::string> literals{};
  /// Empty: "[REDACTED:rule]". Otherwise "[rule:h]", h being 16 digits of HMAC-SHA-256 with this
  /// key: equal values stay equal, so that they can be joined.
  std::string pseudonym_key{};
};

}  // namespace weir
