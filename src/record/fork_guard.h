#pragma once

#include <functional>
#include <mutex>
#include <new>

namespace weir::record {

/// What a fork does to an object that has a mutex. The child has the forking thread alone: a mutex
/// that another one holds would stay locked there for ever. So a fork waits for the mutex of every
/// object that has a guard, and the child gets each in a state that its owner knows.
///
///   ForkGuard fork_guard_{mutex_, [this] { start_anew_in_child(); }};  // after what it is about
///
/// Threads  Guards are made and destroyed by any thread. Whoever holds `mutex` must not wait for
///          another lock meanwhile, make or destroy a guard, or fork.
class ForkGuard {
 public:
  /// `in_child` is called in a forked child, with `mutex` held; then `mutex` is free.
  explicit ForkGuard(std::mutex& mutex, std::function<void()> in_child = [] {});
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

 private:
  class Registry;
  static const int kAskedToBeTold;

  std::mutex& mutex_;
  const std::function<void()> in_child_;
  ForkGuard* previous_ = nullptr;
  ForkGuard* next_ = nullptr;
};

/// For a child: makes each member what it is when it is new, and leaves what it was as it is. That
/// is the parent's: threads that are not here, those that wait, what somebody else's destructor
/// would end.
template <class... Member>
void leave_to_parent(Member&... members) {
  (new (&members) Member, ...);
}

}  // namespace weir::record
