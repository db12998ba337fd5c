#include "record/event_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <thread>

#include "record/event_bus_testing.h"

namespace weir::record {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = HookProblem::Kind;

// ODIBI CORE's tests of its bus, by its names; those of the built-in hooks are in
// builtin_hooks_test.cc.

TEST(EventBus, RegistersAHook) {
  Notes notes;
  EventBus bus;
  EXPECT_THAT(bus.list(), IsEmpty());
  ASSERT_TRUE(bus.add(noting(notes, "a")));
  EXPECT_THAT(bus.list(), ElementsAre(AllOf(testing::Field(&HookStatistics::name, "a"),
                                            testing::Field(&HookStatistics::enabled, true),
                                            testing::Field(&HookStatistics::calls, 0U))));
}

TEST(EventBus, EmitsAnEvent) {
  EventBus bus;
  std::vector<std::string> seen;
  auto hook = [&](const Published& event, const std::stop_token&) -> Result<void> {
    seen.assign({std::string(event.topic), std::string(event.line),
                 std::string(event.event.text(event::Field::kPipelineId))});
    return {};
  };
  ASSERT_TRUE(bus.add({.name = "a", .topics = topics("custom.deploy.*"), .call = hook}));
  publish(bus, "deploy.started");
  EXPECT_THAT(seen, ElementsAre("custom.deploy.started", line_of("deploy.started"), "p"));
  publish(bus, "build.started");
  EXPECT_EQ(statistics(bus, "a").calls, 1U);
}

TEST(EventBus, CallsHooksByPriority) {
  Notes notes;
  EventBus bus;
  const auto add = [&](std::string name, HookPriority priority) {
    auto hook = noting(notes, std::move(name));
    hook.priority = priority;
    ASSERT_TRUE(bus.add(std::move(hook)));
  };
  add("low", HookPriority::kLow);
  add("medium 1", HookPriority::kMedium);
  add("critical", HookPriority::kCritical);
  add("medium 2", HookPriority::kMedium);
  add("high", HookPriority::kHigh);
  publish(bus, "e");
  EXPECT_THAT(notes.all(), ElementsAre("critical", "high", "medium 1", "medium 2", "low"));
}

TEST(EventBus, IsolatesTheErrorsOfHooks) {
  Notes notes;
  Problems problems;
  EventBus bus({.on_problem = problems.recorder()});
  const auto add = [&](const char* name, HookFunction call) {
    ASSERT_TRUE(bus.add({.name = name, .topics = topics("#"), .call = std::move(call)}));
  };
  add("returns", [](const Published&, const std::stop_token&) -> Result<void> {
    return fail(ErrorCode::kIo, "disk full");
  });
  add("throws", [](const Published&, const std::stop_token&) -> Result<void> {
    throw std::runtime_error("oh");
  });
  add("throws a number", [](const Published&, const std::stop_token&) -> Result<void> { throw 7; });
  ASSERT_TRUE(bus.add(noting(notes, "last")));
  publish(bus, "e");
  EXPECT_THAT(notes.all(), ElementsAre("last"));
  EXPECT_EQ(statistics(bus, "returns").errors, 1U);
  EXPECT_EQ(statistics(bus, "throws").errors, 1U);
  EXPECT_EQ(statistics(bus, "last").errors, 0U);
  const auto is = [](Kind kind, const char* message) {
    return AllOf(testing::Field(&HookProblem::kind, kind),
                 testing::Field(&HookProblem::message, message));
  };
  EXPECT_THAT(problems.all(),
              ElementsAre(is(Kind::kError, "hook 'returns': disk full"),
                          is(Kind::kException, "hook 'throws': std::runtime_error: oh"),
                          is(Kind::kException, "hook 'throws a number': int")));
}

TEST(EventBus, DisablesAndEnablesAHook) {
  Notes notes;
  EventBus bus;
  ASSERT_TRUE(bus.add(noting(notes, "a")));
  ASSERT_TRUE(bus.disable("a"));
  publish(bus, "e");
  EXPECT_THAT(notes.all(), IsEmpty());
  EXPECT_FALSE(statistics(bus, "a").enabled);
  ASSERT_TRUE(bus.enable("a"));
  publish(bus, "e");
  EXPECT_THAT(notes.all(), ElementsAre("a"));
  EXPECT_EQ(bus.disable("b").error().code, ErrorCode::kNotFound);
}

TEST(EventBus, ClearsHooks) {
  Notes notes;
  EventBus bus;
  ASSERT_TRUE(bus.add(noting(notes, "a")));
  bus.clear();
  publish(bus, "e");
  EXPECT_THAT(notes.all(), IsEmpty());
  EXPECT_THAT(bus.list(), IsEmpty());
  EXPECT_TRUE(bus.add(noting(notes, "a")));
}

TEST(EventBus, ExecutesAnAsynchronousHook) {
  Notes notes;
  std::latch published(1);
  EventBus bus;
  auto hook = noting(notes, "a");
  hook.mode = HookMode::kAsynchronous;
  hook.call = [&](const Published& event, const std::stop_token&) -> Result<void> {
    published.wait();  // the publisher does not wait for this hook
    notes.add(std::string(event.topic) + " " + std::string(event.line));
    return {};
  };
  ASSERT_TRUE(bus.add(std::move(hook)));
  publish(bus, "e");
  published.count_down();
  ASSERT_TRUE(bus.drain(kSoon));
  EXPECT_THAT(notes.all(), ElementsAre("custom.e " + line_of("e")));
}

// What ODIBI CORE's bus does not do.

TEST(EventBus, RefusesWhatCannotBeAHook) {
  Notes notes;
  EventBus bus;
  ASSERT_TRUE(bus.add(noting(notes, "a")));
  const auto twice = bus.add(noting(notes, "a"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(), (Error{ErrorCode::kConflict, "hook 'a' is registered already"}));
  auto hook = noting(notes, "");
  EXPECT_EQ(bus.add(hook).error().code, ErrorCode::kInvalidInput);
  hook = noting(notes, "b");
  hook.topics.clear();
  EXPECT_EQ(bus.add(hook).error().message, "hook 'b': it needs a topic");
  hook = noting(notes, "b");
  hook.call = nullptr;
  EXPECT_EQ(bus.add(hook).error().code, ErrorCode::kInvalidInput);
  for (const auto timeout : {std::chrono::milliseconds(0), std::chrono::milliseconds::max()}) {
    hook = noting(notes, "b");
    hook.timeout = timeout;
    EXPECT_EQ(bus.add(hook).error().code, ErrorCode::kInvalidInput);
  }
}

TEST(EventBus, TakesSoManyHooksAndNoMore) {
  Notes notes;
  EventBus bus;
  for (std::size_t i = 0; i < kMaxHooks; ++i) {
    ASSERT_TRUE(bus.add(noting(notes, std::to_string(i))));
  }
  EXPECT_EQ(bus.add(noting(notes, "x")).error().code, ErrorCode::kExhausted);
}

TEST(EventBus, ListsSynchronousHooksFirstWithTheirTime) {
  Notes notes;
  std::chrono::nanoseconds spent{};  // as the hook itself measures it
  EventBus bus;
  auto late = noting(notes, "asynchronous");
  late.mode = HookMode::kAsynchronous;
  late.priority = HookPriority::kCritical;
  ASSERT_TRUE(bus.add(late));
  auto slow = noting(notes, "synchronous");
  slow.priority = HookPriority::kLow;
  slow.call = [&](const Published&, const std::stop_token&) -> Result<void> {
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() == begun) std::this_thread::yield();
    spent += std::chrono::steady_clock::now() - begun;
    return {};
  };
  ASSERT_TRUE(bus.add(slow));
  publish(bus, "e");
  publish(bus, "e");
  ASSERT_TRUE(bus.drain(kSoon));
  const auto all = bus.list();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "synchronous");
  EXPECT_EQ(all[0].calls, 2U);
  EXPECT_GE(all[0].total_time, spent);
  EXPECT_GT(spent, 0ns);
  EXPECT_EQ(all[1].name, "asynchronous");
  EXPECT_EQ(all[1].calls, 2U);
}

