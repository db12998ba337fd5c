#include "record/fork_guard.h"

#include <pthread.h>

#include <set>
#include <utility>

namespace weir::record {

/// All guards of this process.
class ForkGuard::Registry {
 public:
  static Registry& instance() {
    static auto& registry = [] -> Registry& {
      ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
      return *new Registry;  // never destroyed: a process may fork to its very end
    }();
    return registry;
  }

  void add(ForkGuard& guard) {
    const std::lock_guard lock(mutex_);
    guards_.insert(&guard);
  }
  void remove(ForkGuard& guard) {
    const std::lock_guard lock(mutex_);
    guards_.erase(&guard);
  }

 private:
  static void before_fork() {
    instance().mutex_.lock();
    for (auto* guard : instance().guards_) guard->mutex_.lock();
  }
  static void after_fork_in_parent() {
    for (auto* guard : instance().guards_) guard->mutex_.unlock();
    instance().mutex_.unlock();
  }
  static void after_fork_in_child() {
    for (auto* guard : instance().guards_) {
      guard->in_child_();
      guard->mutex_.unlock();
    }
    instance().mutex_.unlock();
  }

  std::mutex mutex_;
  std::set<ForkGuard*> guards_;  // guarded by mutex_
};

ForkGuard::ForkGuard(std::mutex& mutex, std::function<void()> in_child)
    : mutex_(mutex), in_child_(std::move(in_child)) {
  Registry::instance().add(*this);
}

ForkGuard::~ForkGuard() { Registry::instance().remove(*this); }

}  // namespace weir::record
