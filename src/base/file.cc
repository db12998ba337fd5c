#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/id.h"

namespace weir {
namespace {

/// Where `path` stands: "a" stands in ".".
std::filesystem::path parent_of(const std::filesystem::path& path) {
  auto parent = path.parent_path();
  return parent.empty() ? "." : parent;
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path, int flags, FileSystem& files) {
  const int descriptor = files.open(path.c_str(), flags);
  if (descriptor < 0) return fail_errno("open " + path.string());
  return File(files, descriptor, path);
}

Result<File> File::open_to_read(const std::filesystem::path& path, FileSystem& files) {
  return open(path, O_RDONLY, files);
}
Result<File> File::create(const std::filesystem::path& path, FileSystem& files) {
  return open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL, files);
}
Result<File> File::open_to_append(const std::filesystem::path& path, FileSystem& files) {
  return open(path, O_RDWR | O_APPEND | O_CREAT, files);
}
Result<File> File::open_to_change(const std::filesystem::path& path, FileSystem& files) {
  return open(path, O_RDWR, files);
}
Result<File> File::open_or_create(const std::filesystem::path& path, FileSystem& files) {
  return open(path, O_RDWR | O_CREAT, files);
}

File& File::operator=(File&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) files_->close(descriptor_);
}

std::unexpected<Error> File::failed(std::string_view what) const {
  return fail_errno(std::string(what) + " " + path_.string());
}

Result<void> File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = files_->write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> File::write_direct(std::string_view bytes) {
  bool direct = files_->set_direct(descriptor_, true) == 0;
  const auto leave_direct = [&] {
    if (direct) static_cast<void>(files_->set_direct(descriptor_, false));
    direct = false;
  };
  while (!bytes.empty()) {
    const auto written = files_->write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EINVAL && direct) {  // not with these bytes, or not at all
      leave_direct();
      continue;
    }
    if (written < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  leave_direct();
  return {};
}

Result<void> File::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = files_->pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> File::sync() const {
  if (files_->fdatasync(descriptor_) != 0) return failed("fdatasync");
  return {};
}

Result<void> File::rename_to(const std::filesystem::path& path) {
  if (files_->rename(path_.c_str(), path.c_str()) != 0) return failed("rename");
  path_ = path;
  return {};
}

Result<void> File::truncate(std::uint64_t size) {
  if (files_->ftruncate(descriptor_, size) != 0) return failed("truncate");
  return {};
}

void File::reserve(std::uint64_t offset, std::uint64_t size) const {
  static_cast<void>(files_->fallocate(descriptor_, offset, size));
}

Result<std::size_t> File::read_at(std::uint64_t offset, char* out, std::size_t size) const {
  while (true) {
    const auto got = files_->pread(descriptor_, out, size, offset);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read");
  }
}

Result<std::size_t> File::read_next(char* out, std::size_t size) const {
  while (true) {
    const auto got = files_->read(descriptor_, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read");
  }
}

Result<std::uint64_t> File::size() const {
  const auto size = files_->size(descriptor_);
  if (size < 0) return failed("stat");
  return static_cast<std::uint64_t>(size);
}

Result<bool> File::try_lock(LockKind kind) const {
  const int operation = kind == LockKind::kShared ? LOCK_SH : LOCK_EX;
  if (files_->flock(descriptor_, operation | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failed("lock");
}

Result<void> File::lock() const {
  while (files_->flock(descriptor_, LOCK_EX) != 0) {
    if (errno != EINTR) return failed("lock");
  }
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit,
                              FileSystem& files) {
  WEIR_TRY(const auto file, File::open_to_read(path, files));
  // Not by size(): pipes and /proc have none.
  std::string bytes;
  constexpr std::size_t kReadStep = 1 << 16;
  while (true) {
    const auto before = bytes.size();
    bytes.resize(before + kReadStep);
    WEIR_TRY(const auto got, file.read_next(bytes.data() + before, kReadStep));
    bytes.resize(before + got);
    if (bytes.size() > limit) {
      return fail(ErrorCode::kExhausted,
                  path.string() + ": larger than the limit of " + std::to_string(limit) + " bytes");
    }
    if (got == 0) return bytes;
  }
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                                FileSystem& files) {
  const auto temporary = path.string() + ".new-" + std::to_string(random_bits());
  {
    WEIR_TRY(auto file, File::create(temporary, files));
    auto written = file.write(bytes);
    if (written) written = file.sync();
    if (written) written = file.rename_to(path);
    if (!written) {
      files.unlink(temporary.c_str());
      return written;
    }
  }
  return sync_directory(parent_of(path), files);
}

OwnersFiles::OwnersFiles() : mask_(::umask(S_IRWXG | S_IRWXO)) {}
OwnersFiles::~OwnersFiles() { ::umask(mask_); }

Result<void> sync_directory(const std::filesystem::path& directory, FileSystem& files) {
  const int descriptor = files.open(directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return fail_errno("open " + directory.string());
  const int status = files.fsync(descriptor);
  auto failure = fail_errno("fsync " + directory.string());
  files.close(descriptor);
  if (status != 0) return failure;
  return {};
}

Result<void> make_directories(const std::filesystem::path& path, FileSystem& files) {
  if (files.exists(path.c_str())) return {};
  const auto parent = parent_of(path);
  if (parent != path) WEIR_TRY(make_directories(parent, files));
  if (files.mkdir(path.c_str()) != 0 && errno != EEXIST) {
    return fail_errno("create " + path.string());
  }
  return sync_directory(parent, files);
}

Result<std::vector<std::string>> list_directory(const std::filesystem::path& directory,
                                                FileSystem& files) {
  std::vector<std::string> names;
  if (files.list(directory.c_str(), names) != 0) return fail_errno("list " + directory.string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace weir
