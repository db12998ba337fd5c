#include "log/run_lock.h"

namespace weir::log {

Result<RunLock> RunLock::take(const StoreDirectory& store, const RunId& run) {
  WEIR_TRY(auto file, File::open_or_create(store.run_lock(run), store.files()));
  WEIR_TRY(const bool locked, file.try_lock());
  if (!locked) {
    return fail(ErrorCode::kConflict, "run " + run.text() + " belongs to another process");
  }
  return RunLock(std::move(file), store.files());
}

bool RunLock::is_held(const StoreDirectory& store, const RunId& run) {
  const auto file = File::open_to_read(store.run_lock(run), store.files());
  if (!file) return false;
  return !file->try_lock(LockKind::kShared).value_or(true);
}

std::unordered_set<RunId> RunLock::held(const StoreDirectory& store) {
  std::unordered_set<RunId> held;
  const auto listed = list_directory(store.run_locks(), store.files());
  if (!listed) return held;
  for (const auto& file_name : *listed) {
    const auto run = RunId::parse(std::filesystem::path(file_name).stem().string());
    if (run && is_held(store, *run)) held.insert(*run);
  }
  return held;
}

RunLock::~RunLock() {
  if (file_) files_->unlink(file_->path().c_str());
}

}  // namespace weir::log
