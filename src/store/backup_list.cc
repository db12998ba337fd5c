#include "store/backup_list.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "log/members.h"

namespace weir::store {
namespace {

constexpr std::uint64_t kBackupVersion = 1;
/// Of ten million files.
constexpr std::uint64_t kMaxBackupList = std::uint64_t{2} << 30;

/// Nobody is led out of the folder.
bool is_below(std::string_view path) {
  const std::filesystem::path parsed(path);
  return !path.empty() && parsed.is_relative() && parsed.has_filename() && path != kBackupList &&
         std::ranges::none_of(
             parsed, [](const auto& part) { return part == "." || part == ".." || part.empty(); });
}

std::optional<BackedUpFile> file_of(const json::Value& value) {
  log::Members members(value);
  BackedUpFile file{.path = members.text("path"),
                    .bytes = members.number("bytes"),
                    .sha256 = members.parsed("sha256", &Sha256::parse)};
  if (!members.is_good() || !is_below(file.path)) return {};
  return file;
}

}  // namespace

std::string BackupList::text() const {
  json::Array all, missing;
  all.reserve(files.size());
  for (const auto& file : files) {
    json::Object one;
    one.append({"path", file.path});
    one.append({"bytes", static_cast<std::int64_t>(file.bytes)});
    one.append({"sha256", file.sha256.text()});
    all.emplace_back(std::move(one));
  }
  for (const auto& file : left) {
    json::Object one;
    one.append({"path", file.path});
    one.append({"reason", file.reason});
    missing.emplace_back(std::move(one));
  }
  json::Object inner;
  inner.append({"version", static_cast<std::int64_t>(kBackupVersion)});
  inner.append({"at", to_string(at)});
  inner.append({"anchor", anchor ? json::Value(anchor->text()) : json::Value(nullptr)});
  inner.append({"files", std::move(all)});
  inner.append({"left", std::move(missing)});
  json::Object outer;
  outer.append({"backup", std::move(inner)});
  auto text = json::to_text(outer);
  text.pop_back();
  return log::with_checksum(std::move(text));
}

Result<BackupList> BackupList::parse(std::string_view text) {
  const auto damaged =
      fail(ErrorCode::kCorrupt, "is not a list of a backup, or not as it was written");
  const auto value = json::parse(text);
  if (!value) return damaged;
  log::Members outer(*value);
  const auto* inner = outer.find("backup");
  if (inner == nullptr) return damaged;
  log::Members members(*inner);
  const auto version = members.number("version");
  if (members.is_good() && version > kBackupVersion) {
    return fail(ErrorCode::kUnavailable,
                "its format is version " + std::to_string(version) + "; use a newer weir");
  }
  BackupList list{.at = members.parsed("at", &parse_rfc3339), .anchor = {}};
  const auto* anchor = members.find("anchor");
  if (anchor != nullptr && anchor->string() != nullptr)
    list.anchor = Sha256::parse(*anchor->string());
  members.each("files", [&](const json::Value& item) {
    auto file = file_of(item);
    if (!file) return false;
    list.files.push_back(*std::move(file));
    return true;
  });
  members.each("left", [&](const json::Value& item) {
    log::Members of_item(item);
    list.left.push_back({.path = of_item.text("path"), .reason = of_item.text("reason")});
    return of_item.is_good();
  });
  // One spelling only, and with it the checksum: what it would be written like is what it is.
  if (!members.is_good() || list.text() != text) return damaged;
  return list;
}

Result<BackupList> BackupList::read(const std::filesystem::path& backup, FileSystem& files) {
  const auto path = backup / kBackupList;
  auto read = read_file(path, kMaxBackupList, files);
  if (!read && read.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, backup.string() + ": no backup is there");
  }
  WEIR_TRY(auto text, std::move(read));
  if (text.ends_with('\n')) text.pop_back();
  auto list = parse(text);
  if (!list) return std::unexpected(std::move(list).error().within(path.string()));
  return list;
}

}  // namespace weir::store
