#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"

/// The files that a log file leaves behind: docs/formats/json-lines-sink.md, "Names".
namespace weir::record {

enum class Compression : std::uint8_t { kNone, kGzip };

struct FileRetention {
  std::size_t max_files = 10;  ///< with the one being written
  /// After the last line of a rotated file; nothing: for ever.
  std::optional<std::chrono::days> max_age = std::chrono::days(30);
  Compression compression = Compression::kGzip;
};

class RotatedFiles {
 public:
  /// Of the log file at `path`.
  RotatedFiles(const std::filesystem::path& path, FileSystem& files);

  /// Where a file that is finished now goes: after all that are there, whatever the clock says.
  /// Errors: kIo.
  [[nodiscard]] Result<std::filesystem::path> next_path(Timestamp now) const;
  /// Deletes files that are too old or too many, the oldest first, then compresses the others.
  /// Tries them all, whatever fails. Errors: the first one.
  [[nodiscard]] Result<void> keep(const FileRetention& retention, Timestamp now) const;

 private:
  enum class Kind : std::uint8_t { kPlain, kCompressed, kHalfCompressed };
  struct Rotated {
    Timestamp ended;
    Kind kind;
    std::string name;
  };

  [[nodiscard]] std::optional<Rotated> parse(std::string_view name) const;
  /// The oldest first.
  [[nodiscard]] Result<std::vector<Rotated>> list() const;
  [[nodiscard]] Result<void> remove(const std::string& name) const;
  [[nodiscard]] Result<void> compress(const std::string& name) const;

  std::filesystem::path folder_;
  std::string stem_;       // `agent.` of agent.log
  std::string extension_;  // `.log`
  FileSystem& files_;
};

}  // namespace weir::record
