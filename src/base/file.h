#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace weir {

enum class LockKind : std::uint8_t {
  kExclusive,
  kShared,  ///< to ask whether somebody has the exclusive one, without being in anybody's way
};

/// An open file. Owns its descriptor; the destructor closes it and does not sync. Errors name the
/// path and are kIo unless said otherwise.
class File {
 public:
  /// Errors: kNotFound.
  [[nodiscard]] static Result<File> open_to_read(const std::filesystem::path& path,
                                                 FileSystem& files = local_files());
  /// Opens for appending a file that must not exist.
  [[nodiscard]] static Result<File> create(const std::filesystem::path& path,
                                           FileSystem& files = local_files());
  /// Opens for appending, and makes the file if need be.
  [[nodiscard]] static Result<File> open_to_append(const std::filesystem::path& path,
                                                   FileSystem& files = local_files());
  /// Opens for `write_at` a file that must exist. Errors: kNotFound.
  [[nodiscard]] static Result<File> open_to_change(const std::filesystem::path& path,
                                                   FileSystem& files = local_files());
  /// Opens for `write_at`, and makes the file if need be.
  [[nodiscard]] static Result<File> open_or_create(const std::filesystem::path& path,
                                                   FileSystem& files = local_files());

  File(File&& other) noexcept
      : files_(other.files_),
        descriptor_(std::exchange(other.descriptor_, -1)),
        path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  /// All of `bytes`, however often the kernel takes less. Errors: kExhausted (no space). After an
  /// error an unknown part of them is in the file.
  [[nodiscard]] Result<void> write(std::string_view bytes);
  /// The same past the page cache, where the file system can do that: `bytes` begin and end at
  /// multiples of its block, in memory and in the file. Where it cannot, through it.
  [[nodiscard]] Result<void> write_direct(std::string_view bytes);
  /// As `write`, at a place of a file that was not opened for appending.
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::string_view bytes);
  /// Makes what was written survive power loss (fdatasync).
  [[nodiscard]] Result<void> sync() const;
  /// Gives the file this name, in the place of what has it. Not durable before sync_directory.
  [[nodiscard]] Result<void> rename_to(const std::filesystem::path& path);
  /// Cuts the file, or fills it with zeros, to `size`.
  [[nodiscard]] Result<void> truncate(std::uint64_t size);
  /// Reserves blocks for `size` bytes from `offset` on without changing the file's size, so that
  /// appends and syncs need not find them. Where the file system cannot, nothing happens.
  void reserve(std::uint64_t offset, std::uint64_t size) const;
  /// Up to `size` bytes from `offset` on; 0 only at the end.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* out,
                                            std::size_t size) const;
  /// Up to `size` bytes from where the last call ended: also for pipes. 0 only at the end.
  [[nodiscard]] Result<std::size_t> read_next(char* out, std::size_t size) const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  /// Takes the advisory lock of the file if nobody has it. It goes with the descriptor: when the
  /// process ends, however it ends, the lock is free.
  [[nodiscard]] Result<bool> try_lock(LockKind kind = LockKind::kExclusive) const;
  /// Waits for it.
  [[nodiscard]] Result<void> lock() const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  File(FileSystem& files, int descriptor, std::filesystem::path path)
      : files_(&files), descriptor_(descriptor), path_(std::move(path)) {}
  static Result<File> open(const std::filesystem::path& path, int flags, FileSystem& files);
  [[nodiscard]] std::unexpected<Error> failed(std::string_view what) const;

  FileSystem* files_;
  int descriptor_;
  std::filesystem::path path_;
};

/// Errors: kNotFound, kIo, and kExhausted for more than `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit,
                                            FileSystem& files = local_files());

/// Puts `bytes` at `path` so that after a crash there is either the old file or the whole new one.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path,
                                              std::string_view bytes,
                                              FileSystem& files = local_files());

/// As long as one lives, files that this process makes are their owner's alone. One at a time in a
/// process.
class OwnersFiles {
 public:
  OwnersFiles();
  ~OwnersFiles();
  OwnersFiles(const OwnersFiles&) = delete;
  OwnersFiles& operator=(const OwnersFiles&) = delete;

 private:
  unsigned mask_;
};

/// Makes creations and renames in `directory` survive power loss.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory,
                                          FileSystem& files = local_files());

/// Like mkdir -p, with an error that names the path. What it makes survives power loss.
[[nodiscard]] Result<void> make_directories(const std::filesystem::path& path,
                                            FileSystem& files = local_files());

/// The names in a directory, sorted. Errors: kNotFound, kIo.
[[nodiscard]] Result<std::vector<std::string>> list_directory(
    const std::filesystem::path& directory, FileSystem& files = local_files());

}  // namespace weir
