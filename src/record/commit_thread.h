#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/commit_buffer.h"

namespace weir::record {

class Run;

/// What goes into the log at once.
struct Batch {
  log::CommitBuffer lines;
  std::uint64_t events = 0;
  /// Whose events are in it, or would be if they were not lost, and the last number of each. Some
  /// runs more than once, the later the higher.
  std::vector<std::pair<Run*, std::int64_t>> runs;
  /// Of all batches up to this one: events that were cut, that came late, values that were masked.
  std::uint64_t cut = 0;
  std::uint64_t late = 0;
  std::uint64_t redacted = 0;

  [[nodiscard]] bool empty() const { return runs.empty(); }
  /// Keeps its memory, unless that is far more than a commit usually has.
  void clear();
};

/// Takes one batch at a time to the disk while its owner goes on.
///
/// Threads One owner, and its own: `weir-commit`, begun with the first batch.
class CommitThread {
 public:
  using Commit = std::function<Result<void>(Batch&)>;

  /// `commit` is called on the thread; what it returns as an error is kept for `wait`.
  explicit CommitThread(Commit commit) : commit_(std::move(commit)) {}
  ~CommitThread();
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  [[nodiscard]] bool is_busy() const;
  /// Takes the batch; `batch` is empty then. Not while it is busy or an error waits.
  void start(Batch& batch);
  /// Waits for the batch. What did not get to the disk, and why; once.
  [[nodiscard]] std::optional<std::pair<Batch, Error>> wait();

 private:
  void run();

  const Commit commit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_, but `batch_` while it is busy: that is the thread's then.
  Batch batch_;
  bool busy_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace weir::record
