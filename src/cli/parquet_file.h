#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace weir::cli {

/// A file that a session writes, and that then goes where it should be, or nowhere.
class ParquetFile {
 public:
  /// Without a path: for standard output. Errors: kIo.
  [[nodiscard]] static Result<ParquetFile> at(const std::string& path);
  ParquetFile(ParquetFile&& other) noexcept
      : path_(std::move(other.path_)), written_(std::exchange(other.written_, {})) {}
  ParquetFile& operator=(ParquetFile&&) = delete;
  ~ParquetFile();

  /// Where it is to be written.
  [[nodiscard]] const std::filesystem::path& written() const { return written_; }

  /// It is whole. Errors: kIo, kExhausted.
  [[nodiscard]] Result<void> keep();

 private:
  ParquetFile(std::filesystem::path path, std::filesystem::path written)
      : path_(std::move(path)), written_(std::move(written)) {}
  [[nodiscard]] Result<void> print() const;

  std::filesystem::path path_;     // empty: standard output
  std::filesystem::path written_;  // empty: moved from
};

}  // namespace weir::cli
