#include "server/keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

#include "base/file.h"
#include "base/json.h"
#include "record/correlation_ids.h"

namespace weir::server {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{16} << 20;
constexpr std::size_t kIdDigits = 8;
constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kPrefix = "weir_";
constexpr Scope kScopes[] = {Scope::kRead, Scope::kWrite, Scope::kOperate, Scope::kAdmin};

/// Without characters that need escaping anywhere.
std::string base64url(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63];
  return text;
}

json::Value to_json(const Key& key) {
  const auto time = [](const std::optional<Timestamp>& at) {
    return at ? json::Value(weir::to_string(*at)) : json::Value();
  };
  json::Object object;
  object.set("id", key.id);
  object.set("name", key.name);
  object.set("tenant_id", key.tenant_id);
  object.set("scopes", scopes_text(key.scopes));
  object.set("created_at", weir::to_string(key.created_at));
  object.set("expires_at", time(key.expires_at));
  object.set("revoked_at", time(key.revoked_at));
  object.set("requests_per_second", static_cast<std::int64_t>(key.requests_per_second));
  object.set("sha256", key.secret.text());
  return object;
}

}  // namespace

std::optional<Scopes> parse_scopes(std::string_view text) {
  Scopes scopes = 0;
  while (true) {
    const auto end = std::min(text.find(','), text.size());
    const auto scope = scope_of(text.substr(0, end));
    if (!scope) return {};
    scopes = static_cast<Scopes>(scopes | static_cast<Scopes>(*scope));
    if (end == text.size()) return scopes;
    text.remove_prefix(end + 1);
  }
}

namespace {

std::optional<Key> key_of(const json::Value& value) {
  const auto* object = value.object();
  if (object == nullptr) return {};
  const auto text = [&](std::string_view name) -> const std::string* {
    const auto* member = object->find(name);
    return member == nullptr ? nullptr : member->string();
  };
  const auto time = [&](std::string_view name) -> std::optional<Timestamp> {
    const auto* said = text(name);
    return said == nullptr ? std::nullopt : parse_rfc3339(*said);
  };
  const auto *id = text("id"), *name = text("name"), *tenant = text("tenant_id"),
             *scopes = text("scopes"), *hash = text("sha256");
  const auto created = time("created_at");
  if (id == nullptr || name == nullptr || tenant == nullptr || scopes == nullptr ||
      hash == nullptr || !created) {
    return {};
  }
  const auto parsed_scopes = parse_scopes(*scopes);
  const auto secret = Sha256::parse(*hash);
  if (!parsed_scopes || !secret) return {};
  Key key{.id = *id,
          .name = *name,
          .tenant_id = *tenant,
          .scopes = *parsed_scopes,
          .created_at = *created,
          .expires_at = time("expires_at"),
          .revoked_at = time("revoked_at"),
          .secret = *secret};
  const auto* rate = object->find("requests_per_second");
  const auto* number = rate == nullptr ? nullptr : rate->integer();
  if (number != nullptr && *number > 0)
    key.requests_per_second = static_cast<std::uint64_t>(*number);
  return key;
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::kRead:
      return "read";
    case Scope::kWrite:
      return "write";
    case Scope::kOperate:
      return "operate";
    case Scope::kAdmin:
      return "admin";
  }
  return "";
}

std::optional<Scope> scope_of(std::string_view word) {
  const auto* found =
      std::ranges::find_if(kScopes, [&](Scope scope) { return to_string(scope) == word; });
  if (found == std::end(kScopes)) return {};
  return *found;
}

std::string scopes_text(Scopes scopes) {
  std::string text;
  for (const auto scope : kScopes) {
    if ((scopes & static_cast<Scopes>(scope)) == 0) continue;
    if (!text.empty()) text += ',';
    text += to_string(scope);
  }
  return text;
}

Result<std::vector<Key>> Keys::list() const {
  std::vector<Key> keys;
  const auto text = read_file(file(), kMaxFileBytes, store_.files());
  if (!text && text.error().code == ErrorCode::kNotFound) return keys;
  if (!text) return std::unexpected(text.error());
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::kCorrupt, file().string() + ": " + std::string(what) +
                                         "; put a copy of it back, or remove it and make new keys");
  };
  const auto value = json::parse(*text);
  const auto* object = value ? value->object() : nullptr;
  const auto* all = object == nullptr ? nullptr : object->find("keys");
  if (all == nullptr || all->array() == nullptr) return wrong("no list of keys");
  for (const auto& one : *all->array()) {
    auto key = key_of(one);
    if (!key) return wrong("key " + std::to_string(keys.size() + 1) + " is malformed");
    keys.push_back(*std::move(key));
  }
  return keys;
}

Result<void> Keys::write(const std::vector<Key>& keys) {
  json::Array all;
  for (const auto& key : keys) all.push_back(to_json(key));
  json::Object object;
  object.set("version", std::int64_t{1});
  object.set("keys", std::move(all));
  // Whoever reads the hashes learns nothing, but the names are nobody else's either.
  const OwnersFiles theirs;
  return write_file_durably(file(), json::to_pretty_text(object) + "\n", store_.files());
}

Result<File> Keys::lock() const {
  WEIR_TRY(auto lock, File::open_or_create(store_.root() / "keys.lock", store_.files()));
  WEIR_TRY(lock.lock());
  return lock;
}

