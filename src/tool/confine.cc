#include "tool/confine.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tool/file_access.h"
#include "tool/landlock.h"
#include "tool/system_calls.h"

namespace weir::tool {
namespace {

/// One file of a plugin is not larger: a disk can be filled by many, but not by mistake.
constexpr rlim_t kMaxFileBytes = rlim_t{1} << 30;

/// The supervisor stops a plugin at its limits, and says so. These are walls behind them, where the
/// kernel stops what was faster than the supervisor looks: room in between makes the rest certain.
constexpr rlim_t kWallBytes = rlim_t{256} << 20;
constexpr rlim_t kWallTasks = 64;  // threads count too
constexpr rlim_t kWallSeconds = 2;

/// Never raises what holds already.
Result<void> limit(__rlimit_resource what, rlim_t value, const char* name) {
  rlimit now{};
  if (::getrlimit(what, &now) == 0) value = std::min(value, now.rlim_max);
  const rlimit limits{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(what, &limits) != 0) return fail_errno(std::string("setrlimit ") + name);
  return {};
}

/// A sanitizer maps terabytes for itself, in every process that is forked off a program with it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kIsSanitized = false;
#endif

/// Of the user who runs us the other processes count too, so that the wall must be behind them.
rlim_t tasks_of_user() {
  rlim_t tasks = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    struct stat status{};
    const auto path = entry.path() / "task";
    if (::stat(path.c_str(), &status) != 0 || status.st_uid != ::getuid()) continue;
    tasks += status.st_nlink - 2;  // a folder for each
  }
  return tasks;
}

Result<void> set_limits(const Policy& policy) {
  const auto& limits = policy.limits;
  if (limits.cpu) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*limits.cpu).count();
    WEIR_TRY(limit(RLIMIT_CPU, static_cast<rlim_t>(seconds) * kWallFactor + kWallSeconds, "cpu"));
  }
  if (limits.memory_bytes && !kIsSanitized) {
    WEIR_TRY(limit(RLIMIT_DATA, *limits.memory_bytes * kWallFactor + kWallBytes, "data"));
  }
  if (limits.open_files) {
    WEIR_TRY(limit(RLIMIT_NOFILE, static_cast<rlim_t>(*limits.open_files), "nofile"));
  }
  if (limits.processes && policy.confines()) {
    const auto others = ::getuid() == 0 ? 0 : tasks_of_user();
    const auto wall = others + static_cast<rlim_t>(*limits.processes) * kWallFactor + kWallTasks;
    WEIR_TRY(limit(RLIMIT_NPROC, wall, "nproc"));
  }
  if (!policy.confines()) return {};
  WEIR_TRY(limit(RLIMIT_CORE, 0, "core"));
  return limit(RLIMIT_FSIZE, kMaxFileBytes, "fsize");
}

Result<FileRules> file_rules(const Policy& policy) {
  WEIR_TRY(auto rules, FileRules::create());
  const FileAccess access(policy);
  for (const auto& path : access.readable()) WEIR_TRY(rules.allow_reading(path));
  for (const auto& path : access.writable()) WEIR_TRY(rules.allow_writing(path));
  return rules;
}

Result<void> leave_root(const std::filesystem::path& temporary) {
  const auto user = user_for(::getpid());
  if (!temporary.empty() && ::chown(temporary.c_str(), user, user) != 0) {
    return fail_errno("chown " + temporary.string());
  }
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0) {
    return fail_errno("to become another user than root");
  }
  return {};
}

Result<void> named(Result<void> result, std::string_view protection) {
  if (result) return result;
  return std::unexpected(std::move(result).error().within(protection));
}

}  // namespace

uid_t user_for(pid_t process) {
  // The numbers that systemd keeps for users who are there for a moment: no name, and inside what
  // containers map.
  constexpr uid_t kFirst = 61184;
  constexpr uid_t kCount = 4336;
  return kFirst + static_cast<uid_t>(process) % kCount;
}

Result<Descriptor> confine(const Policy& policy, pid_t supervisor) {
  const bool is_root = ::getuid() == 0;
  WEIR_TRY(named(set_limits(policy), "limits"));
  if (policy.confines()) {
    // Before root is left: it may open what the user may not.
    auto files = file_rules(policy);
    if (!files) return std::unexpected(std::move(files).error().within("files"));
    if (is_root) WEIR_TRY(named(leave_root(policy.temporary), "user"));
    ::umask(077);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("no_new_privs");
    WEIR_TRY(named(files->enforce(), "files"));
  }
  // A change of the user forgets it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) return fail(ErrorCode::kCancelled, "the supervisor has ended");
  if (!policy.confines()) return Descriptor();
  const auto version = landlock_version();
  auto listener =
      enforce({.forbidden = policy.trust == config::Trust::kPartner ? CallRules::Forbidden::kFails
                                                                    : CallRules::Forbidden::kKills,
               .network = policy.network,
               .holds_signals = is_root || version >= kLandlockHoldsSignals,
               .holds_truncate = version >= kLandlockHoldsTruncate});
  if (listener) return listener;
  return std::unexpected(std::move(listener).error().within("system calls"));
}

}  // namespace weir::tool
