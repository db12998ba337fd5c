#include "artifact/artifact_store.h"

#include <cstdio>

#include "base/file.h"
#include "base/id.h"

namespace weir::artifact {

std::filesystem::path ArtifactStore::path_of(const Sha256& hash) const {
  const auto name = hash.text();
  return root_ / name.substr(0, 2) / name;
}

Result<void> ArtifactStore::make_folder_of(const std::filesystem::path& path) const {
  if (std::filesystem::exists(path.parent_path())) return {};
  WEIR_TRY(make_directories(path.parent_path()));
  return sync_directory(root_);
}

Result<Sha256> ArtifactStore::put(std::string_view bytes) const {
  const auto hash = sha256(bytes);
  const auto path = path_of(hash);
  if (std::filesystem::exists(path)) return hash;
  WEIR_TRY(make_folder_of(path));
  WEIR_TRY(write_file_durably(path, bytes));
  return hash;
}

Result<Sha256> ArtifactStore::adopt(const std::filesystem::path& file) const {
  WEIR_TRY(const auto hash, sha256_of_file(file));
  {
    WEIR_TRY(const auto opened, File::open_to_read(file));
    WEIR_TRY(opened.sync());
  }
  const auto path = path_of(hash);
  WEIR_TRY(make_folder_of(path));
  if (std::rename(file.c_str(), path.c_str()) != 0) return fail_errno("rename " + file.string());
  WEIR_TRY(sync_directory(path.parent_path()));
  return hash;
}

Result<std::filesystem::path> ArtifactStore::temporary_path() const {
  WEIR_TRY(make_directories(root_ / "tmp"));
  return root_ / "tmp" / std::to_string(random_bits());
}

Result<std::string> ArtifactStore::get(const Sha256& hash, std::uint64_t limit) const {
  WEIR_TRY(auto bytes, read_file(path_of(hash), limit));
  if (sha256(bytes) != hash) {
    return fail(ErrorCode::kCorrupt, path_of(hash).string() + ": not the content of its name");
  }
  return bytes;
}

}  // namespace weir::artifact
