#include "record/fork_guard.h"

#include <pthread.h>

#include <utility>

namespace weir::record {

/// All guards of this process, each linked to the next. It is there before any code runs: a thread
/// that was making it while another forked would leave the child with none, and waiting for one.
class ForkGuard::Registry {
 public:
  void add(ForkGuard& guard) {
    const std::lock_guard lock(mutex_);
    guard.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &guard;
    first_ = &guard;
  }
  void remove(ForkGuard& guard) {
    const std::lock_guard lock(mutex_);
    (guard.previous_ == nullptr ? first_ : guard.previous_->next_) = guard.next_;
    if (guard.next_ != nullptr) guard.next_->previous_ = guard.previous_;
  }

  void before_fork() {
    mutex_.lock();
    for (auto* guard = first_; guard != nullptr; guard = guard->next_) guard->mutex_.lock();
  }
  void after_fork_in_parent() {
    for (auto* guard = first_; guard != nullptr; guard = guard->next_) guard->mutex_.unlock();
    mutex_.unlock();
  }
  void after_fork_in_child() {
    for (auto* guard = first_; guard != nullptr; guard = guard->next_) {
      guard->in_child_();
      guard->mutex_.unlock();
    }
    mutex_.unlock();
  }

  static Registry instance;

 private:
  std::mutex mutex_;
  ForkGuard* first_ = nullptr;  // guarded by mutex_
};

constinit ForkGuard::Registry ForkGuard::Registry::instance;

[[maybe_unused]] const int ForkGuard::kAskedToBeTold = ::pthread_atfork(
    [] { Registry::instance.before_fork(); }, [] { Registry::instance.after_fork_in_parent(); },
    [] { Registry::instance.after_fork_in_child(); });

ForkGuard::ForkGuard(std::mutex& mutex, std::function<void()> in_child)
    : mutex_(mutex), in_child_(std::move(in_child)) {
  Registry::instance.add(*this);
}

ForkGuard::~ForkGuard() { Registry::instance.remove(*this); }

}  // namespace weir::record
