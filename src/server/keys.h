#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"

/// Who may ask the server for what. Format of the file: docs/formats/keys.md.
namespace weir::server {

/// What a key is good for. Each stands for itself: operate is not write.
enum class Scope : std::uint8_t {
  kRead = 1,     ///< everything that is only looked at
  kWrite = 2,    ///< ingest
  kOperate = 4,  ///< starting runs, signals, reviews
  kAdmin = 8,    ///< everything
};
using Scopes = std::uint8_t;

[[nodiscard]] inline bool allows(Scopes scopes, Scope scope) {
  return (scopes & (static_cast<Scopes>(scope) | static_cast<Scopes>(Scope::kAdmin))) != 0;
}
[[nodiscard]] std::string_view to_string(Scope scope);
[[nodiscard]] std::optional<Scope> scope_of(std::string_view word);
/// "read,write"
[[nodiscard]] std::string scopes_text(Scopes scopes);
[[nodiscard]] std::optional<Scopes> parse_scopes(std::string_view text);

/// A key as it is kept: without its secret.
struct Key {
  std::string id;  ///< eight hex digits, no secret
  std::string name;
  std::string tenant_id;  ///< whose data it is good for; empty: everybody's, and nobody's
  Scopes scopes = 0;
  Timestamp created_at{};
  std::optional<Timestamp> expires_at{};
  std::optional<Timestamp> revoked_at{};
  std::uint64_t requests_per_second = 0;  ///< 0: as many as come
  Sha256 secret;                          ///< of the whole key

  [[nodiscard]] bool allows(Scope scope) const { return server::allows(scopes, scope); }
  [[nodiscard]] bool is_valid(Timestamp now) const {
    return !revoked_at && (!expires_at || now < *expires_at);
  }
};

/// What a new key is to be.
struct KeyRequest {
  std::string name;
  std::string tenant_id;
  Scopes scopes = static_cast<Scopes>(Scope::kRead);
  std::optional<Timestamp> expires_at{};
  std::uint64_t requests_per_second = 0;
};

/// A new key, and its text, which is nowhere else.
struct NewKey {
  Key key;
  std::string text;  ///< weir_<id>_<43 characters>
};

/// The keys of a store: a file that only its owner may read.
///
/// Threads  One at a time; any number of processes.
class Keys {
 public:
  explicit Keys(log::StoreDirectory store) : store_(std::move(store)) {}

  /// All that ever were, in the order of their making. Errors: kCorrupt, kIo.
  [[nodiscard]] Result<std::vector<Key>> list() const;
  /// What it makes is durable. Errors: kInvalidInput (name or tenant are no id, no scope, more than
  /// kMaxKeys), and those of `list`.
  [[nodiscard]] Result<NewKey> create(const KeyRequest& request, Timestamp now);
  /// By its id or name. Errors: kNotFound; kConflict (several have the name, or it is revoked);
  /// those of `list`.
  [[nodiscard]] Result<Key> revoke(std::string_view name, Timestamp now);

  static constexpr std::size_t kMaxKeys = 10'000;

 private:
  [[nodiscard]] std::filesystem::path file() const { return store_.keys(); }
  [[nodiscard]] Result<void> write(const std::vector<Key>& keys);
  [[nodiscard]] Result<File> lock() const;

  const log::StoreDirectory store_;
};

/// Finds the key of a request in memory, and notices when the file changes.
///
/// Threads Any.
class KeyRing {
 public:
  explicit KeyRing(const log::StoreDirectory& store);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  /// Whether there ever was a key: that they are all revoked or expired lets nobody in. An error of
  /// the file is one of every request, and so is that it has gone: nobody gets in because it cannot
  /// be read.
  [[nodiscard]] Result<bool> has_any();
  /// Whether the key with this id is good now. Errors: those of Keys::list.
  [[nodiscard]] Result<bool> is_good(const std::string& id, Timestamp now);
  /// The key with this text, if it is good now. Errors: those of Keys::list.
  [[nodiscard]] Result<std::optional<Key>> find(std::string_view text, Timestamp now);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace weir::server
