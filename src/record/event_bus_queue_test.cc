// What the event bus promises of many events and many publishers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <thread>

#include "record/event_bus_testing.h"

namespace weir::record {
namespace {

using namespace testing_support;
using testing::ElementsAre;

TEST(ThreadsEventBus, AFullQueueDropsTheNewestAndNeverBlocks) {
  Notes notes;
  std::latch begun(1), release(1);
  EventBus bus({.queue_events = 2});
  auto hook = noting(notes, "a");
  hook.mode = HookMode::kAsynchronous;
  hook.call = [&](const Published& event, const std::stop_token&) -> Result<void> {
    if (event.event.run_seq() == 1) {
      begun.count_down();
      release.wait();
    }
    notes.add(std::to_string(event.event.run_seq()));
    return {};
  };
  ASSERT_TRUE(bus.add(std::move(hook)));
  publish(bus, "e", 1);
  begun.wait();
  for (int seq = 2; seq <= 6; ++seq) publish(bus, "e", seq);
  EXPECT_EQ(statistics(bus, "a").dropped, 3U);
  release.count_down();
  ASSERT_TRUE(bus.drain(kSoon));
  EXPECT_THAT(notes.all(), ElementsAre("1", "2", "3"));
}

TEST(ThreadsEventBus, TheQueuesTogetherHoldSoManyBytes) {
  Notes notes;
  const auto size = line_of("e").size();
  std::latch begun(1), release(1);
  EventBus bus({.queue_bytes = 2 * size});
  auto hook = noting(notes, "a");
  hook.mode = HookMode::kAsynchronous;
  hook.call = [&](const Published&, const std::stop_token&) -> Result<void> {
    if (statistics(bus, "a").calls == 1) {
      begun.count_down();
      release.wait();
    }
    return {};
  };
  ASSERT_TRUE(bus.add(std::move(hook)));
  publish(bus, "e");
  begun.wait();
  for (int i = 0; i < 5; ++i) publish(bus, "e");
  EXPECT_EQ(statistics(bus, "a").dropped, 3U);
  release.count_down();
  ASSERT_TRUE(bus.drain(kSoon));
  publish(bus, "e");  // there is room again
  ASSERT_TRUE(bus.drain(kSoon));
  EXPECT_EQ(statistics(bus, "a").calls, 4U);
}

// Every hook gets every event of a publisher once and in order, however many publish.
TEST(ThreadsEventBus, KeepsTheOrderOfEachPublisherForEachHook) {
  constexpr int kPublishers = 4, kEvents = 200;
  struct Seen {
    std::vector<int> last = std::vector<int>(kPublishers, 0);
    int count = 0;
    bool in_order = true;
  };
  std::array<Seen, 4> seen;  // of one hook each, which is never called twice at once: no lock
  EventBus bus({.queue_events = 100'000});
  for (std::size_t i = 0; i < seen.size(); ++i) {
    auto count = [&mine = seen[i]](const Published& event, const std::stop_token&) -> Result<void> {
      const auto seq = static_cast<int>(event.event.run_seq());
      auto& last = mine.last[static_cast<std::size_t>(seq / 1000)];
      mine.in_order &= seq % 1000 == last + 1;
      last = seq % 1000;
      ++mine.count;
      return {};
    };
    ASSERT_TRUE(bus.add({.name = std::to_string(i),
                         .topics = topics("custom.e"),
                         .call = count,
                         .mode = i == 0 ? HookMode::kSynchronous : HookMode::kAsynchronous,
                         .timeout = kSoon}));
  }
  {
    std::vector<std::jthread> publishers;
    publishers.reserve(kPublishers);
    for (int p = 0; p < kPublishers; ++p) {
      publishers.emplace_back([&bus, p] {
        for (int i = 1; i <= kEvents; ++i) publish(bus, "e", p * 1000 + i);
      });
    }
  }
  ASSERT_TRUE(bus.drain(kSoon));
  for (const auto& each : seen) {
    EXPECT_TRUE(each.in_order);
    EXPECT_EQ(each.count, kPublishers * kEvents);
  }
}

TEST(ThreadsEventBus, HooksComeAndGoWhileOthersPublish) {
  Notes notes;
  EventBus bus;
  std::jthread publisher([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) publish(bus, "e");
  });
  for (int i = 0; i < 200; ++i) {
    auto hook = noting(notes, "a");
    hook.mode = i % 2 == 0 ? HookMode::kSynchronous : HookMode::kAsynchronous;
    ASSERT_TRUE(bus.add(std::move(hook)));
    std::this_thread::yield();
    ASSERT_TRUE(bus.disable("a"));
    ASSERT_TRUE(bus.enable("a"));
    static_cast<void>(bus.list());
    bus.clear();
  }
  publisher.request_stop();
  publisher.join();
  EXPECT_TRUE(bus.drain(kSoon));
}

}  // namespace
}  // namespace weir::record
