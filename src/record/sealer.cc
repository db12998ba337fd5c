#include "record/sealer.h"

#include <pthread.h>
#include <sched.h>

namespace weir::record {

Sealer::Sealer(log::StoreDirectory store, std::function<void(const log::Salvage&)> on_salvage)
    : store_(std::move(store)), on_salvage_(std::move(on_salvage)) {
  thread_ = std::thread([this] { run(); });
}

Sealer::~Sealer() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Sealer::wake(const std::vector<log::FinishedSegment>& finished) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    for (const auto& [name, bytes] : finished) finished_.emplace(name, bytes);
  }
  changed_.notify_one();
}

/// When segments are finished one after the other there is much to record, and that goes first.
void Sealer::wait_for_calm(std::unique_lock<std::mutex>& lock) {
  constexpr std::chrono::seconds kCalm{1}, kMost{10};
  const auto latest = std::chrono::steady_clock::now() + kMost;
  while (wanted_ && !stopping_ && std::chrono::steady_clock::now() < latest) {
    wanted_ = false;
    changed_.wait_for(lock, kCalm, [this] { return wanted_; });
  }
}

/// Each is asked for once: it is sealed then.
bool Sealer::is_finished(const log::SegmentName& name, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto known = finished_.extract(name);
  return !known.empty() && known.mapped() == bytes;
}

void Sealer::run() {
  pthread_setname_np(pthread_self(), "weir-sealer");
  // It reads whole segments: whatever else the process does goes first.
  const sched_param unused{};
  static_cast<void>(pthread_setschedparam(pthread_self(), SCHED_IDLE, &unused));
  bool first = true;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_; });
    if (!first) wait_for_calm(lock);
    first = false;
    wanted_ = false;
    const bool last = stopping_;
    lock.unlock();
    // What cannot be sealed now, the next who opens the store will seal.
    if (const auto salvaged = log::seal_finished(
            store_, [this](const auto& name, auto bytes) { return is_finished(name, bytes); })) {
      for (const auto& salvage : *salvaged) on_salvage_(salvage);
    }
    if (last) return;
    lock.lock();
  }
}

}  // namespace weir::record
