#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/id.h"
#include "base/result.h"

namespace weir::log {

/// The version of the store's format that this program writes, and the newest it reads. 1 had no
/// parts: to make it 2 is to say so.
inline constexpr int kFormatVersion = 2;

/// What a segment's file is called. They sort by the writer's start, then by number.
struct SegmentName {
  std::string writer;  ///< 24 lower-case hex digits
  std::uint32_t number = 0;

  auto operator<=>(const SegmentName&) const = default;

  /// "<writer>-000001.jsonl"
  [[nodiscard]] std::string file_name() const;
  [[nodiscard]] static std::optional<SegmentName> parse(std::string_view file_name);
};

/// A store's folder: where things are in it, and the file system they are on. Nothing is kept open.
class StoreDirectory {
 public:
  /// Makes what is missing, and an older store one of this version. `files` must outlive every
  /// copy. Errors: kIo, kUnavailable (a newer format).
  [[nodiscard]] static Result<StoreDirectory> create(const std::filesystem::path& root,
                                                     FileSystem& files = local_files());
  /// Errors: kNotFound (no store there), kUnavailable (a newer format), kCorrupt (VERSION holds no
  /// number), kIo.
  [[nodiscard]] static Result<StoreDirectory> open(const std::filesystem::path& root,
                                                   FileSystem& files = local_files());

  [[nodiscard]] FileSystem& files() const { return *files_; }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path log() const { return root_ / "log"; }
  [[nodiscard]] std::filesystem::path artifacts() const { return root_ / "artifacts"; }
  [[nodiscard]] std::filesystem::path quarantine() const { return root_ / "quarantine"; }
  [[nodiscard]] std::filesystem::path seals() const { return root_ / "seals.jsonl"; }
  [[nodiscard]] std::filesystem::path manifest() const { return root_ / "manifest.json"; }
  /// Who may ask a server for what; readable by the owner alone.
  static constexpr std::string_view kKeys = "keys.json";
  [[nodiscard]] std::filesystem::path keys() const { return root_ / kKeys; }
  [[nodiscard]] std::filesystem::path manifest_copy() const { return root_ / "manifest.copy.json"; }
  [[nodiscard]] std::filesystem::path parts() const { return root_ / "events"; }
  [[nodiscard]] std::filesystem::path compaction_lock() const { return root_ / "LOCK"; }
  [[nodiscard]] std::filesystem::path run_locks() const { return root_ / "runs"; }
  [[nodiscard]] std::filesystem::path run_lock(const RunId& run) const {
    return run_locks() / (run.text() + ".lock");
  }
  [[nodiscard]] std::filesystem::path segment(const SegmentName& name) const {
    return log() / name.file_name();
  }

  /// All segments in order. Files of other names are not the log's. Errors: kIo.
  [[nodiscard]] Result<std::vector<SegmentName>> segment_names() const;
  /// Their paths. Errors: kIo.
  [[nodiscard]] Result<std::vector<std::filesystem::path>> segments() const;

 private:
  StoreDirectory(std::filesystem::path root, FileSystem& files)
      : root_(std::move(root)), files_(&files) {}
  std::filesystem::path root_;
  FileSystem* files_;
};

}  // namespace weir::log
