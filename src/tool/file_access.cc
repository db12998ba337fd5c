#include "tool/file_access.h"

#include <algorithm>

namespace weir::tool {
namespace {

using PathList = std::vector<std::filesystem::path>;

/// What programs need to start and to compute. No home, no configuration but the system's
/// libraries'.
constexpr const char* kSystem[] = {"/usr",
                                   "/bin",
                                   "/sbin",
                                   "/lib",
                                   "/lib32",
                                   "/lib64",
                                   "/etc/ld.so.cache",
                                   "/etc/alternatives",
                                   "/etc/localtime",
                                   "/etc/ssl/openssl.cnf",
                                   "/dev/zero",
                                   "/dev/random",
                                   "/dev/urandom",
                                   "/proc/cpuinfo",
                                   "/proc/meminfo",
                                   "/proc/self"};
/// And to use the network.
constexpr const char* kNetwork[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
                                    "/etc/services",    "/etc/ssl",   "/etc/host.conf",
                                    "/etc/gai.conf"};

/// Who is a user of this machine: programs look up names.
constexpr const char* kAccounts[] = {"/etc/passwd", "/etc/group"};
/// Who may become one, and what others keep to themselves: no program needs these by itself.
constexpr const char* kSecrets[] = {"/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d",
                                    "/etc/ssh",    "/run/secrets", "/dev/mem",     "/dev/kmem",
                                    "/dev/port",   "/proc/1"};

bool is_disk(const std::filesystem::path& real) {
  std::error_code error;
  return std::filesystem::is_block_file(real, error);
}
/// Where the system tells programs about itself.
constexpr const char* kTold[] = {"/etc", "/proc", "/sys", "/dev", "/run"};

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [rest, end] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return rest == folder.end();
}

bool is_below_any(const std::filesystem::path& path, const auto& folders) {
  return std::ranges::any_of(folders, [&](const auto& folder) { return is_below(path, folder); });
}

/// Those that are there.
PathList without_links(const PathList& paths) {
  PathList real;
  for (const auto& path : paths) {
    std::error_code error;
    auto found = std::filesystem::canonical(path, error);
    if (!error) real.push_back(std::move(found));
  }
  return real;
}

}  // namespace

FileAccess::FileAccess(const Policy& policy)
    : readable_(std::begin(kSystem), std::end(kSystem)), writable_{"/dev/null"} {
  if (policy.network) readable_.insert(readable_.end(), std::begin(kNetwork), std::end(kNetwork));
  readable_.insert(readable_.end(), policy.read.begin(), policy.read.end());
  writable_.insert(writable_.end(), policy.write.begin(), policy.write.end());
  if (!policy.temporary.empty()) writable_.push_back(policy.temporary);
  real_readable_ = without_links(readable_);
  real_writable_ = without_links(writable_);
  real_own_ = without_links(policy.read);
}

FileAccess::Attempt FileAccess::judge(const std::filesystem::path& real, Use use) const {
  if (is_below_any(real, real_writable_)) return Attempt::kAllowed;
  const bool is_readable = is_below_any(real, real_readable_);
  if (is_readable) return use == Use::kReads ? Attempt::kAllowed : Attempt::kUsual;
  if (is_below_any(real, kSecrets) || is_disk(real)) {
    return Attempt::kForbidden;
  }
  if (is_below_any(real, kAccounts)) return Attempt::kDoubtful;
  if (is_below_any(real, kTold)) return Attempt::kUsual;
  const auto lies_above = [&](const auto& own) { return is_below(own, real.parent_path()); };
  if (use == Use::kMakes || std::ranges::any_of(real_own_, lies_above)) return Attempt::kDoubtful;
  return Attempt::kForbidden;
}

}  // namespace weir::tool
