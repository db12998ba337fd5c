#include "tool/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "tool/process_tree.h"

namespace weir::tool {
namespace {

constexpr int kEndMs = 1000;
constexpr int kMaxRounds = 100;

/// Whether a variable stands among others, as in /proc/PID/environ: each with a zero behind it.
bool has_variable(std::string_view environment, std::string_view variable) {
  while (!environment.empty()) {
    const auto entry = environment.substr(0, environment.find('\0'));
    if (entry == variable) return true;
    environment.remove_prefix(std::min(environment.size(), entry.size() + 1));
  }
  return false;
}

std::vector<pid_t> processes() {
  std::vector<pid_t> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  while (folder) {
    const auto* entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error == std::errc() && end == name.data() + name.size()) all.push_back(process);
  }
  return all;
}

}  // namespace

std::size_t end_leftovers(std::string_view run_id) {
  const auto variable = std::string("WEIR_RUN_ID=").append(run_id);
  std::size_t found = 0;
  // What is born while they are looked for is found the next time.
  bool is_done = false;
  for (int round = 0; !is_done && round < kMaxRounds; ++round) {
    is_done = true;
    for (const auto process : processes()) {
      if (process == ::getpid()) continue;
      // Before its environment is read: the number may be another process's afterwards.
      const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
      if (!handle.is_open()) continue;
      const auto environment = read_small("/proc/" + std::to_string(process) + "/environ");
      if (!has_variable(environment, variable)) continue;
      if (::syscall(SYS_pidfd_send_signal, handle.number(), SIGKILL, nullptr, 0) != 0) continue;
      ++found;
      pollfd end{.fd = handle.number(), .events = POLLIN, .revents = 0};
      is_done = ::poll(&end, 1, kEndMs) == 0;  // the kernel holds it: no more can be done
    }
  }
  return found;
}

}  // namespace weir::tool
