#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weir {

/// An open file. Owns its descriptor; the destructor closes it and does not sync. Errors name the
/// path and are kIo unless said otherwise.
class File {
 public:
  /// Errors: kNotFound.
  [[nodiscard]] static Result<File> open_to_read(const std::filesystem::path& path);
  /// Opens for appending a file that must not exist.
  [[nodiscard]] static Result<File> create(const std::filesystem::path& path);
  /// Opens for appending, and makes the file if need be.
  [[nodiscard]] static Result<File> open_or_create(const std::filesystem::path& path);

  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  /// All of `bytes`, however often the kernel takes less. Errors: kExhausted (no space). After an
  /// error an unknown part of them is in the file.
  [[nodiscard]] Result<void> write(std::string_view bytes);
  /// Makes what was written survive power loss (fdatasync).
  [[nodiscard]] Result<void> sync() const;
  /// Reserves blocks for `size` bytes from `offset` on without changing the file's size, so that
  /// appends and syncs need not find them. Where the file system cannot, nothing happens.
  void reserve(std::uint64_t offset, std::uint64_t size) const;
  /// Gives back what was reserved beyond `size`.
  void release_beyond(std::uint64_t size) const;
  /// Up to `size` bytes from `offset` on; 0 only at the end.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* out,
                                            std::size_t size) const;
  /// Up to `size` bytes from where the last call ended: also for pipes. 0 only at the end.
  [[nodiscard]] Result<std::size_t> read_next(char* out, std::size_t size) const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  /// Takes the advisory lock of the file if nobody has it. It goes with the descriptor: when the
  /// process ends, however it ends, the lock is free.
  [[nodiscard]] Result<bool> try_lock() const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  File(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  static Result<File> open(const std::filesystem::path& path, int flags);
  [[nodiscard]] std::unexpected<Error> failed(std::string_view what) const;

  int descriptor_;
  std::filesystem::path path_;
};

/// Errors: kNotFound, kIo, and kExhausted for more than `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit);

/// Puts `bytes` at `path` so that after a crash there is either the old file or the whole new one.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path,
                                              std::string_view bytes);

/// Makes creations and renames in `directory` survive power loss.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory);

/// Like mkdir -p, with an error that names the path.
[[nodiscard]] Result<void> make_directories(const std::filesystem::path& path);

}  // namespace weir
