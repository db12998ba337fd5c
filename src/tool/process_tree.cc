#include "tool/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace weir::tool {

std::string read_small(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while (file.is_open() && (got = ::read(file.number(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

namespace {

/// Every thread has a list of the children that it made.
std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  const auto tasks = "/proc/" + std::to_string(process) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(tasks.c_str()), &::closedir);
  while (folder) {
    const auto* entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] == '.') continue;
    std::istringstream words(read_small(tasks + "/" + entry->d_name + "/children"));
    for (pid_t child = 0; words >> child;) children.push_back(child);
  }
  return children;
}

/// proc(5), /proc/PID/stat: what follows the program's name, which may hold anything.
void add_process(pid_t process, TreeUsage& usage) {
  const auto text = read_small("/proc/" + std::to_string(process) + "/stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream words(text.substr(name_end + 1));
  std::string state, skipped;
  words >> state;
  for (int field = 4; field <= 13; ++field) words >> skipped;
  std::int64_t ticks = 0;  // utime, stime, and those of the children that it has waited for
  for (int field = 14; field <= 17; ++field) {
    std::int64_t some = 0;
    words >> some;
    ticks += some;
  }
  std::int64_t threads = 0, pages = 0;
  words >> skipped >> skipped >> threads >> skipped >> skipped >> skipped >> pages;
  if (!words) return;
  static const auto ticks_a_second = ::sysconf(_SC_CLK_TCK);
  static const auto page_bytes = ::sysconf(_SC_PAGESIZE);
  usage.cpu += std::chrono::milliseconds(ticks * 1000 / ticks_a_second);
  if (state == "Z") return;  // it waits to be waited for, and has nothing else
  ++usage.processes;
  usage.threads += threads;
  usage.memory_bytes += static_cast<std::uint64_t>(pages * page_bytes);
}

}  // namespace

TreeUsage usage_of_descendants(pid_t process, std::int64_t enough) {
  TreeUsage usage;
  std::vector<pid_t> left = children_of(process);
  while (!left.empty() && usage.processes <= enough) {
    const auto next = left.back();
    left.pop_back();
    add_process(next, usage);
    for (const auto child : children_of(next)) left.push_back(child);
  }
  return usage;
}

void signal_tree(pid_t process, int signal) {
  const bool stops_first = signal == SIGSTOP || signal == SIGKILL;
  std::vector<pid_t> tree = {process};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (stops_first) ::kill(tree[i], SIGSTOP);  // then it makes no more
    for (const auto child : children_of(tree[i])) tree.push_back(child);
  }
  if (signal == SIGSTOP) return;
  for (const auto one : tree) ::kill(one, signal);
}

bool can_see_descendants() { return ::access("/proc/thread-self/children", R_OK) == 0; }

}  // namespace weir::tool
