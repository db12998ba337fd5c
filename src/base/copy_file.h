#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"

namespace weir {

/// What a copy got.
struct Copied {
  std::uint64_t bytes = 0;
  Sha256 sha256;
};

/// Copies the first `limit` bytes of a file, or all, a MiB at a time, to a path where nothing is,
/// and syncs it: its name is durable after sync_directory. The hash is of the bytes as they were on
/// their way. After an error there is no copy. Errors: kNotFound, kIo, kExhausted (no space).
[[nodiscard]] Result<Copied> copy_file(
    const std::filesystem::path& from, FileSystem& from_files, const std::filesystem::path& to,
    FileSystem& to_files, std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

}  // namespace weir
