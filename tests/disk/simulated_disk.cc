#include "tests/disk/simulated_disk.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::disk {
namespace {

/// What a disk writes as a whole or not at all.
constexpr std::uint64_t kSector = 512;

/// As direct writes must be.
bool is_aligned(std::uint64_t offset, const char* bytes, std::size_t size) {
  return (offset | reinterpret_cast<std::uintptr_t>(bytes) | size) % kSector == 0;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

int fail_with(int error) {
  errno = error;
  return -1;
}

}  // namespace

SimulatedDisk::SimulatedDisk(Chance& chance) : chance_(chance) {
  auto root = std::make_shared<Node>();
  root->is_directory = true;
  now_["/"] = durable_["/"] = root;
}

SimulatedDisk::NodePointer SimulatedDisk::find(const std::string& path) const {
  const auto found = now_.find(path);
  return found == now_.end() ? nullptr : found->second;
}

bool SimulatedDisk::sync_failed(const std::string& path) const {
  const auto node = find(path);
  return node != nullptr && node->sync_failed;
}

void SimulatedDisk::apply(std::map<std::string, NodePointer>& entries, const EntryChange& change) {
  if (!change.removed.empty()) entries.erase(change.removed);
  if (!change.added.empty()) entries[change.added] = change.node;
  if (change.removed.empty() || change.added.empty() || !change.node->is_directory) return;
  // What is in a folder goes with it.
  std::map<std::string, NodePointer> moved;
  const auto below = change.removed + "/";
  for (auto entry = entries.lower_bound(below); entry != entries.end();) {
    if (!entry->first.starts_with(below)) break;
    moved.emplace(change.added + entry->first.substr(change.removed.size()), entry->second);
    entry = entries.erase(entry);
  }
  entries.merge(moved);
}

void SimulatedDisk::change_entry(EntryChange change) {
  apply(now_, change);
  changes_.push_back(std::move(change));
}

void SimulatedDisk::apply(std::string& bytes, const Write& write) {
  if (write.truncated) {
    bytes.resize(*write.truncated);
    return;
  }
  if (bytes.size() < write.offset + write.bytes.size()) {
    bytes.resize(write.offset + write.bytes.size());
  }
  std::copy(write.bytes.begin(), write.bytes.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

void SimulatedDisk::keep_some(Node& node, Loss loss) {
  // Often all or nothing, so that both happen even to writes of many sectors.
  constexpr unsigned kKept[] = {0, 100, 500, 900, 1000};
  const auto kept = kKept[chance_.below(std::size(kKept))];
  for (const auto& write : node.pending) {
    if (write.truncated) {
      if (loss == Loss::kFailedSync || chance_.in_1000(kept)) apply(node.durable, write);
      continue;
    }
    for (std::uint64_t at = 0; at < write.bytes.size();) {
      const auto offset = write.offset + at;
      const auto size = std::min(kSector - offset % kSector, write.bytes.size() - at);
      if (chance_.in_1000(kept)) {
        apply(node.durable,
              Write{.offset = offset, .bytes = write.bytes.substr(at, size), .truncated = {}});
      }
      at += size;
    }
  }
  if (node.durable.size() < node.now.size() && chance_.in_1000(300)) {
    node.durable.resize(node.now.size());  // the size was written, the bytes were not
  }
  node.pending.clear();
}

void SimulatedDisk::lose_power() {
  for (const auto& change : changes_) {
    if (chance_.in_1000(500)) apply(durable_, change);
  }
  changes_.clear();
  // What stands in a directory that is gone is gone as well.
  std::erase_if(durable_, [&](const auto& entry) {
    return entry.first != "/" && !durable_.contains(directory_of(entry.first));
  });
  now_ = durable_;
  std::erase_if(nodes_, [](const auto& node) { return node.expired(); });
  for (const auto& weak : nodes_) {
    const auto node = weak.lock();
    keep_some(*node, Loss::kPower);
    node->now = node->durable;
  }
}

void SimulatedDisk::close_all(int process) {
  std::erase_if(open_, [&](const auto& entry) { return entry.second.process == process; });
}

void SimulatedProcess::kill() {
  killed_ = true;
  disk_.close_all(id_);
}

bool SimulatedProcess::begin_call() {
  if (killed_) return false;
  if (calls_left_ && (*calls_left_)-- == 0) {
    dying_ = true;
    return false;
  }
  return true;
}

SimulatedDisk::Open* SimulatedProcess::opened(int file) {
  const auto found = disk_.open_.find(file);
  return found == disk_.open_.end() ? nullptr : &found->second;
}

bool SimulatedProcess::fails(unsigned permille, int error) {
  if (!disk_.chance_.in_1000(permille)) return false;
  errno = error;
  return true;
}

/// Before every call: one in which the process dies has no effect but that it ends. `write` alone
/// may have done a part.
#define WEIR_CALL(result) \
  if (!begin_call()) {    \
    if (dying_) kill();   \
    errno = EIO;          \
    return result;        \
  }

int SimulatedProcess::open(const char* path, int flags) {
  WEIR_CALL(-1)
  if (fails(disk_.faults.open_error, (flags & O_CREAT) != 0 && disk_.full ? ENOSPC : EIO))
    return -1;
  auto node = disk_.find(path);
  if (node != nullptr && (flags & O_EXCL) != 0) return fail_with(EEXIST);
  if (node == nullptr) {
    if ((flags & O_CREAT) == 0) return fail_with(ENOENT);
    const auto directory = directory_of(path);
    if (disk_.find(directory) == nullptr) return fail_with(ENOENT);
    node = std::make_shared<SimulatedDisk::Node>();
    disk_.nodes_.push_back(node);
    disk_.change_entry({.directory = directory, .removed = {}, .added = path, .node = node});
  }
  const int descriptor = disk_.next_descriptor_++;
  disk_.open_[descriptor] = {.node = node, .path = path, .process = id_};
  return descriptor;
}

int SimulatedProcess::close(int file) {
  WEIR_CALL(-1)
  return disk_.open_.erase(file) == 1 ? 0 : fail_with(EBADF);
}

ssize_t SimulatedProcess::write(int file, const char* bytes, std::size_t size) {
  return write_to(file, {}, bytes, size);
}

/// Some file systems cannot.
int SimulatedProcess::set_direct(int file, bool direct) {
  WEIR_CALL(-1)
  auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (direct && fails(disk_.faults.other_error, EINVAL)) return -1;
  open->direct = direct;
  return 0;
}

ssize_t SimulatedProcess::pwrite(int file, const char* bytes, std::size_t size,
                                 std::uint64_t offset) {
  return write_to(file, offset, bytes, size);
}

/// At the end of the file without an offset: as for O_APPEND.
ssize_t SimulatedProcess::write_to(int file, std::optional<std::uint64_t> offset, const char* bytes,
                                   std::size_t size) {
  const bool survives = begin_call();
  if (!survives && !dying_) return fail_with(EIO);
  auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (open->direct && !is_aligned(offset.value_or(open->node->now.size()), bytes, size)) {
    return fail_with(EINVAL);
  }
  auto allowed = size;
  int error = 0;
  if (!survives) {
    allowed = disk_.chance_.below(size + 1);
  } else if (fails(disk_.faults.interrupted, EINTR)) {
    return -1;
  } else if (fails(disk_.faults.write_error, EIO)) {
    error = EIO;
    allowed = disk_.chance_.below(size);
  } else if (disk_.full && size > disk_.room) {
    error = ENOSPC;
    allowed = disk_.chance_.below(size);
  } else if (disk_.full) {
    disk_.room -= size;
  } else if (disk_.chance_.in_1000(disk_.faults.short_write)) {
    allowed = 1 + disk_.chance_.below(size);
  }
  auto& node = *open->node;
  if (allowed > 0) {
    SimulatedDisk::Write write{.offset = offset.value_or(node.now.size()),
                               .bytes = std::string(bytes, allowed),
                               .truncated = {}};
    SimulatedDisk::apply(node.now, write);
    node.pending.push_back(std::move(write));
  }
  if (!survives) {
    kill();
    return fail_with(EIO);
  }
  // What was taken is told first; the next call fails. An I/O error takes and fails at once.
  if (error == EIO || (error != 0 && allowed == 0)) return fail_with(error);
  return static_cast<ssize_t>(allowed);
}

ssize_t SimulatedProcess::read(int file, char* out, std::size_t size) {
  auto* open = opened(file);
  const auto got = pread(file, out, size, open == nullptr ? 0 : open->position);
  if (got > 0) open->position += static_cast<std::uint64_t>(got);
  return got;
}

ssize_t SimulatedProcess::pread(int file, char* out, std::size_t size, std::uint64_t offset) {
  WEIR_CALL(-1)
  const auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (fails(disk_.faults.interrupted, EINTR) || fails(disk_.faults.other_error, EIO)) return -1;
  const auto& bytes = open->node->now;
  if (offset >= bytes.size()) return 0;
  const auto got = std::min<std::uint64_t>(size, bytes.size() - offset);
  std::memcpy(out, bytes.data() + offset, got);
  return static_cast<ssize_t>(got);
}

int SimulatedProcess::fdatasync(int file) {
  WEIR_CALL(-1)
  const auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  auto& node = *open->node;
  if (!node.pending.empty() && fails(disk_.faults.sync_error, EIO)) {
    ++disk_.failed_syncs;
    node.sync_failed = true;
    disk_.keep_some(node, SimulatedDisk::Loss::kFailedSync);
    if (disk_.chance_.in_1000(500)) node.now = node.durable;  // the pages were given up
    errno = EIO;
    return -1;
  }
  for (const auto& write : node.pending) SimulatedDisk::apply(node.durable, write);
  node.pending.clear();
  return 0;
}

int SimulatedProcess::fsync(int file) {
  WEIR_CALL(-1)
  const auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (fails(disk_.faults.sync_error, EIO)) return -1;
  std::erase_if(disk_.changes_, [&](const SimulatedDisk::EntryChange& change) {
    if (change.directory != open->path) return false;
    SimulatedDisk::apply(disk_.durable_, change);
    return true;
  });
  return 0;
}

int SimulatedProcess::ftruncate(int file, std::uint64_t size) {
  WEIR_CALL(-1)
  const auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (fails(disk_.faults.other_error, EIO)) return -1;
  if (open->node->now.size() == size) return 0;
  SimulatedDisk::Write change{.offset = 0, .bytes = {}, .truncated = size};
  SimulatedDisk::apply(open->node->now, change);
  open->node->pending.push_back(std::move(change));
  return 0;
}

int SimulatedProcess::fallocate(int file, std::uint64_t offset, std::uint64_t size) {
  WEIR_CALL(-1)
  auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  if (disk_.full) return fail_with(ENOSPC);
  open->node->reserved = std::max(open->node->reserved, offset + size);
  return 0;
}

std::int64_t SimulatedProcess::size(int file) {
  WEIR_CALL(-1)
  const auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  return static_cast<std::int64_t>(open->node->now.size());
}

int SimulatedProcess::flock(int file, int operation) {
  WEIR_CALL(-1)
  auto* open = opened(file);
  if (open == nullptr) return fail_with(EBADF);
  const int wanted = operation & ~LOCK_NB;
  for (const auto& [descriptor, other] : disk_.open_) {
    if (descriptor == file || other.node != open->node || other.lock == 0) continue;
    if (other.lock == LOCK_EX || wanted == LOCK_EX) return fail_with(EWOULDBLOCK);
  }
  open->lock = wanted == LOCK_UN ? 0 : wanted;
  return 0;
}

int SimulatedProcess::rename(const char* from, const char* to) {
  WEIR_CALL(-1)
  if (fails(disk_.faults.other_error, EIO)) return -1;
  const auto node = disk_.find(from);
  if (node == nullptr) return fail_with(ENOENT);
  disk_.change_entry({.directory = directory_of(to), .removed = from, .added = to, .node = node});
  return 0;
}

int SimulatedProcess::unlink(const char* path) {
  WEIR_CALL(-1)
  if (fails(disk_.faults.other_error, EIO)) return -1;
  const auto node = disk_.find(path);
  if (node == nullptr) return fail_with(ENOENT);
  disk_.room += std::max<std::uint64_t>(node->reserved, node->now.size());
  disk_.change_entry({.directory = directory_of(path), .removed = path, .added = {}, .node = {}});
  return 0;
}

int SimulatedProcess::mkdir(const char* path) {
  WEIR_CALL(-1)
  if (fails(disk_.faults.other_error, disk_.full ? ENOSPC : EIO)) return -1;
  if (disk_.find(path) != nullptr) return fail_with(EEXIST);
  if (disk_.find(directory_of(path)) == nullptr) return fail_with(ENOENT);
  auto node = std::make_shared<SimulatedDisk::Node>();
  node->is_directory = true;
  disk_.change_entry(
      {.directory = directory_of(path), .removed = {}, .added = path, .node = std::move(node)});
  return 0;
}

bool SimulatedProcess::exists(const char* path) {
  WEIR_CALL(false)
  return disk_.find(path) != nullptr;
}

int SimulatedProcess::list(const char* directory, std::vector<std::string>& names) {
  WEIR_CALL(-1)
  if (fails(disk_.faults.other_error, EIO)) return -1;
  const auto listed = disk_.find(directory);
  if (listed == nullptr) return fail_with(ENOENT);
  if (!listed->is_directory) return fail_with(ENOTDIR);
  for (const auto& [path, node] : disk_.now_) {
    if (path != "/" && directory_of(path) == directory) {
      names.push_back(path.substr(path.rfind('/') + 1));
    }
  }
  return 0;
}

#undef WEIR_CALL

}  // namespace weir::disk
