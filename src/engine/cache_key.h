#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/json.h"

namespace weir::engine {

/// The hashes of a cache: with its secret, so that nobody who sees one can find the value by
/// trying.
class CacheHash {
 public:
  explicit CacheHash(std::string secret) : secret_(std::move(secret)) {}
  /// 64 lower-case hex digits.
  [[nodiscard]] std::string of(std::string_view bytes) const {
    return hmac_sha256(secret_, bytes).text();
  }

 private:
  std::string secret_;
};

/// What an output depends on, as far as Weir knows it: hashes instead of values.
///
/// Format  docs/formats/output-cache.md, version 1.
struct KeyParts {
  using Hashes = std::map<std::string, std::string, std::less<>>;
  std::string tool;     ///< "plugin.tool"
  std::string version;  ///< of the tool
  std::string folder;   ///< what relative paths are relative to
  Hashes with;          ///< by setting
  Hashes input;         ///< by key of the payload
  Hashes files;         ///< by name

  bool operator==(const KeyParts&) const = default;
};

[[nodiscard]] json::Object to_json(const KeyParts::Hashes& hashes);

/// One hash for each member.
[[nodiscard]] KeyParts::Hashes hashes_of(const json::Object& object, const CacheHash& hash);

/// What the output is found by.
[[nodiscard]] std::string key_of(const KeyParts& parts, const CacheHash& hash);

/// Without what is too much to be kept.
[[nodiscard]] KeyParts shortened(KeyParts parts);

/// In words: "settings changed: query; input changed: day, shop". Empty: there is no difference.
[[nodiscard]] std::string difference(const KeyParts& before, const KeyParts& now);

}  // namespace weir::engine
