#pragma once

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"

namespace weir {

/// For tests: the machine's file system, which fails or waits when it is told to. What a test needs
/// besides, it overrides.
class TroubledFiles : public FileSystem {
 public:
  std::atomic<bool> full{false};
  std::atomic<bool> full_at_write{false};  ///< files are made, but half of a write fits at most
  std::atomic<bool> stuck{false};
  std::atomic<bool> refuses_direct{false};

  int open(const char* path, int flags) override {
    if (full && (flags & O_CREAT) != 0) return no_space();
    return local_files().open(path, flags);
  }
  int close(int file) override { return local_files().close(file); }
  ssize_t write(int file, const char* bytes, std::size_t size) override {
    if (full) return no_space();
    if (full_at_write) {
      if (size < 2) return no_space();
      size /= 2;
    }
    return local_files().write(file, bytes, size);
  }
  int set_direct(int file, bool direct) override {
    if (refuses_direct) return invalid();
    return local_files().set_direct(file, direct);
  }
  ssize_t pwrite(int file, const char* bytes, std::size_t size, std::uint64_t offset) override {
    // What is there already has its blocks.
    if (full && static_cast<std::int64_t>(offset + size) > local_files().size(file)) {
      return no_space();
    }
    return local_files().pwrite(file, bytes, size, offset);
  }
  ssize_t read(int file, char* out, std::size_t size) override {
    return local_files().read(file, out, size);
  }
  ssize_t pread(int file, char* out, std::size_t size, std::uint64_t offset) override {
    return local_files().pread(file, out, size, offset);
  }
  int fdatasync(int file) override {
    while (stuck) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return local_files().fdatasync(file);
  }
  int fsync(int file) override { return local_files().fsync(file); }
  int ftruncate(int file, std::uint64_t size) override {
    return local_files().ftruncate(file, size);
  }
  int fallocate(int file, std::uint64_t offset, std::uint64_t size) override {
    return local_files().fallocate(file, offset, size);
  }
  std::int64_t size(int file) override { return local_files().size(file); }
  int flock(int file, int operation) override { return local_files().flock(file, operation); }
  int rename(const char* from, const char* to) override { return local_files().rename(from, to); }
  int unlink(const char* path) override { return local_files().unlink(path); }
  int mkdir(const char* path) override { return local_files().mkdir(path); }
  bool exists(const char* path) override { return local_files().exists(path); }
  int list(const char* directory, std::vector<std::string>& names) override {
    return local_files().list(directory, names);
  }

 private:
  static int invalid() {
    errno = EINVAL;
    return -1;
  }
  static int no_space() {
    errno = ENOSPC;
    return -1;
  }
};

}  // namespace weir
