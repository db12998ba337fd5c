// What the event bus promises of hooks that take too long, and of its own end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "record/event_bus_testing.h"

namespace weir::record {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = HookProblem::Kind;

TEST(ThreadsEventBus, AHookThatStopsAtItsTimeoutIsCountedAndItsResultIgnored) {
  for (const auto mode : {HookMode::kSynchronous, HookMode::kAsynchronous}) {
    Notes notes;
    Problems problems;
    EventBus bus({.on_problem = problems.recorder()});
    ASSERT_TRUE(bus.add({.name = "slow",
                         .topics = topics("#"),
                         .call = wait_for_stop,
                         .mode = mode,
                         .timeout = 20ms}));
    ASSERT_TRUE(bus.add(noting(notes, "other")));
    publish(bus, "e");
    ASSERT_TRUE(problems.wait_for(Kind::kTimeout));
    EXPECT_THAT(notes.all(), ElementsAre("other"));
    while (statistics(bus, "slow").overdue) std::this_thread::yield();
    const auto slow = statistics(bus, "slow");
    EXPECT_EQ(slow.calls, 1U);
    EXPECT_GE(slow.timeouts, 1U);
    EXPECT_EQ(slow.errors, 0U);
    EXPECT_GE(slow.total_time, 20ms);
    EXPECT_THAT(problems.all()[0].message,
                HasSubstr("hook 'slow': not back after 20 ms; topic custom.e"));
  }
}

TEST(ThreadsEventBus, ASynchronousHookThatDoesNotReturnHoldsUpNobody) {
  Notes notes;
  std::latch release(1);
  EventBus bus({.max_timeouts_in_a_row = 1'000'000});
  auto stuck = noting(notes, "stuck");
  stuck.call = [&](const Published&, const std::stop_token&) -> Result<void> {
    release.wait();
    return {};
  };
  stuck.timeout = 20ms;
  ASSERT_TRUE(bus.add(std::move(stuck)));
  ASSERT_TRUE(bus.add(noting(notes, "other")));
  publish(bus, "e");
  publish(bus, "e");
  EXPECT_THAT(notes.all(), ElementsAre("other", "other"));
  EXPECT_EQ(statistics(bus, "stuck").calls, 1U);
  EXPECT_EQ(statistics(bus, "stuck").dropped, 1U);
  EXPECT_TRUE(statistics(bus, "stuck").overdue);
  // Once it is back, it is called again.
  release.count_down();
  while (statistics(bus, "stuck").overdue) std::this_thread::yield();
  publish(bus, "e");
  EXPECT_EQ(statistics(bus, "stuck").calls, 2U);
}

TEST(ThreadsEventBus, AsynchronousHooksThatDoNotReturnLeaveThePoolItsThreads) {
  Notes notes;
  std::latch release(1);  // before the bus, which waits for who waits for it
  EventBus bus({.threads = 2, .max_timeouts_in_a_row = 1'000'000});
  for (const char* name : {"stuck 1", "stuck 2", "stuck 3"}) {
    auto stuck = noting(notes, name);
    stuck.mode = HookMode::kAsynchronous;
    stuck.priority = HookPriority::kHigh;
    stuck.call = [&](const Published&, const std::stop_token&) -> Result<void> {
      release.wait();
      return {};
    };
    stuck.timeout = 20ms;
    ASSERT_TRUE(bus.add(std::move(stuck)));
  }
  auto other = noting(notes, "other");
  other.mode = HookMode::kAsynchronous;
  ASSERT_TRUE(bus.add(std::move(other)));
  publish(bus, "e");
  EXPECT_TRUE(notes.wait_for(1));
  EXPECT_TRUE(bus.drain(kSoon));  // does not wait for those that are overdue
  release.count_down();
}

TEST(ThreadsEventBus, AHookIsDisabledAfterThreeTimeoutsInARow) {
  Notes notes;
  Problems problems;
  EventBus bus({.on_problem = problems.recorder()});
  std::atomic<bool> quick{false};
  auto hook = noting(notes, "a");
  hook.call = [&](const Published& event, const std::stop_token& stop) -> Result<void> {
    if (quick) return {};
    return wait_for_stop(event, stop);
  };
  hook.timeout = 200ms;
  ASSERT_TRUE(bus.add(std::move(hook)));
  const auto publish_and_settle = [&] {
    publish(bus, "e");
    while (statistics(bus, "a").overdue) std::this_thread::yield();
  };
  publish_and_settle();
  publish_and_settle();
  quick = true;
  publish_and_settle();  // in time, so it begins anew
  quick = false;
  publish_and_settle();
  publish_and_settle();
  EXPECT_TRUE(statistics(bus, "a").enabled);
  publish_and_settle();
  EXPECT_FALSE(statistics(bus, "a").enabled);
  ASSERT_TRUE(problems.wait_for(Kind::kDisabled));
  EXPECT_EQ(problems.all().back().message, "hook 'a': disabled after 3 timeouts in a row");
  publish_and_settle();
  EXPECT_EQ(statistics(bus, "a").calls, 6U);
}

TEST(ThreadsEventBus, AHookThatNeverComesBackIsDisabled) {
  Notes notes;
  Problems problems;
  std::latch release(1);  // before the bus, which waits for who waits for it
  EventBus bus({.on_problem = problems.recorder()});
  auto hook = noting(notes, "a");
  hook.mode = HookMode::kAsynchronous;
  hook.call = [&](const Published&, const std::stop_token&) -> Result<void> {
    release.wait();
    return {};
  };
  hook.timeout = 10ms;
  ASSERT_TRUE(bus.add(std::move(hook)));
  for (int i = 0; i < 5; ++i) publish(bus, "e");
  ASSERT_TRUE(problems.wait_for(Kind::kDisabled));
  const auto a = statistics(bus, "a");
  EXPECT_FALSE(a.enabled);
  EXPECT_EQ(a.calls, 1U);
  EXPECT_EQ(a.timeouts, 3U);
  EXPECT_EQ(a.dropped, 4U);  // what was queued for it
  release.count_down();
}

// Hooks at the edge of their time, so that the end of a call and its timeout meet in every way.
TEST(ThreadsEventBus, TimeoutsThatMeetTheEndOfACallLoseNothing) {
  EventBus bus({.threads = 2, .max_timeouts_in_a_row = 1'000'000});
  for (const char* name : {"synchronous", "asynchronous 1", "asynchronous 2"}) {
    auto edge = [](const Published&, const std::stop_token&) -> Result<void> {
      std::this_thread::sleep_for(1ms);  // its timeout, which nothing announces
      return {};
    };
    ASSERT_TRUE(bus.add({.name = name,
                         .topics = topics("#"),
                         .call = edge,
                         .mode = name[0] == 's' ? HookMode::kSynchronous : HookMode::kAsynchronous,
                         .timeout = 1ms}));
  }
  constexpr std::uint64_t kEvents = 300;
  for (std::uint64_t i = 0; i < kEvents; ++i) publish(bus, "e");
  ASSERT_TRUE(bus.drain(kSoon));
  for (const auto& each : bus.list()) {
    EXPECT_EQ(each.calls + each.dropped, kEvents) << each.name;
    EXPECT_TRUE(each.enabled);
  }
}

TEST(ThreadsEventBus, TheDestructorStopsHooksAndDropsWhatIsQueued) {
  Notes notes;
  {
    EventBus bus;
    auto hook = noting(notes, "a");
    hook.mode = HookMode::kAsynchronous;
    hook.call = [&](const Published& event, const std::stop_token& stop) -> Result<void> {
      notes.add("begun");
      return wait_for_stop(event, stop);
    };
    ASSERT_TRUE(bus.add(std::move(hook)));
    publish(bus, "e");
    publish(bus, "e");
    ASSERT_TRUE(notes.wait_for(1));
  }
  EXPECT_THAT(notes.all(), ElementsAre("begun"));
}

TEST(ThreadsEventBus, TheDestructorNamesTheHookThatItWaitsFor) {
  Notes notes;
  std::latch release(1);
  std::atomic<bool> named{false};
  {
    EventBus bus({.patience = 10ms, .on_problem = [&](const HookProblem& problem) {
                    if (problem.kind != Kind::kStillRunning) return;
                    named = problem.hook == "stuck";
                    release.count_down();
                  }});
    auto hook = noting(notes, "stuck");
    hook.mode = HookMode::kAsynchronous;
    hook.call = [&](const Published&, const std::stop_token&) -> Result<void> {
      notes.add("begun");
      release.wait();
      return {};
    };
    ASSERT_TRUE(bus.add(std::move(hook)));
    publish(bus, "e");
    ASSERT_TRUE(notes.wait_for(1));
  }
  EXPECT_TRUE(named);
}

}  // namespace
}  // namespace weir::record
