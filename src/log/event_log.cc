#include "log/event_log.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace weir::log {
namespace {

constexpr std::uint64_t kMaxVersionFile = 64;

Result<void> check_version(const std::filesystem::path& root) {
  const auto path = root / "VERSION";
  WEIR_TRY(const auto text, read_file(path, kMaxVersionFile));
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || version < 1) {
    return fail(ErrorCode::kCorrupt, path.string() + ": holds no format version");
  }
  if (version > kFormatVersion) {
    return fail(ErrorCode::kUnavailable, root.string() + ": its format is version " +
                                             std::to_string(version) +
                                             ", this program knows up to " +
                                             std::to_string(kFormatVersion) + "; use a newer weir");
  }
  return {};
}

}  // namespace

Result<StoreDirectory> StoreDirectory::create(const std::filesystem::path& root) {
  // A newer store is left exactly as it is.
  if (std::filesystem::exists(root / "VERSION")) WEIR_TRY(check_version(root));
  for (const char* folder : {"log", "runs", "artifacts"}) {
    WEIR_TRY(make_directories(root / folder));
  }
  if (!std::filesystem::exists(root / "VERSION")) {
    WEIR_TRY(write_file_durably(root / "VERSION", std::to_string(kFormatVersion) + "\n"));
  }
  return open(root);
}

Result<StoreDirectory> StoreDirectory::open(const std::filesystem::path& root) {
  if (!std::filesystem::is_directory(root)) {
    return fail(ErrorCode::kNotFound, root.string() + ": no store there");
  }
  WEIR_TRY(check_version(root));
  return StoreDirectory(root);
}

Result<std::vector<std::filesystem::path>> StoreDirectory::segments() const {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(log(), error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".jsonl") paths.push_back(at->path());
  }
  if (error) return fail(ErrorCode::kIo, "list " + log().string() + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

LogWriter::LogWriter(const StoreDirectory& store, Timestamp now) : folder_(store.log()) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
  char name[32];
  std::snprintf(name, sizeof name, "%012llx%012llx", static_cast<unsigned long long>(ms),
                static_cast<unsigned long long>(random_bits() >> 16));
  writer_ = name;
}

Result<void> LogWriter::commit(std::string& lines, std::uint64_t events) {
  if (!segment_ || segment_->size_bytes() >= kMaxSegmentBytes) {
    char number[32];
    std::snprintf(number, sizeof number, "-%06d.jsonl", ++number_);
    WEIR_TRY(segment_, SegmentWriter::create(folder_ / (writer_ + number)));
  }
  return segment_->commit(lines, events);
}

Result<RunLock> RunLock::take(const StoreDirectory& store, const RunId& run) {
  const auto path = store.run_lock(run);
  WEIR_TRY(auto file, File::open_or_create(path));
  WEIR_TRY(const bool locked, file.try_lock());
  if (!locked)
    return fail(ErrorCode::kConflict, "run " + run.text() + " belongs to another process");
  return RunLock(std::move(file));
}

bool RunLock::is_held(const StoreDirectory& store, const RunId& run) {
  const auto file = File::open_to_read(store.run_lock(run));
  if (!file) return false;
  return !file->try_lock().value_or(true);
}

RunLock::~RunLock() {
  std::error_code ignored;
  if (file_) std::filesystem::remove(file_->path(), ignored);
}

}  // namespace weir::log
