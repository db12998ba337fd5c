#include "engine/output_cache.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/file.h"
#include "base/id.h"
#include "base/json.h"

namespace weir::engine {
namespace {

constexpr std::string_view kHead = "weir-cache 1 ";
constexpr std::string_view kTemporary = ".new-";
constexpr std::size_t kHashDigits = 64;

/// Gives the file these bytes as a whole. Not synced: what a power loss leaves of it is told by its
/// first line.
Result<void> replace(const std::filesystem::path& path, std::string_view bytes,
                     std::filesystem::perms mode, FileSystem& files) {
  const auto temporary = path.string().append(kTemporary) + std::to_string(random_bits());
  WEIR_TRY(auto file, File::create(temporary, files));
  std::error_code ignored;  // then the umask decides
  std::filesystem::permissions(temporary, mode, ignored);
  auto written = file.write(bytes);
  if (written) written = file.rename_to(path);
  if (!written) files.unlink(temporary.c_str());
  return written;
}

/// Empty: there is none, or none that could be one.
std::string read_secret(const std::filesystem::path& path, FileSystem& files) {
  auto text = read_file(path, kHashDigits + 1, files);
  if (!text || !text->ends_with('\n')) return {};
  text->pop_back();
  return Sha256::parse(*text) ? *std::move(text) : std::string();
}

/// Whoever comes last has made it.
Result<std::string> find_or_make_secret(const std::filesystem::path& path, FileSystem& files) {
  if (auto secret = read_secret(path, files); !secret.empty()) return secret;
  std::array<std::uint8_t, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return fail_errno("getrandom");
  }
  using std::filesystem::perms;
  WEIR_TRY(replace(path, to_hex(random.data(), random.size()) + "\n",
                   perms::owner_read | perms::owner_write, files));
  auto secret = read_secret(path, files);
  if (secret.empty()) return fail(ErrorCode::kIo, path.string() + ": it is not what was written");
  return secret;
}

json::Value json_of_entry(const CacheEntry& entry) {
  json::Object object;
  object.set("key", entry.key);
  object.set("created_at", weir::to_string(entry.created_at));
  object.set("run_id", entry.run_id);
  object.set("output_sha256", entry.output.text());
  object.set("tool", entry.parts.tool);
  object.set("version", entry.parts.version);
  object.set("folder", entry.parts.folder);
  object.set("with", to_json(entry.parts.with));
  object.set("input", to_json(entry.parts.input));
  object.set("files", to_json(entry.parts.files));
  return object;
}

std::string text_in(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

KeyParts::Hashes hashes_in(const json::Object& object, std::string_view name) {
  KeyParts::Hashes hashes;
  const auto* value = object.find(name);
  if (value == nullptr || value->object() == nullptr) return hashes;
  for (const auto& member : *value->object())
    hashes[member.key] = text_in(*value->object(), member.key);
  return hashes;
}

std::optional<CacheEntry> entry_of(const json::Value& value) {
  if (value.object() == nullptr) return {};
  const auto& object = *value.object();
  const auto created_at = parse_rfc3339(text_in(object, "created_at"));
  const auto output = Sha256::parse(text_in(object, "output_sha256"));
  if (!created_at || !output) return {};
  return CacheEntry{.key = text_in(object, "key"),
                    .created_at = *created_at,
                    .run_id = text_in(object, "run_id"),
                    .output = *output,
                    .parts = {.tool = text_in(object, "tool"),
                              .version = text_in(object, "version"),
                              .folder = text_in(object, "folder"),
                              .with = hashes_in(object, "with"),
                              .input = hashes_in(object, "input"),
                              .files = hashes_in(object, "files")}};
}

/// The second line, if the first one is right about it.
std::optional<json::Value> checked(std::string_view text, const CacheHash& hash) {
  const auto size = kHead.size() + kHashDigits + 1;
  if (text.size() <= size || !text.starts_with(kHead) || !text.ends_with('\n')) return {};
  auto json = text.substr(size);
  json.remove_suffix(1);
  if (text[size - 1] != '\n' || text.substr(kHead.size(), kHashDigits) != hash.of(json)) return {};
  auto value = json::parse(json);
  if (!value) return {};
  return *std::move(value);
}

std::optional<std::vector<CacheEntry>> entries_of(const json::Value& file) {
  const auto* list = file.object() == nullptr ? nullptr : file.object()->find("entries");
  if (list == nullptr || list->array() == nullptr) return {};
  std::vector<CacheEntry> entries;
  for (const auto& value : *list->array()) {
    auto entry = entry_of(value);
    if (!entry) return {};
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace

Result<OutputCache> OutputCache::open(const std::filesystem::path& folder, FileSystem& files) {
  WEIR_TRY(make_directories(folder, files));
  WEIR_TRY(auto secret, find_or_make_secret(folder / "key", files));
  return OutputCache(folder, std::move(secret), files);
}

std::filesystem::path OutputCache::path_of(const CachedNode& node) const {
  const auto name =
      hash_.of(json::to_text(json::Array{node.tenant_id, node.pipeline_id, node.node_id}));
  return folder_ / name.substr(0, 2) / name.substr(2);
}

Result<std::vector<CacheEntry>> OutputCache::entries(const CachedNode& node) const {
  const auto path = path_of(node);
  const auto text = read_file(path, kMaxFileBytes, *files_);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::vector<CacheEntry>();
  if (!text) return std::unexpected(text.error());
  const auto file = checked(*text, hash_);
  auto entries = file ? entries_of(*file) : std::nullopt;
  if (!entries) return fail(ErrorCode::kCorrupt, path.string() + ": it is not as it was written");
  return *std::move(entries);
}

std::string OutputCache::text_of(const CachedNode& node,
                                 const std::vector<CacheEntry>& entries) const {
  json::Object file;
  file.set("pipeline_id", node.pipeline_id);
  file.set("node_id", node.node_id);
  json::Array list;
  for (const auto& entry : entries) list.push_back(json_of_entry(entry));
  file.set("entries", std::move(list));
  const auto json = json::to_text(file);
  return std::string(kHead).append(hash_.of(json)).append("\n").append(json).append("\n");
}

Result<void> OutputCache::add(const CachedNode& node, CacheEntry entry) const {
  const auto path = path_of(node);
  auto entries = this->entries(node).value_or(std::vector<CacheEntry>());
  std::erase_if(entries, [&](const CacheEntry& old) { return old.key == entry.key; });
  entry.parts = shortened(std::move(entry.parts));
  entries.insert(entries.begin(), std::move(entry));
  if (entries.size() > kMaxEntries) entries.resize(kMaxEntries);
  auto text = text_of(node, entries);
  while (text.size() > kMaxFileBytes && entries.size() > 1) {
    entries.pop_back();
    text = text_of(node, entries);
  }
  if (text.size() > kMaxFileBytes) {
    return fail(ErrorCode::kExhausted, path.string() + ": its entry is too large");
  }
  WEIR_TRY(make_directories(path.parent_path(), *files_));
  if (!files_->exists(path.c_str())) make_room(path.parent_path());
  using std::filesystem::perms;
  const auto mode = perms::owner_read | perms::owner_write | perms::group_read | perms::others_read;
  return replace(path, text, mode, *files_);
}

/// What cannot be removed stays.
void OutputCache::make_room(const std::filesystem::path& folder) const {
  const auto names = list_directory(folder, *files_);
  if (!names || names->size() < kMaxFilesInFolder) return;
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> by_age;
  for (const auto& name : *names) {
    std::error_code gone;
    by_age.emplace_back(std::filesystem::last_write_time(folder / name, gone), name);
  }
  std::sort(by_age.begin(), by_age.end());
  by_age.resize(std::min(by_age.size(), kMaxFilesInFolder / 4));
  for (const auto& [time, name] : by_age) files_->unlink((folder / name).c_str());
}

}  // namespace weir::engine
