#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir {

/// The system calls that files are made with: the kernel's, or those of a simulation that tears,
/// loses and refuses what it likes. Each is as the call of its name: -1 and errno for a failure.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  /// New files get the mode 0644. Descriptors close at exec.
  virtual int open(const char* path, int flags) = 0;
  virtual int close(int file) = 0;
  virtual ssize_t write(int file, const char* bytes, std::size_t size) = 0;
  /// From now on writes go past the page cache, or through it again (fcntl, O_DIRECT).
  virtual int set_direct(int file, bool direct) = 0;
  virtual ssize_t pwrite(int file, const char* bytes, std::size_t size, std::uint64_t offset) = 0;
  virtual ssize_t read(int file, char* out, std::size_t size) = 0;
  virtual ssize_t pread(int file, char* out, std::size_t size, std::uint64_t offset) = 0;
  virtual int fdatasync(int file) = 0;
  /// Of a directory: makes its entries durable.
  virtual int fsync(int file) = 0;
  virtual int ftruncate(int file, std::uint64_t size) = 0;
  /// Reserves blocks beyond the file's end and leaves its size (FALLOC_FL_KEEP_SIZE).
  virtual int fallocate(int file, std::uint64_t offset, std::uint64_t size) = 0;
  /// The size of the open file.
  virtual std::int64_t size(int file) = 0;
  virtual int flock(int file, int operation) = 0;
  virtual int rename(const char* from, const char* to) = 0;
  virtual int unlink(const char* path) = 0;
  /// With the mode 0755.
  virtual int mkdir(const char* path) = 0;
  /// Whether there is anything of that name.
  virtual bool exists(const char* path) = 0;
  /// The names in a directory, in no order, without `.` and `..`.
  virtual int list(const char* directory, std::vector<std::string>& names) = 0;
};

/// The kernel's.
[[nodiscard]] FileSystem& local_files();

}  // namespace weir
