#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"

/// gzip (RFC 1952).
namespace weir {

/// Puts the compressed bytes of the file `from` at `to`, in the place of what is there. They are
/// durable when it returns; after a crash there is all of them or nothing at `to`, and perhaps
/// `to` with `.new` behind it. Takes some 300 KiB of memory whatever the size. Errors: kNotFound,
/// kIo, kExhausted (no space); `from` is left as it is.
[[nodiscard]] Result<void> gzip_file(const std::filesystem::path& from,
                                     const std::filesystem::path& to,
                                     FileSystem& files = local_files());

/// `bytes` as one gzip file. Errors: kExhausted (no memory).
[[nodiscard]] Result<std::string> gzip(std::string_view bytes);

/// What `bytes` were before they were compressed: of one gzip file, or of several one after the
/// other. Errors: kExhausted for more than `limit` bytes, kCorrupt for anything that is no gzip, or
/// not all of it.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace weir
