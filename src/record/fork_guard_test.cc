#include "record/fork_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

#include "record/fork_testing.h"

namespace weir::record {
namespace {

using testing_support::holds_in_child;

TEST(ForkGuard, WaitsForWhoeverChangesWhatItGuards) {
  std::mutex mutex;
  const ForkGuard guard(mutex);
  int parts = 0;  // two of them, or none
  std::latch is_half_done(1);
  std::thread other([&] {
    const std::lock_guard lock(mutex);
    ++parts;
    is_half_done.count_down();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ++parts;
  });
  is_half_done.wait();
  EXPECT_TRUE(holds_in_child([&] { return mutex.try_lock() && parts == 2; }));
  other.join();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(ForkGuard, TellsChildrenAndTheirsAndNotTheParent) {
  std::mutex mutex;
  int forks = 0;
  const ForkGuard guard(mutex, [&] { ++forks; });
  EXPECT_TRUE(holds_in_child([&] {
    return forks == 1 && holds_in_child([&] { return forks == 2 && mutex.try_lock(); });
  }));
  EXPECT_EQ(forks, 0);
}

TEST(ForkGuard, IsMadeAndDestroyedWhileOthersFork) {
  std::jthread maker([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::mutex mutex;
      const ForkGuard guard(mutex);
      const std::lock_guard lock(mutex);
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(holds_in_child([] {
      std::mutex mutex;
      const ForkGuard guard(mutex);
      return true;
    }));
  }
}

TEST(LeaveToParent, DestroysNothing) {
  static int destroyed = 0;
  struct Counted {
    ~Counted() { ++destroyed; }
  };
  auto kept = std::make_unique<Counted>();
  auto* const what_it_was = kept.get();
  leave_to_parent(kept);
  EXPECT_EQ(kept, nullptr);
  EXPECT_EQ(destroyed, 0);
  delete what_it_was;  // NOLINT(cppcoreguidelines-owning-memory): as nobody does in a child
}

}  // namespace
}  // namespace weir::record
