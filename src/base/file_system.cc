#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace weir {
namespace {

class LocalFiles final : public FileSystem {
 public:
  int open(const char* path, int flags) override { return ::open(path, flags | O_CLOEXEC, 0644); }
  int close(int file) override { return ::close(file); }
  ssize_t write(int file, const char* bytes, std::size_t size) override {
    return ::write(file, bytes, size);
  }
  int set_direct(int file, bool direct) override {
    const int flags = ::fcntl(file, F_GETFL);
    if (flags < 0) return -1;
    return ::fcntl(file, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);
  }
  ssize_t pwrite(int file, const char* bytes, std::size_t size, std::uint64_t offset) override {
    return ::pwrite(file, bytes, size, static_cast<off_t>(offset));
  }
  ssize_t read(int file, char* out, std::size_t size) override { return ::read(file, out, size); }
  ssize_t pread(int file, char* out, std::size_t size, std::uint64_t offset) override {
    return ::pread(file, out, size, static_cast<off_t>(offset));
  }
  int fdatasync(int file) override { return ::fdatasync(file); }
  int fsync(int file) override { return ::fsync(file); }
  int ftruncate(int file, std::uint64_t size) override {
    return ::ftruncate(file, static_cast<off_t>(size));
  }
  int fallocate(int file, std::uint64_t offset, std::uint64_t size) override {
    return ::fallocate(file, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(size));
  }
  std::int64_t size(int file) override {
    struct stat status{};
    return ::fstat(file, &status) != 0 ? -1 : status.st_size;
  }
  int flock(int file, int operation) override { return ::flock(file, operation); }
  int rename(const char* from, const char* to) override { return ::rename(from, to); }
  int unlink(const char* path) override { return ::unlink(path); }
  int mkdir(const char* path) override { return ::mkdir(path, 0755); }
  bool exists(const char* path) override { return ::access(path, F_OK) == 0; }

  int list(const char* directory, std::vector<std::string>& names) override {
    auto* opened = ::opendir(directory);
    if (opened == nullptr) return -1;
    errno = 0;
    while (const auto* entry = ::readdir(opened)) {  // one thread has this stream
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    ::closedir(opened);
    errno = error;
    return error == 0 ? 0 : -1;
  }
};

}  // namespace

FileSystem& local_files() {
  static LocalFiles files;
  return files;
}

}  // namespace weir
