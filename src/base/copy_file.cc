#include "base/copy_file.h"

#include <algorithm>

#include "base/file.h"
#include "base/sha256_stream.h"

namespace weir {
namespace {

constexpr std::size_t kCopyStep = std::size_t{1} << 20;

Result<Copied> copy_bytes(const File& from, File& to, std::uint64_t limit) {
  std::string buffer(kCopyStep, '\0');
  Sha256Stream hash;
  Copied copied;
  while (copied.bytes < limit) {
    const auto step = std::min<std::uint64_t>(buffer.size(), limit - copied.bytes);
    WEIR_TRY(const auto got, from.read_at(copied.bytes, buffer.data(), step));
    if (got == 0) break;
    const std::string_view bytes(buffer.data(), got);
    hash.add(bytes);
    WEIR_TRY(to.write(bytes));
    copied.bytes += got;
  }
  copied.sha256 = hash.finish();
  WEIR_TRY(to.sync());
  return copied;
}

}  // namespace

Result<Copied> copy_file(const std::filesystem::path& from, FileSystem& from_files,
                         const std::filesystem::path& to, FileSystem& to_files,
                         std::uint64_t limit) {
  WEIR_TRY(const auto source, File::open_to_read(from, from_files));
  WEIR_TRY(auto target, File::create(to, to_files));
  auto copied = copy_bytes(source, target, limit);
  if (!copied) to_files.unlink(to.c_str());
  return copied;
}

}  // namespace weir
