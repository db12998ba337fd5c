#include "record/event_bus.h"

// Long: every promise of one class, with the helpers that they share.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = HookProblem::Kind;

// Long enough for a loaded machine; nothing waits for it to pass.
constexpr auto kSoon = 20s;

/// A line of a custom type, whose topic is `custom.TYPE`.
std::string line_of(std::string_view type, int seq = 1) {
  return R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + std::string(type) +
         R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)" +
         R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":)" + std::to_string(seq) +
         "}";
}

void publish(EventBus& bus, std::string_view type, int seq = 1) {
  event::Decoder decoder;
  const auto line = line_of(type, seq);
  const auto event = decoder.decode(line);
  ASSERT_TRUE(event) << event.error().message;
  bus.publish(**event, line);
}

std::vector<event::TopicPattern> topics(std::string_view pattern) {
  return {*event::TopicPattern::parse(pattern)};
}

/// Strings from any thread.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
    changed_.notify_all();
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSoon, [&] { return notes_.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
};

/// A hook that notes its name.
Hook noting(Notes& notes, std::string name) {
  auto note = [&notes, name](const Published&, const std::stop_token&) -> Result<void> {
    notes.add(name);
    return {};
  };
  return {.name = std::move(name), .topics = topics("#"), .call = std::move(note)};
}

/// Waits for its token; what a hook with a time limit should do.
Result<void> wait_for_stop(const Published&, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
  return fail(ErrorCode::kCancelled, "told to stop");
}

/// What the bus reports, by kind.
class Problems {
 public:
  std::function<void(const HookProblem&)> recorder() {
    return [this](const HookProblem& problem) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(problem);
      changed_.notify_all();
    };
  }
  std::vector<HookProblem> all() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }
  bool wait_for(Kind kind) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSoon, [&] {
      return std::any_of(problems_.begin(), problems_.end(),
                         [&](const auto& problem) { return problem.kind == kind; });
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HookProblem> problems_;
};

HookStatistics statistics(const EventBus& bus, std::string_view name) {
  for (auto& each : bus.list()) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no hook " << name;
  return {};
}

// ODIBI CORE's tests of its bus, by its names; those of the built-in hooks are in
// builtin_hooks_test.cc.

TEST(EventBus, RegistersAHook) {
  Notes notes;
  EventBus bus;
  EXPECT_THAT(bus.list(), IsEmpty());
  ASSERT_TRUE(bus.add(noting(notes, "a")));
  EXPECT_THAT(bus.list(), ElementsAre(AllOf(Field(&HookStatistics::name, "a"),
                                            Field(&HookStatistics::enabled, true),
                                            Field(&HookStatistics::calls, 0U))));
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
    return AllOf(Field(&HookProblem::kind, kind), Field(&HookProblem::message, message));
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
  EventBus bus;
  auto late = noting(notes, "asynchronous");
  late.mode = HookMode::kAsynchronous;
  late.priority = HookPriority::kCritical;
  ASSERT_TRUE(bus.add(late));
  auto slow = noting(notes, "synchronous");
  slow.priority = HookPriority::kLow;
  slow.call = [](const Published&, const std::stop_token&) -> Result<void> {
    std::this_thread::sleep_for(2ms);
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
  EXPECT_GE(all[0].total_time, 4ms);
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
  EXPECT_THAT(problems.all(), ElementsAre(Field(&HookProblem::kind, Kind::kNested)));
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

// Hooks at the edge of their time, so that the end of a call and its timeout meet in every way.
TEST(ThreadsEventBus, TimeoutsThatMeetTheEndOfACallLoseNothing) {
  EventBus bus({.threads = 2, .max_timeouts_in_a_row = 1'000'000});
  for (const char* name : {"synchronous", "asynchronous 1", "asynchronous 2"}) {
    auto edge = [](const Published&, const std::stop_token&) -> Result<void> {
      std::this_thread::sleep_for(1ms);
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
