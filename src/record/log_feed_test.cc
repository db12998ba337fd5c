#include "record/log_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "log/log_writer.h"
#include "record/event_bus_sink.h"
#include "record/fork_testing.h"
#include "record/recorded_events.h"
#include "record/recorder.h"

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::fresh_store;
using testing_support::holds_in_child;

// Long enough for a loaded machine; nothing waits for it to pass.
constexpr auto kInTime = 20s;

std::string line_of(int seq) {
  return R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":"log","level":"INFO",)"
         R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)"
         R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":)" +
         std::to_string(seq) + R"(,"message":"m"})" + "\n";
}

void commit(log::LogWriter& writer, std::string lines) {
  const auto events = std::count(lines.begin(), lines.end(), '\n');
  ASSERT_TRUE(writer.commit(lines, static_cast<std::uint64_t>(events)));
}

/// Notes what it is given, and then does what a test wants.
class NotingSink final : public EventSink {
 public:
  std::function<Result<void>(std::int64_t seq)> then = [](std::int64_t) { return Result<void>(); };
  std::function<Result<void>()> at_flush = [] { return Result<void>(); };

  Result<void> emit(const Published& event) override {
    {
      const std::lock_guard lock(mutex_);
      seqs_.push_back(event.event.run_seq());
      topics_.emplace_back(event.topic);
      changed_.notify_all();
    }
    return then(event.event.run_seq());
  }
  Result<void> flush() override { return at_flush(); }

  std::vector<std::int64_t> seqs() const {
    const std::lock_guard lock(mutex_);
    return seqs_;
  }
  std::vector<std::string> topics() const {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kInTime, [&] { return seqs_.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> seqs_;
  std::vector<std::string> topics_;
};

/// Of a sink that outlives it.
std::unique_ptr<LogFeed> start(const log::StoreDirectory& store, EventSink& sink,
                               LogFeedOptions options = {}) {
  options.name = "notes";
  const std::shared_ptr<EventSink> unowned(std::shared_ptr<EventSink>(), &sink);
  auto feed = LogFeed::start(store, unowned, std::move(options));
  EXPECT_TRUE(feed) << feed.error().message;
  return *std::move(feed);
}

TEST(ThreadsLogFeed, GivesASinkTheEventsOfARecorderInOrder) {
  const auto store = fresh_store();
  constexpr std::int64_t kEvents = 5000;
  NotingSink sink;
  const auto feed = start(store, sink);
  {
    Recorder recorder(store, {.log = {.segment_bytes = 64 << 10}});
    auto run = recorder.begin({.run_id = RunId::make(system_clock().now()),
                               .pipeline_type = "dag",
                               .pipeline_id = "p",
                               .pipeline_version = "1"});
    ASSERT_TRUE(run) << run.error().message;
    for (std::int64_t i = 0; i < kEvents; ++i) {
      (*run)->emit(event::Type::kLog, {{event::Field::kMessage, "an event"}});
    }
    ASSERT_TRUE((*run)->flush());
    ASSERT_TRUE(sink.wait_for(kEvents));  // while the recorder lives
  }
  ASSERT_TRUE(feed->finish(kInTime));
  std::vector<std::int64_t> expected(kEvents);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(sink.seqs(), expected);
  EXPECT_EQ(sink.topics().front(), "log");
  const auto statistics = feed->statistics();
  EXPECT_EQ(statistics.delivered, kEvents);
  EXPECT_EQ(statistics.errors, 0U) << statistics.last_error;
  EXPECT_EQ(statistics.lag_bytes, 0U);
}

TEST(ThreadsLogFeed, FollowsTheWritersThatItIsToldOnly) {
  const auto store = fresh_store();
  log::LogWriter ours(store, system_clock()), other(store, system_clock());
  NotingSink sink;
  const auto feed =
      start(store, sink, {.is_writer = [&](std::string_view name) { return name == ours.name(); }});
  commit(other, line_of(1));
  commit(ours, line_of(2));
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(2));
  EXPECT_EQ(feed->statistics().lag_bytes, 0U);
}

TEST(ThreadsLogFeed, CountsWhatTheSinkRefusesAndThrowsAndGoesOn) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  sink.then = [](std::int64_t seq) -> Result<void> {
    if (seq == 1) return fail(ErrorCode::kIo, "no room");
    if (seq == 2) throw std::runtime_error("bad day");
    if (seq == 3) throw 7;  // NOLINT: what others throw
    return {};
  };
  std::vector<std::string> problems;
  const auto feed =
      start(store, sink, {.on_problem = [&](const std::string& one) { problems.push_back(one); }});
  commit(writer, line_of(1) + line_of(2) + line_of(3) + line_of(4));
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(feed->statistics().delivered, 1U);
  EXPECT_EQ(feed->statistics().errors, 3U);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("no room"), HasSubstr("bad day"),
                                    HasSubstr("notes: threw int")));
  EXPECT_EQ(feed->statistics().last_error, "threw int");
}

