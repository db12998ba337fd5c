#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/id.h"

namespace weir {

Result<File> File::open(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail_errno("open " + path.string());
  return File(descriptor, path);
}

Result<File> File::open_to_read(const std::filesystem::path& path) { return open(path, O_RDONLY); }
Result<File> File::create(const std::filesystem::path& path) {
  return open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL);
}
Result<File> File::open_or_create(const std::filesystem::path& path) {
  return open(path, O_RDWR | O_APPEND | O_CREAT);
}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::unexpected<Error> File::failed(std::string_view what) const {
  return fail_errno(std::string(what) + " " + path_.string());
}

Result<void> File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> File::sync() const {
  if (::fdatasync(descriptor_) != 0) return failed("fdatasync");
  return {};
}

void File::reserve(std::uint64_t offset, std::uint64_t size) const {
  static_cast<void>(::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                                static_cast<off_t>(size)));
}

void File::release_beyond(std::uint64_t size) const {
  static_cast<void>(!::ftruncate(descriptor_, static_cast<off_t>(size)));
}

Result<std::size_t> File::read_at(std::uint64_t offset, char* out, std::size_t size) const {
  while (true) {
    const auto got = ::pread(descriptor_, out, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read");
  }
}

Result<std::size_t> File::read_next(char* out, std::size_t size) const {
  while (true) {
    const auto got = ::read(descriptor_, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read");
  }
}

Result<std::uint64_t> File::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return failed("stat");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<bool> File::try_lock() const {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failed("lock");
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  WEIR_TRY(const auto file, File::open_to_read(path));
  // Not by size(): pipes and /proc have none.
  std::string bytes;
  constexpr std::size_t kStep = 1 << 16;
  while (true) {
    const auto before = bytes.size();
    bytes.resize(before + kStep);
    WEIR_TRY(const auto got, file.read_next(bytes.data() + before, kStep));
    bytes.resize(before + got);
    if (bytes.size() > limit) {
      return fail(ErrorCode::kExhausted,
                  path.string() + ": larger than the limit of " + std::to_string(limit) + " bytes");
    }
    if (got == 0) return bytes;
  }
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes) {
  const auto temporary = path.string() + ".new-" + std::to_string(random_bits());
  {
    WEIR_TRY(auto file, File::create(temporary));
    auto written = file.write(bytes);
    if (written) written = file.sync();
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
      written = fail_errno("rename to " + path.string());
    }
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  return sync_directory(path.parent_path());
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const int descriptor =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail_errno("open " + directory.string());
  const int status = ::fsync(descriptor);
  auto failure = fail_errno("fsync " + directory.string());
  ::close(descriptor);
  if (status != 0) return failure;
  return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    errno = error.value();
    return fail_errno("create " + path.string());
  }
  return {};
}

}  // namespace weir
