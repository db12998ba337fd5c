#include "tool/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir::tool {
namespace {

// <linux/landlock.h> of the kernel that runs may know more than the one of the machine that builds:
// the numbers are the interface, and never change.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr std::uint32_t kAskVersion = 1;
constexpr int kPathBeneath = 1;

constexpr std::uint64_t kExecute = 1U << 0;
constexpr std::uint64_t kWriteFile = 1U << 1;
constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadFolder = 1U << 3;
constexpr std::uint64_t kTruncate = 1U << 14;
constexpr std::uint64_t kOnFiles = kExecute | kWriteFile | kReadFile | kTruncate;
constexpr std::uint64_t kToRead = kExecute | kReadFile | kReadFolder;
constexpr std::uint64_t kScopeAbstractSockets = 1U << 0;
constexpr std::uint64_t kScopeSignals = 1U << 1;

struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

// As the kernel lays it out: no padding.
struct [[gnu::packed]] PathRule {
  std::uint64_t allowed = 0;
  std::int32_t parent = -1;
};

/// All rights over files that this version knows: what is not known cannot be given up.
std::uint64_t all_rights(int version) {
  if (version >= 5) return (1U << 16) - 1;  // device ioctls
  if (version >= kLandlockHoldsTruncate) return (1U << 15) - 1;
  if (version == 2) return (1U << 14) - 1;  // links and renames between folders
  return (1U << 13) - 1;
}

}  // namespace

int landlock_version() {
  const auto version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

Result<FileRules> FileRules::create() {
  const auto version = landlock_version();
  if (version == 0) return fail(ErrorCode::kUnavailable, "the kernel has no Landlock");
  Ruleset rules{.files = all_rights(version)};
  std::size_t size = sizeof rules.files;
  if (version >= kLandlockHoldsSignals) {
    rules.scoped = kScopeAbstractSockets | kScopeSignals;
    size = sizeof rules;
  }
  Descriptor created(static_cast<int>(::syscall(kCreateRuleset, &rules, size, 0)));
  if (!created.is_open()) return fail_errno("landlock_create_ruleset");
  return FileRules(std::move(created));
}

Result<void> FileRules::allow_reading(const std::filesystem::path& path) {
  return allow(path, kToRead);
}

Result<void> FileRules::allow_writing(const std::filesystem::path& path) {
  return allow(path, all_rights(landlock_version()));
}

Result<void> FileRules::allow(const std::filesystem::path& path, std::uint64_t rights) {
  const Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return fail_errno("open " + path.string());
  }
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return fail_errno("stat " + path.string());
  if (!S_ISDIR(status.st_mode)) rights &= kOnFiles;
  const PathRule rule{.allowed = rights & all_rights(landlock_version()), .parent = file.number()};
  const auto* address = &rule;
  if (::syscall(kAddRule, rules_.number(), kPathBeneath, address, 0) != 0) {
    return fail_errno("landlock_add_rule for " + path.string());
  }
  return {};
}

Result<void> FileRules::enforce() const {
  if (::syscall(kRestrictSelf, rules_.number(), 0) != 0)
    return fail_errno("landlock_restrict_self");
  return {};
}

}  // namespace weir::tool
