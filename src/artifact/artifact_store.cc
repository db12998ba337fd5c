#include "artifact/artifact_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file.h"

namespace weir::artifact {
namespace {

Result<void> write_and_sync(const std::filesystem::path& path, std::string_view bytes) {
  WEIR_TRY(auto file, File::create(path));
  WEIR_TRY(file.write(bytes));
  return file.sync();
}

}  // namespace

std::filesystem::path ArtifactStore::path_of(const Sha256& hash) const {
  const auto name = hash.text();
  return root_ / name.substr(0, 2) / name;
}

Result<Sha256> ArtifactStore::put(std::string_view bytes) const {
  const auto hash = sha256(bytes);
  std::error_code error;
  // When it cannot be told whether it is there, writing it again is right as well. Its time says
  // that somebody will name it: see remove_older.
  if (::utimensat(AT_FDCWD, path_of(hash).c_str(), nullptr, 0) == 0) return hash;
  WEIR_TRY(const auto temporary, temporary_path());
  auto done = write_and_sync(temporary, bytes);
  if (done) done = move_in(temporary, hash);
  if (!done) {
    std::filesystem::remove(temporary, error);
    return std::unexpected(std::move(done).error());
  }
  return hash;
}

Result<Sha256> ArtifactStore::adopt(const std::filesystem::path& file) const {
  WEIR_TRY(const auto hash, sha256_of_file(file));
  {
    WEIR_TRY(const auto opened, File::open_to_read(file));
    WEIR_TRY(opened.sync());
  }
  WEIR_TRY(move_in(file, hash));
  return hash;
}

Result<void> ArtifactStore::move_in(const std::filesystem::path& file, const Sha256& hash) const {
  const auto path = path_of(hash);
  WEIR_TRY(make_directories(path.parent_path()));
  if (std::rename(file.c_str(), path.c_str()) != 0) return fail_errno("rename " + file.string());
  return sync_directory(path.parent_path());
}

Result<std::filesystem::path> ArtifactStore::temporary_path() const {
  const std::lock_guard lock(mutex_);
  if (!temporaries_) {
    WEIR_TRY(auto folder, WriterFolder::create(root_ / "tmp"));
    temporaries_.emplace(std::move(folder));
  }
  return temporaries_->new_path();
}

Result<std::optional<std::uint64_t>> ArtifactStore::remove_older(const Sha256& hash,
                                                                 Timestamp before) const {
  const auto path = path_of(hash);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return fail_errno("stat " + path.string());
  }
  const auto time = std::chrono::seconds(status.st_mtim.tv_sec);
  if (before <= Timestamp(time)) return std::nullopt;
  if (::unlink(path.c_str()) != 0) return fail_errno("remove " + path.string());
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::string> ArtifactStore::get(const Sha256& hash, std::uint64_t limit) const {
  WEIR_TRY(auto bytes, read_file(path_of(hash), limit));
  if (sha256(bytes) != hash) {
    return fail(ErrorCode::kCorrupt, path_of(hash).string() + ": not the content of its name");
  }
  return bytes;
}

}  // namespace weir::artifact
