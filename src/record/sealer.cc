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

void Sealer::wake() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
}

void Sealer::run() {
  pthread_setname_np(pthread_self(), "weir-sealer");
  // It reads whole segments: whatever else the process does goes first.
  const sched_param unused{};
  static_cast<void>(pthread_setschedparam(pthread_self(), SCHED_IDLE, &unused));
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_; });
    wanted_ = false;
    const bool last = stopping_;
    lock.unlock();
    // What cannot be sealed now, the next who opens the store will seal.
    if (const auto salvaged = log::seal_finished(store_)) {
      for (const auto& salvage : *salvaged) on_salvage_(salvage);
    }
    if (last) return;
    lock.lock();
  }
}

}  // namespace weir::record
