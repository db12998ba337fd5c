#include "store/scratch_folder.h"

#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "base/id.h"

namespace weir::store {
namespace {

constexpr std::string_view kPrefix = "sql-";
constexpr std::string_view kLockSuffix = ".lock";

std::filesystem::path lock_of(std::filesystem::path folder) { return folder += kLockSuffix; }

/// The lock goes last: a folder without one would stay for ever.
void remove_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  std::filesystem::remove(lock_of(folder), ignored);
}

/// What nobody holds any more.
void remove_abandoned(const std::filesystem::path& cache) {
  const auto names = list_directory(cache);
  if (!names) return;
  for (const auto& name : *names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kLockSuffix)) continue;
    const auto lock = File::open_to_change(cache / name);
    const auto is_free = lock ? lock->try_lock() : Result<bool>(false);
    if (is_free && *is_free)
      remove_folder(cache / name.substr(0, name.size() - kLockSuffix.size()));
  }
}

std::filesystem::path new_name(const std::filesystem::path& cache) {
  std::array<char, 16> hex{};
  const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), random_bits(), 16).ptr;
  return cache / std::string(kPrefix).append(hex.data(), end);
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make(const log::StoreDirectory& store) {
  const auto cache = store.root() / "cache";
  std::error_code error;
  std::filesystem::create_directory(cache, error);
  if (error) return fail(ErrorCode::kIo, cache.string() + ": " + error.message());
  remove_abandoned(cache);
  while (true) {
    const auto path = new_name(cache);
    WEIR_TRY(auto lock, File::open_or_create(lock_of(path)));
    WEIR_TRY(const bool is_ours, lock.try_lock());
    if (!is_ours) continue;  // somebody takes it for an abandoned one
    if (::mkdir(path.c_str(), S_IRWXU) != 0) {
      return fail(ErrorCode::kIo, path.string() + ": " + std::strerror(errno));
    }
    return ScratchFolder(path, std::move(lock));
  }
}

std::optional<ScratchFolder> spill_below(const log::StoreDirectory& store,
                                         DatabaseOptions& options) {
  auto scratch = ScratchFolder::make(store);
  if (!scratch) return {};
  options.spill_folder = scratch->path() / "spill";
  return *std::move(scratch);
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

/// The other one removes what this has had.
ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

ScratchFolder::~ScratchFolder() {
  if (!path_.empty()) remove_folder(path_);
}

}  // namespace weir::store
