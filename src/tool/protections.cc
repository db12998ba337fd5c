#include "tool/protections.h"

#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "tool/landlock.h"
#include "tool/process_tree.h"
#include "tool/system_calls.h"

namespace weir::tool {
namespace {

Protection files() {
  const auto version = landlock_version();
  return {
      .name = "files",
      .what = "it reads the system's programs and its own folder, and writes a temporary folder",
      .available = version > 0,
      .mechanism = version > 0 ? "Landlock, version " + std::to_string(version) +
                                     (can_tell_calls() ? ", and seccomp tells what it is refused"
                                                       : ", and nobody tells what it is refused")
                               : "the kernel has no Landlock, or it is switched off; it needs "
                                 "Linux 5.13 and 'landlock' among the kernel's 'lsm='"};
}

Protection calls(std::string name, std::string what) {
  const bool available = can_filter_calls();
  return {.name = std::move(name),
          .what = std::move(what),
          .available = available,
          .mechanism = available ? "seccomp" : "the kernel does not let us filter system calls"};
}

/// capabilities(7): setuid and setgid.
bool can_change_user() {
  std::ifstream status("/proc/self/status");
  constexpr std::uint64_t kNeeded = 1U << 6 | 1U << 7;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    return (std::stoull(line.substr(line.find('\t') + 1), nullptr, 16) & kNeeded) == kNeeded;
  }
  return false;
}

Protection user() {
  Protection user{.name = "user", .what = "it is not root, and counts as a user", .mechanism = {}};
  user.available = ::getuid() != 0 || can_change_user();
  user.mechanism = ::getuid() != 0  ? "weir does not run as root"
                   : user.available ? "a user of its own"
                                    : "weir runs as root and may not become another user";
  return user;
}

Protection limits() {
  const bool available = can_see_descendants();
  return {.name = "limits",
          .what = "memory, processor time and processes end at a limit",
          .available = available,
          .mechanism = available ? "the supervisor, and resource limits behind it"
                                 : "the kernel does not tell the children of a process; /proc must "
                                   "be mounted"};
}

}  // namespace

std::vector<Protection> protections() {
  return {{.name = "environment",
           .what = "it sees the variables that it is given, and no open file of weir's",
           .available = true,
           .mechanism = "exec"},
          files(),
          calls("network", "it has no network"),
          calls("calls", "it cannot touch other processes, mounts or the kernel"),
          user(),
          limits()};
}

Result<void> check_protections(config::Trust trust, const std::vector<Protection>& available) {
  if (trust == config::Trust::kTrusted) return {};
  std::vector<std::string> missing;
  for (const auto& one : available) {
    if (!one.available) missing.push_back(one.name + " (" + one.mechanism + ")");
  }
  if (missing.empty()) return {};
  return fail(ErrorCode::kUnavailable,
              "a plugin that is not trusted is not run without these protections, which this "
              "machine does not have: " +
                  text::join(missing, "; ") +
                  ". If you trust it, say so in weir.yaml: plugins: {trust: {ID: trusted}}");
}

}  // namespace weir::tool
