#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <tuple>

#include "record/builtin_hooks.h"

namespace weir::record {
namespace {

struct LogFile {
  timespec modified;
  std::string name;

  [[nodiscard]] auto age() const { return std::tie(modified.tv_sec, modified.tv_nsec, name); }
};

/// `*` is any characters, `?` one. Goes back to the last `*` only, so it takes no more than
/// pattern times name steps.
bool matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;  // hidden, as in a shell
  std::size_t p = 0, n = 0, after_star = std::string_view::npos, star_took = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_took = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      n = ++star_took;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

using Directory = std::unique_ptr<DIR, decltype([](DIR* directory) { ::closedir(directory); })>;

/// The regular files of the directory that match. Names have no '/' and are used below with the
/// open directory only, so nothing outside it can be meant, whatever is renamed meanwhile.
std::vector<LogFile> matching_files(DIR* directory, const std::string& pattern) {
  std::vector<LogFile> files;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
  while (const auto* entry = ::readdir(directory)) {
    const char* name = entry->d_name;
    if (!matches(pattern, name)) continue;
    struct stat status{};
    if (::fstatat(::dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(status.st_mode)) files.push_back({status.st_mtim, name});
  }
  return files;
}

}  // namespace

Result<void> check(const LogRotation& rotation) {
  if (rotation.pattern.empty() || rotation.pattern.contains('/')) {
    return fail(ErrorCode::kInvalidInput, "log rotation: the pattern '" + rotation.pattern +
                                              "' must be one of file names, without '/'");
  }
  if (rotation.keep == 0) {
    return fail(ErrorCode::kInvalidInput, "log rotation: it must keep a file, the one in use");
  }
  return {};
}

Result<std::size_t> rotate_logs(const LogRotation& rotation) {
  WEIR_TRY(check(rotation));
  const Directory directory(::opendir(rotation.folder.c_str()));
  if (!directory && errno == ENOENT) return 0;
  if (!directory) return fail_errno("open folder " + rotation.folder.string());
  const int folder = ::dirfd(directory.get());
  WEIR_CHECK(folder >= 0);
  auto files = matching_files(directory.get(), rotation.pattern);
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.age() > b.age(); });
  std::size_t deleted = 0;
  std::optional<Error> failure;
  for (std::size_t i = rotation.keep; i < files.size(); ++i) {
    if (::unlinkat(folder, files[i].name.c_str(), 0) == 0) {
      ++deleted;
    } else if (errno != ENOENT && !failure) {
      failure = fail_errno("delete " + (rotation.folder / files[i].name).string()).error();
    }
  }
  if (failure) return std::unexpected(*std::move(failure));
  return deleted;
}

}  // namespace weir::record
