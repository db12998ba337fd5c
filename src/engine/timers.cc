#include "engine/timers.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace weir::engine {

Timers::Timers() : thread_([this] { run(); }) {}

Timers::~Timers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Timers::Id Timers::start(std::chrono::milliseconds delay, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  const auto id = ++last_id_;
  timers_.emplace(Clock::now() + delay, Timer{.id = id, .action = std::move(action)});
  changed_.notify_all();
  return id;
}

void Timers::cancel(Id id) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return current_ != id; });
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [&](const auto& timer) { return timer.second.id == id; });
  if (found != timers_.end()) timers_.erase(found);
}

void Timers::run() {
  pthread_setname_np(pthread_self(), "weir-timer");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = timers_.begin();
    if (Clock::now() < first->first) {
      changed_.wait_until(lock, first->first);
      continue;
    }
    const auto timer = std::move(first->second);
    timers_.erase(first);
    current_ = timer.id;
    lock.unlock();
    timer.action();
    lock.lock();
    current_ = 0;
    changed_.notify_all();
  }
}

}  // namespace weir::engine
