#include "cli/parquet_file.h"

#include <cstdio>

#include "base/file.h"
#include "base/id.h"

namespace weir::cli {

Result<ParquetFile> ParquetFile::at(const std::string& path) {
  std::error_code error;
  auto target = path.empty() ? std::filesystem::temp_directory_path(error) / "weir-sql"
                             : std::filesystem::absolute(path, error);
  // What a link leads to is replaced, and not the link; a device or a folder is not.
  if (std::filesystem::exists(target, error)) target = std::filesystem::canonical(target, error);
  if (!path.empty() && !error && std::filesystem::exists(target, error) &&
      !std::filesystem::is_regular_file(target, error)) {
    return fail(ErrorCode::kInvalidInput, path + ": not a file; Parquet is written to one");
  }
  // As DuckDB is to know it: without "..", and not over links.
  const auto folder = std::filesystem::canonical(target.parent_path(), error);
  if (error) return fail(ErrorCode::kIo, target.parent_path().string() + ": " + error.message());
  const auto name = target.filename().string();
  return ParquetFile(path.empty() ? "" : folder / name,
                     folder / ("." + name + ".new-" + std::to_string(random_bits())));
}

ParquetFile::~ParquetFile() {
  std::error_code ignored;
  if (!written_.empty()) std::filesystem::remove(written_, ignored);
}

Result<void> ParquetFile::keep() {
  if (path_.empty()) return print();
  WEIR_TRY(auto file, File::open_to_change(written_));
  WEIR_TRY(file.sync());
  WEIR_TRY(file.rename_to(path_));
  return sync_directory(written_.parent_path());
}

/// That it cannot be written is seen and said at the end of the program.
Result<void> ParquetFile::print() const {
  WEIR_TRY(const auto file, File::open_to_read(written_));
  std::string buffer(std::size_t{1} << 16, '\0');
  while (std::ferror(stdout) == 0) {
    WEIR_TRY(const auto size, file.read_next(buffer.data(), buffer.size()));
    if (size == 0) break;
    std::fwrite(buffer.data(), 1, size, stdout);
  }
  return {};
}

}  // namespace weir::cli