TEST(ThreadsLogFeed, SaysWhichLineIsNoEvent) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  const auto feed = start(store, sink);
  commit(writer, line_of(1) + "{}\n" + line_of(3));
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(1, 3));
  EXPECT_THAT(feed->statistics().last_error, HasSubstr(writer.name() + "-000001.jsonl: at byte " +
                                                       std::to_string(line_of(1).size()) + ": "));
}

TEST(ThreadsLogFeed, SaysWhatIsNotDeliveredInTimeAndDeliversItLater) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  std::latch go_on(1);
  NotingSink sink;
  sink.then = [&](std::int64_t) {
    go_on.wait();
    return Result<void>();
  };
  const auto feed = start(store, sink);
  commit(writer, line_of(1));
  commit(writer, line_of(2));
  ASSERT_TRUE(sink.wait_for(1));
  const auto size = std::filesystem::file_size(store.segment({writer.name(), 1}));
  EXPECT_EQ(feed->statistics().lag_bytes, size);
  const auto late = feed->finish(1ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(late.error().message,
              HasSubstr("'notes' has not taken everything within 1 ms: after 0 "
                        "events it is " +
                        std::to_string(size) + " bytes"));
  go_on.count_down();
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(1, 2));
}

TEST(ThreadsLogFeed, FinishesWithTheSinksFlush) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  std::vector<std::int64_t> at_flush;
  sink.at_flush = [&]() -> Result<void> {
    at_flush = sink.seqs();
    return fail(ErrorCode::kIo, "the pipe is closed");
  };
  const auto feed = start(store, sink);
  commit(writer, line_of(1));
  EXPECT_EQ(feed->finish(kInTime).error(), (Error{ErrorCode::kIo, "notes: the pipe is closed"}));
  EXPECT_THAT(at_flush, ElementsAre(1));
  sink.at_flush = [] { return Result<void>(); };
  commit(writer, line_of(2));
  EXPECT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(1, 2));
}

// What comes while it finishes need not end.
TEST(ThreadsLogFeed, FinishesWhileMoreIsCommitted) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  int next = 2;
  std::latch committed(1);  // an event can be read before the call that committed it returns
  sink.then = [&](std::int64_t) {
    committed.wait();
    commit(writer, line_of(next++));  // every event brings another
    return Result<void>();
  };
  const auto feed = start(store, sink);
  commit(writer, line_of(1));
  committed.count_down();
  EXPECT_TRUE(feed->finish(kInTime));
}

TEST(ThreadsLogFeed, WaitsForTheCallThatIsOut) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  std::atomic<bool> is_back = false;
  NotingSink sink;
  sink.then = [&](std::int64_t) {
    std::this_thread::sleep_for(20ms);
    is_back = true;
    return Result<void>();
  };
  auto feed = start(store, sink);
  commit(writer, line_of(1) + line_of(2));
  ASSERT_TRUE(sink.wait_for(1));
  feed.reset();
  EXPECT_TRUE(is_back);
  EXPECT_THAT(sink.seqs(), ElementsAre(1));  // nothing more after it was to end
}

TEST(ThreadsLogFeed, LeavesASinkBehindThatDoesNotComeBack) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  const auto go_on = std::make_shared<std::latch>(1);
  auto sink = std::make_shared<NotingSink>();
  sink->then = [go_on](std::int64_t seq) {
    if (seq == 2) go_on->wait();
    return Result<void>();
  };
  std::vector<std::string> problems;
  auto feed = LogFeed::start(
      store, sink, {.name = "notes", .patience = 20ms, .on_problem = [&](const std::string& one) {
                      problems.push_back(one);
                    }});
  ASSERT_TRUE(feed);
  commit(writer, line_of(1) + line_of(2) + line_of(3));
  ASSERT_TRUE(sink->wait_for(2));
  feed->reset();
  EXPECT_THAT(problems, ElementsAre("'notes' is left behind after 1 events: it has not come back "
                                    "from the next one"));
  // Its thread has it until then.
  const std::weak_ptr<NotingSink> left = std::exchange(sink, nullptr);
  EXPECT_FALSE(left.expired());
  go_on->count_down();
  for (int i = 0; !left.expired() && i < 2000; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(left.expired());
}

