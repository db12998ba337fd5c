#include <optional>
#include <set>
#include <utility>

#include "base/copy_file.h"
#include "base/file.h"
#include "log/verify.h"
#include "store/backup.h"

namespace weir::store {
namespace {

using std::filesystem::path;

class Restoring {
 public:
  Restoring(const path& backup, FileSystem& backup_files, path made, FileSystem& store_files)
      : backup_(backup), backup_files_(backup_files), made_(std::move(made)), files_(store_files) {}

  Result<BackupReport> run(BackupList list) {
    for (const char* folder : {"", "log", "runs", "artifacts"}) WEIR_TRY(make_folder(folder));
    for (const auto& file : list.files) WEIR_TRY(copy(file));
    for (const auto& folder : folders_) WEIR_TRY(sync_directory(place_of(folder), files_));
    WEIR_TRY(check(list));
    report_.list = std::move(list);
    return std::move(report_);
  }

 private:
  Result<void> make_folder(const path& folder) {
    if (!folders_.insert(folder).second) return {};
    if (folder.has_parent_path()) WEIR_TRY(make_folder(folder.parent_path()));
    return make_directories(place_of(folder), files_);
  }

  [[nodiscard]] path place_of(const path& folder) const {
    return folder.empty() ? made_ : made_ / folder;
  }

  Result<void> copy(const BackedUpFile& file) {
    WEIR_TRY(make_folder(path(file.path).parent_path()));
    const auto from = backup_ / file.path;
    std::optional<OwnersFiles> theirs;
    if (file.path == log::StoreDirectory::kKeys) theirs.emplace();
    WEIR_TRY(const auto copied, copy_file(from, backup_files_, made_ / file.path, files_));
    if (copied.sha256 != file.sha256 || copied.bytes != file.bytes) {
      return fail(ErrorCode::kCorrupt,
                  from.string() + ": is not what was backed up; nothing is restored");
    }
    report_.bytes += copied.bytes;
    report_.copied_bytes += copied.bytes;
    return {};
  }

  /// Each file is what the backup had. Whether the backup had what the store sealed, the chain
  /// says.
  Result<void> check(const BackupList& list) {
    WEIR_TRY(const auto store, log::StoreDirectory::open(made_, files_));
    WEIR_TRY(const auto found, log::verify_seals(store, list.anchor));
    // What the store could not give is missing, and was named.
    if (list.left.empty() && !found.problems.empty()) {
      return fail(ErrorCode::kCorrupt, found.problems.front() + "; nothing is restored");
    }
    return {};
  }

  const path& backup_;
  FileSystem& backup_files_;
  const path made_;
  FileSystem& files_;
  std::set<path> folders_;
  BackupReport report_;
};

/// What is not there can be made; an empty folder is as good.
Result<void> refuse_store(const path& store, FileSystem& files) {
  std::vector<std::string> names;
  if (!files.exists(store.c_str())) return {};
  if (files.list(store.c_str(), names) == 0 && names.empty()) return {};
  return fail(ErrorCode::kConflict,
              store.string() + ": something is there; --store names another place");
}

}  // namespace

Result<BackupReport> restore(const path& backup, FileSystem& backup_files, const path& store,
                             FileSystem& store_files) {
  const auto target = store.has_filename() ? store : store.parent_path();
  WEIR_TRY(refuse_store(target, store_files));
  WEIR_TRY(auto list, BackupList::read(backup, backup_files));
  const auto parent = target.parent_path().empty() ? path(".") : target.parent_path();
  WEIR_TRY(make_directories(parent, store_files));
  const path made = target.string() + ".new-" + std::to_string(random_bits());
  auto done = Restoring(backup, backup_files, made, store_files).run(std::move(list));
  if (done && store_files.rename(made.c_str(), target.c_str()) != 0) {
    done = fail_errno("rename " + made.string());
  }
  if (!done) {
    std::error_code ignored;
    if (&store_files == &local_files()) std::filesystem::remove_all(made, ignored);
    return done;
  }
  WEIR_TRY(sync_directory(parent, store_files));
  return done;
}

}  // namespace weir::store