TEST(EventBus, AHookCannotPublish) {
  Problems problems;
  EventBus bus({.on_problem = problems.recorder()});
  auto publisher = [&](const Published&, const std::stop_token&) -> Result<void> {
    publish(bus, "inner");
    return {};
  };
  ASSERT_TRUE(bus.add({.name = "a", .topics = topics("#"), .call = publisher}));
  publish(bus, "outer");
  EXPECT_EQ(statistics(bus, "a").calls, 1U);
  EXPECT_THAT(problems.all(), ElementsAre(testing::Field(&HookProblem::kind, Kind::kNested)));
}

TEST(EventBus, SurvivesAReportThatThrowsOrPublishes) {
  Notes notes;
  EventBus* used = nullptr;
  EventBus bus({.on_problem = [&](const HookProblem&) {
    publish(*used, "inner");
    throw std::runtime_error("oh");
  }});
  used = &bus;
  auto failing = noting(notes, "a");
  failing.call = [&](const Published&, const std::stop_token&) -> Result<void> {
    return fail(ErrorCode::kIo, "no");
  };
  ASSERT_TRUE(bus.add(failing));
  ASSERT_TRUE(bus.add(noting(notes, "b")));
  publish(bus, "e");
  EXPECT_THAT(notes.all(), ElementsAre("b"));
}

}  // namespace
}  // namespace weir::record
