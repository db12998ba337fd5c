#include "record/sealer.h"

#include <pthread.h>
#include <sched.h>

#include "log/sealing.h"

namespace weir::record {

Sealer::Sealer(log::StoreDirectory store) : store_(std::move(store)) {
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
    static_cast<void>(log::seal_finished(store_));
    if (last) return;
    lock.lock();
  }
}

}  // namespace weir::record
