#include "artifact/writer_folder.h"

#include <cstdlib>
#include <string>

namespace weir::artifact {
namespace {

/// What cannot be removed stays for the next writer: it is in nobody's way.
Result<void> remove_unheld(const std::filesystem::path& root) {
  WEIR_TRY(const auto names, list_directory(root));
  for (const auto& name : names) {
    const auto entry = File::open_to_read(root / name);
    if (!entry || !entry->try_lock().value_or(false)) continue;
    std::error_code ignored;
    std::filesystem::remove_all(root / name, ignored);
  }
  return {};
}

}  // namespace

Result<WriterFolder> WriterFolder::create(const std::filesystem::path& root) {
  WEIR_TRY(make_directories(root));
  // Until the end of this function nobody else looks for dead writers, so that nobody finds our
  // folder before we hold it.
  WEIR_TRY(const auto coming, File::open_to_read(root));
  WEIR_TRY(coming.lock());
  WEIR_TRY(remove_unheld(root));
  auto path = (root / "XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) return fail_errno("create a folder in " + root.string());
  WEIR_TRY(auto held, File::open_to_read(path));
  WEIR_TRY(const bool locked, held.try_lock());
  if (!locked) return fail(ErrorCode::kIo, path + ": a new folder is locked by somebody else");
  return WriterFolder(std::move(held));
}

WriterFolder::~WriterFolder() {
  if (path_.empty()) return;
  std::error_code ignored;  // the next writer removes what stays
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path WriterFolder::new_path() { return path_ / std::to_string(next_++); }

}  // namespace weir::artifact
