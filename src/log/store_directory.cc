#include "log/store_directory.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace weir::log {
namespace {

constexpr std::uint64_t kMaxVersionFile = 64;
constexpr std::size_t kWriterDigits = 24;
constexpr std::size_t kNumberDigits = 6;
constexpr std::string_view kSegmentExtension = ".jsonl";

/// Errors: kUnavailable (newer than this program), kCorrupt.
Result<int> version_of(const std::filesystem::path& root, FileSystem& files) {
  const auto path = root / "VERSION";
  WEIR_TRY(const auto text, read_file(path, kMaxVersionFile, files));
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || version < 1) {
    return fail(ErrorCode::kCorrupt, path.string() + ": holds no format version");
  }
  if (version > kFormatVersion) {
    return fail(ErrorCode::kUnavailable, root.string() + ": its format is version " +
                                             std::to_string(version) +
                                             ", this program knows up to " +
                                             std::to_string(kFormatVersion) + "; use a newer weir");
  }
  return version;
}

}  // namespace

std::string SegmentName::file_name() const {
  char digits[16];
  std::snprintf(digits, sizeof digits, "-%0*u", static_cast<int>(kNumberDigits), number);
  return writer + digits + std::string(kSegmentExtension);
}

std::optional<SegmentName> SegmentName::parse(std::string_view file_name) {
  if (!file_name.ends_with(kSegmentExtension)) return {};
  file_name.remove_suffix(kSegmentExtension.size());
  if (file_name.size() < kWriterDigits + 1 + kNumberDigits) return {};
  SegmentName name{.writer = std::string(file_name.substr(0, kWriterDigits))};
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(name.writer.begin(), name.writer.end(), is_hex)) return {};
  const auto digits = file_name.substr(kWriterDigits + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  // One spelling only: what it would be called is what it is called.
  if (name.number == 0 ||
      name.file_name() != std::string(file_name) + std::string(kSegmentExtension)) {
    return {};
  }
  return name;
}

Result<StoreDirectory> StoreDirectory::create(const std::filesystem::path& root,
                                              FileSystem& files) {
  const auto path = root / "VERSION";
  const bool is_new = !files.exists(path.c_str());
  int version = 0;
  // A newer store is left exactly as it is.
  if (!is_new) {
    WEIR_TRY(version, version_of(root, files));
  }
  for (const char* folder : {"log", "runs", "artifacts"}) {
    WEIR_TRY(make_directories(root / folder, files));
  }
  if (is_new) {
    // Somebody else may have made them and been stopped before they were durable. Where there is a
    // VERSION, they are.
    const auto parent = root.parent_path();
    WEIR_TRY(sync_directory(parent.empty() ? "." : parent, files));
    WEIR_TRY(sync_directory(root, files));
  }
  if (version < kFormatVersion) {
    WEIR_TRY(write_file_durably(path, std::to_string(kFormatVersion) + "\n", files));
  }
  return open(root, files);
}

Result<StoreDirectory> StoreDirectory::open(const std::filesystem::path& root, FileSystem& files) {
  if (!files.exists(root.c_str())) {
    return fail(ErrorCode::kNotFound, root.string() + ": no store there");
  }
  WEIR_TRY_VOID(version_of(root, files));
  return StoreDirectory(root, files);
}

Result<std::vector<SegmentName>> StoreDirectory::segment_names() const {
  WEIR_TRY(const auto listed, list_directory(log(), *files_));
  std::vector<SegmentName> names;
  for (const auto& file_name : listed) {
    if (auto name = SegmentName::parse(file_name)) names.push_back(std::move(*name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::filesystem::path>> StoreDirectory::segments() const {
  WEIR_TRY(const auto names, segment_names());
  std::vector<std::filesystem::path> paths;
  paths.reserve(names.size());
  for (const auto& name : names) paths.push_back(segment(name));
  return paths;
}

}  // namespace weir::log
