#include "record/commit_thread.h"

#include <pthread.h>

#include "base/priority.h"
#include "record/process_end.h"

namespace weir::record {

void Batch::clear() {
  constexpr std::size_t kMaxKept = std::size_t{32} << 20;
  if (lines.capacity() > kMaxKept) lines = {};
  lines.clear();
  events = 0;
  runs.clear();
}

CommitThread::~CommitThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool CommitThread::is_busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void CommitThread::start(Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    WEIR_CHECK(!busy_ && !failure_);
    batch_.clear();
    std::swap(batch_, batch);
    busy_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_all();
}

std::optional<std::pair<Batch, Error>> CommitThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  if (!failure_) return {};
  std::pair failed(std::move(batch_), *std::move(failure_));
  failure_.reset();
  batch_ = {};
  return failed;
}

void CommitThread::run() {
  pthread_setname_np(pthread_self(), "weir-commit");
  set_thread_priority(Priority::kPrompt);
  LiveRecorders::mark_writer_thread();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return busy_ || stopping_; });
    if (!busy_) return;
    lock.unlock();
    auto result = commit_(batch_);
    lock.lock();
    if (!result) failure_ = std::move(result).error();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace weir::record
