#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tool/policy.h"

namespace weir::tool {

/// Which files a confined plugin may have. Landlock keeps it from all others; what it means that it
/// tries one is told here.
class FileAccess {
 public:
  explicit FileAccess(const Policy& policy);

  [[nodiscard]] const std::vector<std::filesystem::path>& readable() const { return readable_; }
  /// And to be read.
  [[nodiscard]] const std::vector<std::filesystem::path>& writable() const { return writable_; }

  enum class Use : std::uint8_t { kReads, kWrites, kMakes };
  enum class Attempt : std::uint8_t {
    kAllowed,
    /// Refused: programs try these by themselves and do without, as the configuration of the
    /// system's libraries, or what a compiler would keep beside its sources.
    kUsual,
    /// Refused, and it may have meant no harm: users' names, what lies in a folder above its own,
    /// where programs look for their project's files, or a new file.
    kDoubtful,
    kForbidden,
  };
  /// Of a path without links.
  [[nodiscard]] Attempt judge(const std::filesystem::path& real, Use use) const;

 private:
  std::vector<std::filesystem::path> readable_;
  std::vector<std::filesystem::path> writable_;
  std::vector<std::filesystem::path> real_readable_;  // as `judge` gets them
  std::vector<std::filesystem::path> real_writable_;
  std::vector<std::filesystem::path> real_own_;  // of those, what is not the system's
};

}  // namespace weir::tool