Result<NewKey> Keys::create(const KeyRequest& request, Timestamp now) {
  if (!record::is_id(request.name)) {
    return fail(ErrorCode::kInvalidInput,
                "a key's name has 1 to 256 bytes without control characters");
  }
  if (!request.tenant_id.empty() && !record::is_id(request.tenant_id)) {
    return fail(ErrorCode::kInvalidInput, "'" + request.tenant_id + "' is no tenant's id");
  }
  if (request.scopes == 0) return fail(ErrorCode::kInvalidInput, "a key without a scope");
  WEIR_TRY(const auto locked, lock());
  WEIR_TRY(auto keys, list());
  if (keys.size() >= kMaxKeys) {
    return fail(ErrorCode::kInvalidInput, "there are " + std::to_string(kMaxKeys) + " keys");
  }
  std::array<unsigned char, kSecretBytes> secret{};
  if (RAND_bytes(secret.data(), secret.size()) != 1) {
    return fail(ErrorCode::kUnavailable, "the system has no random bytes");
  }
  NewKey made{.key = {.name = request.name,
                      .tenant_id = request.tenant_id,
                      .scopes = request.scopes,
                      .created_at = now,
                      .expires_at = request.expires_at,
                      .requests_per_second = request.requests_per_second}};
  const auto is_taken = [&] {
    return std::ranges::find(keys, made.key.id, &Key::id) != keys.end();
  };
  do {
    const auto id = random_bits();
    made.key.id = to_hex(reinterpret_cast<const std::uint8_t*>(&id), kIdDigits / 2);
  } while (is_taken());
  made.text = std::string(kPrefix) + made.key.id + "_" +
              base64url({reinterpret_cast<const char*>(secret.data()), secret.size()});
  made.key.secret = sha256(made.text);
  keys.push_back(made.key);
  WEIR_TRY(write(keys));
  return made;
}

Result<Key> Keys::revoke(std::string_view name, Timestamp now) {
  WEIR_TRY(const auto locked, lock());
  WEIR_TRY(auto keys, list());
  Key* found = nullptr;
  for (auto& key : keys) {
    if (key.id != name && (key.name != name || key.revoked_at)) continue;
    if (found != nullptr) {
      return fail(ErrorCode::kConflict,
                  "several keys are called '" + std::string(name) + "': give the id of one");
    }
    found = &key;
  }
  if (found == nullptr) {
    return fail(ErrorCode::kNotFound, "there is no key '" + std::string(name) + "' that is good");
  }
  if (found->revoked_at) {
    return fail(ErrorCode::kConflict, "key " + found->id + " was revoked already");
  }
  found->revoked_at = now;
  auto key = *found;
  WEIR_TRY(write(keys));
  return key;
}

/// The file, as it was when it was last looked at.
struct KeyRing::Impl {
  explicit Impl(const log::StoreDirectory& the_store) : keys(the_store), file(the_store.keys()) {}

  /// Which content the file has: it is replaced as a whole.
  struct Stamp {
    ino_t inode = 0;
    std::int64_t size = -1, seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  [[nodiscard]] Stamp stamp() const {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return {};
    return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  }
  Result<void> refresh() {
    const auto now = stamp();
    if (is_read && now == read) return {};
    WEIR_TRY(auto all, keys.list());
    if (all.empty() && !by_id.empty()) {
      return fail(ErrorCode::kCorrupt, file.string() +
                                           ": it had keys, and has none or is gone: "
                                           "nobody is let in before it has some");
    }
    by_id.clear();
    for (auto& key : all) by_id.emplace(key.id, std::move(key));
    read = now;
    is_read = true;
    return {};
  }

  const Keys keys;
  const std::filesystem::path file;
  std::mutex mutex;
  // Guarded by mutex:
  bool is_read = false;
  Stamp read;
  std::unordered_map<std::string, Key> by_id;
};

KeyRing::KeyRing(const log::StoreDirectory& store) : impl_(std::make_unique<Impl>(store)) {}
KeyRing::~KeyRing() = default;

Result<bool> KeyRing::has_any() {
  const std::lock_guard lock(impl_->mutex);
  WEIR_TRY(impl_->refresh());
  return !impl_->by_id.empty();
}

Result<bool> KeyRing::is_good(const std::string& id, Timestamp now) {
  const std::lock_guard lock(impl_->mutex);
  WEIR_TRY(impl_->refresh());
  const auto found = impl_->by_id.find(id);
  return found != impl_->by_id.end() && found->second.is_valid(now);
}

Result<std::optional<Key>> KeyRing::find(std::string_view text, Timestamp now) {
  const std::lock_guard lock(impl_->mutex);
  WEIR_TRY(impl_->refresh());
  if (!text.starts_with(kPrefix) || text.size() < kPrefix.size() + kIdDigits) return std::nullopt;
  const auto found = impl_->by_id.find(std::string(text.substr(kPrefix.size(), kIdDigits)));
  if (found == impl_->by_id.end()) return std::nullopt;
  const auto& key = found->second;
  const auto hash = sha256(text);
  const bool is_right =
      CRYPTO_memcmp(hash.bytes.data(), key.secret.bytes.data(), hash.bytes.size()) == 0;
  if (!is_right || !key.is_valid(now)) return std::nullopt;
  return key;
}

}  // namespace weir::server
