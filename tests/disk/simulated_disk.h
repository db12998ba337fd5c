#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace weir::disk {

/// Everything that chance decides in one schedule: the same seed, the same schedule.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : generator_(seed) {}
  /// From 0 to `limit` - 1.
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : generator_() % limit; }
  bool in_1000(unsigned permille) { return below(1000) < permille; }

 private:
  std::mt19937_64 generator_;
};

/// How often calls fail, in 1000.
struct Faults {
  unsigned short_write = 0;
  unsigned interrupted = 0;
  unsigned write_error = 0;
  unsigned sync_error = 0;
  unsigned open_error = 0;
  unsigned other_error = 0;  ///< truncate, rename, unlink, mkdir, read
};

/// A disk with a page cache before it. What was not synced is lost at a power failure: wholly, in
/// part, sector by sector, in any order, and files may have grown without their bytes (zeros). A
/// directory's entries are as volatile as a file's bytes.
///
/// A failed fdatasync does what Linux does: some of the dirty bytes are on disk, none of them is
/// dirty any more, and the next fdatasync succeeds without writing them.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(Chance& chance);

  Faults faults;
  std::uint64_t failed_syncs = 0;  ///< of files
  bool full = false;       ///< writes that need space fail with ENOSPC, perhaps in the middle
  std::uint64_t room = 0;  ///< what there is all the same: of files that were removed since

  /// Whether a sync of the file failed at some time. What it holds beyond what was acknowledged may
  /// then be in memory alone, and the kernel tells nobody who opens it later.
  [[nodiscard]] bool sync_failed(const std::string& path) const;

  /// Loses what was not synced. All processes must have been killed before.
  void lose_power();

 private:
  friend class SimulatedProcess;

  struct Write {
    std::uint64_t offset = 0;
    std::string bytes;                       // none: a change of size
    std::optional<std::uint64_t> truncated;  // to this size
  };
  struct Node {
    bool is_directory = false;
    std::string now;             // what processes see
    std::string durable;         // what a power failure leaves, at least
    std::uint64_t reserved = 0;  // blocks beyond what it holds
    std::vector<Write> pending;  // since the last sync, in order
    bool sync_failed = false;    // at some time
  };
  using NodePointer = std::shared_ptr<Node>;
  /// A change of one directory that is not durable yet.
  struct EntryChange {
    std::string directory;
    std::string removed;  // path, or empty
    std::string added;    // path, or empty
    NodePointer node;     // of `added`
  };
  struct Open {
    NodePointer node;
    std::string path;
    std::uint64_t position = 0;
    int process = 0;
    int lock = 0;  // LOCK_SH, LOCK_EX or 0
    bool direct = false;
  };

  [[nodiscard]] NodePointer find(const std::string& path) const;
  void change_entry(EntryChange change);
  static void apply(std::map<std::string, NodePointer>& entries, const EntryChange& change);
  static void apply(std::string& bytes, const Write& write);
  enum class Loss { kPower, kFailedSync };
  /// Applies what a power failure or a failed sync keeps of the node's pending writes. A file
  /// system whose journal fails, and with it a change of size, stops: then a sync loses none.
  void keep_some(Node& node, Loss loss);
  void close_all(int process);

  Chance& chance_;
  std::map<std::string, NodePointer> now_;      // by path
  std::map<std::string, NodePointer> durable_;  // by path
  std::vector<EntryChange> changes_;
  std::vector<std::weak_ptr<Node>> nodes_;  // in the order of their creation: chance must not
                                            // depend on names, which are random
  std::map<int, Open> open_;
  int next_descriptor_ = 3;
  int next_process_ = 1;
};

/// One process's calls. It can be killed at any of them: that one may be done in part, and the
/// later ones have no effect.
class SimulatedProcess final : public FileSystem {
 public:
  explicit SimulatedProcess(SimulatedDisk& disk) : disk_(disk), id_(disk.next_process_++) {}
  ~SimulatedProcess() override { kill(); }

  /// Ends the process: its files are closed and its locks free.
  void kill();
  /// The same in the middle of the call that comes after `calls` more.
  void kill_after(std::uint64_t calls) { calls_left_ = calls; }
  [[nodiscard]] bool killed() const { return killed_; }

  int open(const char* path, int flags) override;
  int close(int file) override;
  ssize_t write(int file, const char* bytes, std::size_t size) override;
  int set_direct(int file, bool direct) override;
  ssize_t pwrite(int file, const char* bytes, std::size_t size, std::uint64_t offset) override;
  ssize_t read(int file, char* out, std::size_t size) override;
  ssize_t pread(int file, char* out, std::size_t size, std::uint64_t offset) override;
  int fdatasync(int file) override;
  int fsync(int file) override;
  int ftruncate(int file, std::uint64_t size) override;
  int fallocate(int file, std::uint64_t offset, std::uint64_t size) override;
  std::int64_t size(int file) override;
  int flock(int file, int operation) override;
  int rename(const char* from, const char* to) override;
  int unlink(const char* path) override;
  int mkdir(const char* path) override;
  bool exists(const char* path) override;
  int list(const char* directory, std::vector<std::string>& names) override;

 private:
  /// False when the process is dead or dies in this call.
  bool begin_call();
  ssize_t write_to(int file, std::optional<std::uint64_t> offset, const char* bytes,
                   std::size_t size);
  SimulatedDisk::Open* opened(int file);
  /// Whether this call fails, with errno, for `permille` of the cases.
  bool fails(unsigned permille, int error);

  SimulatedDisk& disk_;
  const int id_;
  std::optional<std::uint64_t> calls_left_;
  bool killed_ = false;
  bool dying_ = false;  // in the call in which it dies
};

}  // namespace weir::disk