// What has waited for a sink in vain does not wait as long again.
TEST(ThreadsLogFeed, OneThatHangsKeepsNothingFromTheOthers) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  std::latch go_on(1);
  NotingSink hangs, healthy;
  hangs.then = [&](std::int64_t) {
    go_on.wait();
    return Result<void>();
  };
  std::vector<std::unique_ptr<LogFeed>> feeds;
  feeds.push_back(start(store, hangs));
  feeds.push_back(start(store, healthy));
  commit(writer, line_of(1) + line_of(2));
  ASSERT_TRUE(hangs.wait_for(1));
  const auto results = LogFeed::finish(feeds, 500ms);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_FALSE(results[0]);
  EXPECT_TRUE(results[1]) << results[1].error().message;
  EXPECT_THAT(healthy.seqs(), ElementsAre(1, 2));
  go_on.count_down();
}

TEST(ThreadsLogFeed, GivesASinkWhatItWants) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  const auto feed = start(store, sink, {.filter = {.min_level = event::Level::kWarning}});
  auto warning = line_of(2);
  warning.replace(warning.find("INFO"), 4, "WARNING");
  commit(writer, line_of(1) + warning);
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(2));
  EXPECT_EQ(feed->statistics().delivered, 1U);
}

TEST(ThreadsLogFeed, GoesOnFromItsCursor) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink first, second;
  commit(writer, line_of(1));
  auto feed = start(store, first);
  ASSERT_TRUE(feed->finish(kInTime));
  const auto cursor = feed->cursor();
  feed.reset();
  commit(writer, line_of(2));
  feed = start(store, second, {.from = cursor});
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(second.seqs(), ElementsAre(2));
}

TEST(ThreadsEventBusSink, TellsHooksOfTheTopic) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  EventBus bus;
  std::vector<std::string> heard;
  const auto hook = [&](const Published& event, const std::stop_token&) -> Result<void> {
    heard.emplace_back(event.line);
    return {};
  };
  ASSERT_TRUE(bus.add({.name = "listener",
                       .topics = {*event::TopicPattern::parse("log")},
                       .call = hook,
                       .mode = HookMode::kAsynchronous}));
  EventBusSink sink(bus);
  const auto feed = start(store, sink);
  commit(writer, line_of(1));
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(heard, ElementsAre(line_of(1).substr(0, line_of(1).size() - 1)));
}

TEST(ThreadsEventBusSink, SaysThatHooksAreStillBusy) {
  std::latch go_on(1);
  EventBus bus;
  const auto hook = [&](const Published&, const std::stop_token&) -> Result<void> {
    go_on.wait();
    return {};
  };
  ASSERT_TRUE(bus.add({.name = "slow",
                       .topics = {*event::TopicPattern::parse("#")},
                       .call = hook,
                       .mode = HookMode::kAsynchronous}));
  EventBusSink sink(bus, 1ms);
  event::Decoder decoder;
  const auto text = line_of(1);
  const auto line = std::string_view(text).substr(0, text.size() - 1);
  const auto event = decoder.decode(line);
  ASSERT_TRUE(sink.emit({.topic = "log", .event = **event, .line = line}));
  EXPECT_EQ(sink.flush().error().code, ErrorCode::kUnavailable);
  go_on.count_down();
  EXPECT_TRUE(EventBusSink(bus).flush());
}

TEST(ForkLogFeed, GoesOnInTheParentAlone) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  std::latch release(1);
  sink.then = [&](std::int64_t) {
    release.wait();
    return Result<void>();
  };
  auto feed = start(store, sink);
  commit(writer, line_of(1) + line_of(2));
  ASSERT_TRUE(sink.wait_for(1));
  EXPECT_TRUE(holds_in_child([&] {
    const bool is_parents = feed->finish(kInTime).error() ==
                            Error{ErrorCode::kConflict, "'notes' belongs to the parent process"};
    const bool says_so_far = feed->statistics().delivered == 0 && feed->cursor() == log::Cursor();
    feed.reset();
    return is_parents && says_so_far && sink.seqs().size() == 1;
  }));
  release.count_down();
  ASSERT_TRUE(feed->finish(kInTime));
  EXPECT_THAT(sink.seqs(), ElementsAre(1, 2));
}

TEST(ForkLogFeed, CanBeEndedInAChildWhateverOtherThreadsDo) {
  const auto store = fresh_store();
  log::LogWriter writer(store, system_clock());
  NotingSink sink;
  auto feed = start(store, sink);
  std::jthread finisher([&](const std::stop_token& stop) {
    for (int seq = 1; !stop.stop_requested(); ++seq) {
      commit(writer, line_of(seq));
      EXPECT_TRUE(feed->finish(kInTime));
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(holds_in_child([&] {
      const bool is_parents = !feed->finish(kInTime);
      feed.reset();
      return is_parents;
    }));
  }
}

}  // namespace
}  // namespace weir::record
