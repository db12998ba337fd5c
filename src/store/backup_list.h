#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

/// What a backup says of itself. Format: docs/formats/backup.md, version 1.
namespace weir::store {

inline constexpr std::string_view kBackupList = "backup.json";

struct BackedUpFile {
  std::string path;  ///< below the folder, with slashes
  std::uint64_t bytes = 0;
  Sha256 sha256;
  bool operator==(const BackedUpFile&) const = default;
};

/// What the store should have had and could not give.
struct LeftFile {
  std::string path;
  std::string reason;
  bool operator==(const LeftFile&) const = default;
};

struct BackupList {
  Timestamp at;
  std::optional<Sha256> anchor;
  std::vector<BackedUpFile> files{};  ///< by path
  std::vector<LeftFile> left{};

  bool operator==(const BackupList&) const = default;

  /// One line of JSON, without a newline.
  [[nodiscard]] std::string text() const;
  /// Reads what `text` has written. Errors: kCorrupt, kUnavailable (a newer format).
  [[nodiscard]] static Result<BackupList> parse(std::string_view text);
  /// That of a backup. Errors: kNotFound (no backup), kIo, and those of `parse`.
  [[nodiscard]] static Result<BackupList> read(const std::filesystem::path& backup,
                                               FileSystem& files);
};

}  // namespace weir::store
