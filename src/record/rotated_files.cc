#include "record/rotated_files.h"

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/compression.h"
#include "base/file.h"

namespace weir::record {
namespace {

constexpr std::string_view kGzipSuffix = ".gz";
constexpr std::string_view kHalfSuffix = ".gz.new";  // of gzip_file

/// RFC 3339 without '-' and ':', which some file systems and shells do not like in names.
std::string to_stamp(Timestamp time) {
  auto text = to_string(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

/// What to_stamp writes, and nothing else: only files with such a name are ours.
std::optional<Timestamp> parse_stamp(std::string_view stamp) {
  if (stamp.size() != to_stamp({}).size()) return {};
  std::string text(stamp);
  text.insert(4, 1, '-').insert(7, 1, '-').insert(13, 1, ':').insert(16, 1, ':');
  const auto time = parse_rfc3339(text);
  return time && to_stamp(*time) == stamp ? time : std::nullopt;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

RotatedFiles::RotatedFiles(const std::filesystem::path& path, FileSystem& files)
    : folder_(path.has_parent_path() ? path.parent_path() : "."),
      stem_(path.stem().string() + "."),
      extension_(path.extension().string()),
      files_(files) {}

std::optional<RotatedFiles::Rotated> RotatedFiles::parse(std::string_view name) const {
  auto rest = name;
  auto kind = Kind::kPlain;
  if (take_suffix(rest, kHalfSuffix)) {
    kind = Kind::kHalfCompressed;
  } else if (take_suffix(rest, kGzipSuffix)) {
    kind = Kind::kCompressed;
  }
  if (!take_suffix(rest, extension_) || !rest.starts_with(stem_)) return {};
  const auto ended = parse_stamp(rest.substr(stem_.size()));
  if (!ended) return {};
  return Rotated{*ended, kind, std::string(name)};
}

Result<std::vector<RotatedFiles::Rotated>> RotatedFiles::list() const {
  WEIR_TRY(const auto names, list_directory(folder_, files_));
  std::vector<Rotated> all;
  for (const auto& name : names) {
    if (auto rotated = parse(name)) all.push_back(*std::move(rotated));
  }
  std::ranges::sort(all, {}, [](const auto& file) { return std::tie(file.ended, file.kind); });
  return all;
}

Result<std::filesystem::path> RotatedFiles::next_path(Timestamp now) const {
  WEIR_TRY(const auto all, list());
  if (!all.empty()) now = std::max(now, all.back().ended + std::chrono::microseconds(1));
  return folder_ / (stem_ + to_stamp(now) + extension_);
}

Result<void> RotatedFiles::keep(const FileRetention& retention, Timestamp now) const {
  WEIR_TRY(auto all, list());
  Result<void> outcome;
  const auto note = [&](Result<void> result) {
    if (outcome && !result) outcome = std::move(result);
  };
  // What a crash left while it compressed: half of a file, or a file beside its compressed form.
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_copied = i + 1 < all.size() && all[i].kind == Kind::kPlain &&
                           all[i + 1].kind == Kind::kCompressed && all[i].ended == all[i + 1].ended;
    if (is_copied) all[i].kind = Kind::kHalfCompressed;
    if (all[i].kind == Kind::kHalfCompressed) note(remove(all[i].name));
  }
  std::erase_if(all, [](const auto& file) { return file.kind == Kind::kHalfCompressed; });

  const auto kept = retention.max_files - 1;
  const auto too_many = all.size() > kept ? all.size() - kept : 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_old = retention.max_age && all[i].ended < now - *retention.max_age;
    if (i < too_many || is_old) {
      note(remove(all[i].name));
    } else if (all[i].kind == Kind::kPlain && retention.compression == Compression::kGzip) {
      note(compress(all[i].name));
    }
  }
  return outcome;
}

Result<void> RotatedFiles::remove(const std::string& name) const {
  const auto path = folder_ / name;
  if (files_.unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno("delete " + path.string());
}

Result<void> RotatedFiles::compress(const std::string& name) const {
  auto compressed = folder_ / name;
  compressed += kGzipSuffix;
  WEIR_TRY(gzip_file(folder_ / name, compressed, files_));
  return remove(name);
}

}  // namespace weir::record
