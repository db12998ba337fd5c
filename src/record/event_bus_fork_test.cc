#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <thread>

#include "record/event_bus.h"
#include "record/event_bus_testing.h"
#include "record/fork_testing.h"

namespace weir::record {
namespace {

using namespace testing_support;

// Each in the middle of a call, with more events to come, when the process forks.
TEST(ForkEventBus, IsANewOneInTheChildAndLeavesTheHooksToTheParent) {
  Notes notes;
  std::latch release(1);
  auto bus = std::make_unique<EventBus>(EventBusOptions{.threads = 1});
  for (const auto mode : {HookMode::kSynchronous, HookMode::kAsynchronous}) {
    auto hook = noting(notes, mode == HookMode::kSynchronous ? "first" : "second");
    hook.mode = mode;
    hook.timeout = 20s;
    hook.call = [&, note = hook.call](const Published& event, const std::stop_token& stop) {
      auto noted = note(event, stop);
      release.wait();
      return noted;
    };
    ASSERT_TRUE(bus->add(std::move(hook)));
  }
  ASSERT_TRUE(bus->disable("first"));
  publish(*bus, "a");
  publish(*bus, "b");
  ASSERT_TRUE(notes.wait_for(1));
  ASSERT_TRUE(bus->enable("first"));
  std::thread publisher([&] { publish(*bus, "c"); });
  ASSERT_TRUE(notes.wait_for(2));

  EXPECT_TRUE(holds_in_child([&] {
    const bool has_none = bus->list().empty() && bus->drain(0ms) &&
                          bus->enable("first").error().code == ErrorCode::kNotFound;
    Notes own;
    const bool takes_new = bus->add(noting(own, "own")).has_value();
    publish(*bus, "d");
    const bool calls_new = own.wait_for(1) && statistics(*bus, "own").calls == 1;
    bus.reset();
    return has_none && takes_new && calls_new && notes.all().size() == 2;
  }));
  release.count_down();
  publisher.join();
  EXPECT_TRUE(bus->drain(20s));
  EXPECT_EQ(notes.all().size(), 4U);  // one of "first", three of "second"
}

// What it ends may be the parent's: a file, a connection, a thread.
TEST(ForkEventBus, DestroysNoHookInTheChild) {
  auto bus = std::make_unique<EventBus>();
  bool is_destroyed = false;
  const auto note_end = [](bool* its) { *its = true; };
  ASSERT_TRUE(bus->add(
      {.name = "idle",
       .topics = topics("#"),
       .call = [end = std::shared_ptr<bool>(&is_destroyed, note_end)](
                   const Published&, const std::stop_token&) -> Result<void> { return {}; }}));
  EXPECT_TRUE(holds_in_child([&] {
    bus.reset();
    return !is_destroyed;
  }));
  bus.reset();
  EXPECT_TRUE(is_destroyed);
}

TEST(ForkEventBus, CanBeUsedInAChildWhateverOtherThreadsDo) {
  Notes notes;
  EventBus bus({.threads = 2});
  for (const auto mode : {HookMode::kSynchronous, HookMode::kAsynchronous}) {
    auto hook = noting(notes, mode == HookMode::kSynchronous ? "first" : "second");
    hook.mode = mode;
    ASSERT_TRUE(bus.add(std::move(hook)));
  }
  std::jthread publisher([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) publish(bus, "a");
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(holds_in_child([&] {
      publish(bus, "b");
      return bus.list().empty() && bus.drain(0ms);
    }));
  }
}

}  // namespace
}  // namespace weir::record
