#include "record/buffered_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "record/callback_sink.h"
#include "record/fork_testing.h"
#include "record/sink_testing.h"

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::holds_in_child;
using Mood = RecordingSink::Mood;

/// A clock that stands still.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  Timestamp time{std::chrono::seconds(1000)};
};

std::shared_ptr<RecordingSink> recording_sink() { return std::make_shared<RecordingSink>(); }

TEST(ThreadsBufferedSink, HandsOverWhatItTookInOrder) {
  const auto below = recording_sink();
  BufferedSink sink(below);
  ASSERT_TRUE(sink.start());
  const TestEvent a("a"), b("b");
  ASSERT_TRUE(sink.emit(a.published()));
  EXPECT_TRUE(sink.try_emit(b.published()));
  ASSERT_TRUE(sink.flush());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a", "custom.b"));
  EXPECT_THAT(below->flushed_at(), ElementsAre(2));
  EXPECT_TRUE(sink.stop());
}

TEST(ThreadsBufferedSink, QueuesBeforeItIsStarted) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.max_events = 1});
  const TestEvent event("a");
  ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_EQ(sink.emit(event.published()).error().code, ErrorCode::kExhausted);
  ASSERT_TRUE(sink.start());
  ASSERT_TRUE(sink.stop());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a"));
}

TEST(ThreadsBufferedSink, DropsTheNewestWhenFullAndSaysSo) {
  const auto below = recording_sink();
  below->hold();
  StoppedClock clock;
  std::vector<std::string> dropped;
  BufferedSink sink(below, {.max_events = 2,
                            .on_drop = [&](const Published& e) { dropped.emplace_back(e.topic); },
                            .clock = &clock});
  ASSERT_TRUE(sink.start());
  const TestEvent a("a"), b("b"), c("c"), d("d");
  EXPECT_TRUE(sink.try_emit(a.published()));
  below->wait_for_calls(1);  // a is out of the queue
  EXPECT_TRUE(sink.try_emit(b.published()));
  EXPECT_TRUE(sink.try_emit(c.published()));
  clock.time += 1s;
  EXPECT_FALSE(sink.try_emit(d.published()));

  EXPECT_THAT(dropped, ElementsAre("custom.d"));
  const auto statistics = sink.statistics();
  EXPECT_EQ(statistics.emitted, 3U);
  EXPECT_EQ(statistics.dropped, 1U);
  EXPECT_EQ(statistics.queue_full_count, 1U);
  EXPECT_EQ(statistics.drop_rate_percent, 25.0);
  EXPECT_EQ(statistics.last_emit_time, clock.time - 1s);
  EXPECT_EQ(statistics.last_drop_time, clock.time);
  EXPECT_EQ(statistics.queued, 2U);
  EXPECT_EQ(statistics.errors, 0U);
  below->release();
  EXPECT_TRUE(sink.stop());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a", "custom.b", "custom.c"));
}

TEST(ThreadsBufferedSink, RoundsTheDropRateToTwoDecimals) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.max_events = 2});
  EXPECT_EQ(sink.statistics().drop_rate_percent, 0.0);
  const TestEvent event("a");
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_FALSE(sink.try_emit(event.published()));
  EXPECT_EQ(sink.statistics().drop_rate_percent, 33.33);
}

TEST(ThreadsBufferedSink, HoldsNoMoreBytesThanItMay) {
  const TestEvent event("a");
  BufferedSink sink(recording_sink(), {.max_bytes = event.line().size() * 2});
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_FALSE(sink.try_emit(event.published()));
  // One alone is taken whatever its size.
  BufferedSink narrow(recording_sink(), {.max_bytes = 1});
  EXPECT_TRUE(narrow.try_emit(event.published()));
}

TEST(ThreadsBufferedSink, WaitsForRoomInEmit) {
  const auto below = recording_sink();
  below->hold();
  BufferedSink sink(below, {.max_events = 1});
  ASSERT_TRUE(sink.start());
  const TestEvent a("a"), b("b"), c("c");
  ASSERT_TRUE(sink.emit(a.published()));
  below->wait_for_calls(1);
  ASSERT_TRUE(sink.emit(b.published()));
  std::thread waiting([&] { EXPECT_TRUE(sink.emit(c.published())); });
  while (sink.statistics().queue_full_count == 0) std::this_thread::yield();
  EXPECT_EQ(sink.statistics().emitted, 2U);
  below->release();
  waiting.join();
  ASSERT_TRUE(sink.stop());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a", "custom.b", "custom.c"));
  EXPECT_EQ(sink.statistics().dropped, 0U);
}

TEST(ThreadsBufferedSink, LosesNothingThatSeveralThreadsEmit) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.max_events = 7});
  ASSERT_TRUE(sink.start());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const TestEvent event("a");
      for (int j = 0; j < 200; ++j) EXPECT_TRUE(sink.emit(event.published()));
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(sink.stop());
  EXPECT_THAT(below->topics(), SizeIs(800));
}

TEST(ThreadsBufferedSink, FlushesTheSinkBelowByBatch) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.batch_events = 3, .flush_interval = 24h});
  const TestEvent event("a");
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(sink.emit(event.published()));
  ASSERT_TRUE(sink.start());
  ASSERT_TRUE(sink.stop());
  EXPECT_THAT(below->flushed_at(), ElementsAre(3, 6, 7));
}

TEST(ThreadsBufferedSink, FlushesTheSinkBelowAfterAWhile) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.flush_interval = 1ms});
  ASSERT_TRUE(sink.start());
  const TestEvent event("a");
  ASSERT_TRUE(sink.emit(event.published()));
  below->wait_for_flushes(1);
  EXPECT_THAT(below->flushed_at(), ElementsAre(1));
}

TEST(ThreadsBufferedSink, SaysOnceThatItRunsFull) {
  std::vector<std::size_t> heights;
  const auto below = recording_sink();
  BufferedSink sink(below, {.max_events = 10,
                            .high_water = 0.8,
                            .on_high_water = [&](std::size_t n) { heights.push_back(n); }});
  const TestEvent event("a");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_THAT(heights, ElementsAre(8));
  ASSERT_TRUE(sink.start());
  ASSERT_TRUE(sink.flush());
  below->hold();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_THAT(heights, SizeIs(2));
  below->release();
}

TEST(ThreadsBufferedSink, SaysAgainThatItRunsFullOnlyAfterItFellToHalf) {
  std::counting_semaphore<> may_take(0);
  const auto below = std::make_shared<CallbackSink>([&](const Published&) -> Result<void> {
    may_take.acquire();
    return {};
  });
  int told = 0;
  BufferedSink sink(
      below, {.max_events = 11, .high_water = 0.73, .on_high_water = [&](std::size_t) { ++told; }});
  const TestEvent event("a");
  ASSERT_TRUE(sink.emit(event.published()));
  ASSERT_TRUE(sink.start());
  const auto fall_to = [&](std::size_t height) {
    while (sink.statistics().queued != height) std::this_thread::yield();
  };
  const auto rise_by = [&](int events) {
    for (int i = 0; i < events; ++i) ASSERT_TRUE(sink.emit(event.published()));
  };
  fall_to(0);  // one is being handed over
  rise_by(9);
  EXPECT_EQ(told, 1);
  may_take.release(4);
  fall_to(5);
  rise_by(4);
  EXPECT_EQ(told, 1);
  may_take.release(5);
  fall_to(4);
  rise_by(5);
  EXPECT_EQ(told, 2);
  may_take.release(10);
  EXPECT_TRUE(sink.stop());
}

TEST(ThreadsBufferedSink, ReturnsFromStopWhatTheLastFlushReturned) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.name = "db"});
  ASSERT_TRUE(sink.start());
  below->set(Mood::kFailing);
  EXPECT_EQ(sink.stop().error().message, "sink 'db': cannot flush");
}

TEST(ThreadsBufferedSink, CountsAndTellsWhatTheSinkBelowReturnsAndThrows) {
  const auto below = recording_sink();
  std::vector<std::string> errors;  // of the thread, until it is stopped
  BufferedSink sink(below, {.name = "db", .on_error = [&](const Error& e) {
                              errors.push_back(e.message);
                              throw std::runtime_error("ignored");
                            }});
  const TestEvent event("a");
  ASSERT_TRUE(sink.start());
  below->set(Mood::kFailing);
  ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_EQ(sink.flush().error().message, "sink 'db': cannot flush");
  below->set(Mood::kThrowing);
  ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_FALSE(sink.flush());
  below->set(Mood::kWell);
  ASSERT_TRUE(sink.emit(event.published()));
  ASSERT_TRUE(sink.stop());

  EXPECT_THAT(below->topics(), ElementsAre("custom.a"));
  EXPECT_THAT(errors, ElementsAre("sink 'db': no luck", "sink 'db': cannot flush",
                                  "sink 'db': threw std::runtime_error: no manners",
                                  "sink 'db': threw std::runtime_error: no manners"));
  EXPECT_EQ(sink.statistics().errors, 4U);
  EXPECT_EQ(sink.statistics().last_error.value_or(Error{}).message, errors.back());
  EXPECT_EQ(sink.statistics().dropped, 0U);
}

TEST(ThreadsBufferedSink, DrainsOrDropsWhenItStops) {
  for (const auto how : {BufferedSink::Stop::kDrain, BufferedSink::Stop::kDrop}) {
    const auto below = recording_sink();
    below->hold();
    BufferedSink sink(below);
    ASSERT_TRUE(sink.start());
    const TestEvent event("a");
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(sink.emit(event.published()));
    below->wait_for_calls(1);
    std::thread stopper([&] { EXPECT_TRUE(sink.stop(how)); });
    while (sink.emit(event.published())) std::this_thread::yield();  // until it is stopped
    below->release();
    stopper.join();
    const auto statistics = sink.statistics();
    EXPECT_EQ(below->topics().size(), how == BufferedSink::Stop::kDrain ? statistics.emitted : 1U);
    EXPECT_EQ(statistics.queued, 0U);
  }
}

TEST(ThreadsBufferedSink, TakesNothingAfterItStoppedUntilItIsStartedAgain) {
  const auto below = recording_sink();
  BufferedSink sink(below, {.name = "db"});
  const TestEvent event("a");
  ASSERT_TRUE(sink.start());
  EXPECT_EQ(sink.start().error().code, ErrorCode::kConflict);
  ASSERT_TRUE(sink.stop());
  EXPECT_TRUE(sink.stop());
  EXPECT_EQ(sink.emit(event.published()).error(),
            (Error{ErrorCode::kCancelled, "sink 'db' is stopped"}));
  EXPECT_FALSE(sink.try_emit(event.published()));
  EXPECT_EQ(sink.flush().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(sink.statistics().dropped, 2U);
  ASSERT_TRUE(sink.start());
  ASSERT_TRUE(sink.emit(event.published()));
  ASSERT_TRUE(sink.stop());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a"));
}

TEST(ThreadsBufferedSink, DoesNotWaitInStopForASinkThatHangs) {
  const auto below = recording_sink();
  below->hold();
  BufferedSink sink(below, {.name = "db", .max_events = 2});
  ASSERT_TRUE(sink.start());
  const TestEvent event("a");
  ASSERT_TRUE(sink.emit(event.published()));
  below->wait_for_calls(1);
  ASSERT_TRUE(sink.emit(event.published()));
  ASSERT_TRUE(sink.emit(event.published()));
  std::thread flusher([&] { EXPECT_EQ(sink.flush().error().code, ErrorCode::kCancelled); });
  std::thread emitter(
      [&] { EXPECT_EQ(sink.emit(event.published()).error().code, ErrorCode::kCancelled); });
  while (sink.statistics().queue_full_count == 0) std::this_thread::yield();

  const auto stopped = sink.stop(BufferedSink::Stop::kDrain, 1ms);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(stopped.error().message,
            "sink 'db' is not back after 1 ms; 2 queued events were dropped");
  flusher.join();
  emitter.join();
  EXPECT_EQ(sink.start().error().code, ErrorCode::kConflict);
  EXPECT_EQ(sink.statistics().dropped, 3U);
  EXPECT_EQ(sink.statistics().drop_rate_percent, 75.0);
  below->release();
  EXPECT_TRUE(sink.stop());
}

TEST(ThreadsBufferedSink, NamesInItsDestructorTheSinkThatItWaitsFor) {
  const auto below = recording_sink();
  below->hold();
  std::string message;
  {
    BufferedSink sink(below, {.name = "db", .patience = 1ms, .on_error = [&](const Error& error) {
                                message = error.message;
                                below->release();
                              }});
    ASSERT_TRUE(sink.start());
    const TestEvent event("a");
    ASSERT_TRUE(sink.emit(event.published()));
    below->wait_for_calls(1);
    ASSERT_TRUE(sink.emit(event.published()));
  }
  EXPECT_THAT(message, HasSubstr("sink 'db'"));
  EXPECT_THAT(below->topics(), ElementsAre("custom.a"));
}

TEST(ForkBufferedSink, LeavesWhatIsQueuedToTheParent) {
  const auto below = recording_sink();
  below->hold();
  auto sink = std::make_unique<BufferedSink>(below, BufferedSinkOptions{.name = "db"});
  ASSERT_TRUE(sink->start());
  const TestEvent event("a");
  ASSERT_TRUE(sink->emit(event.published()));
  below->wait_for_calls(1);
  ASSERT_TRUE(sink->emit(event.published()));
  EXPECT_TRUE(holds_in_child([&] {
    const bool is_empty = sink->statistics().queued == 0 && sink->statistics().emitted == 0;
    const bool takes_none = !sink->try_emit(event.published()) &&
                            sink->emit(event.published()).error().code == ErrorCode::kCancelled &&
                            sink->flush().error().code == ErrorCode::kCancelled;
    const bool stays = sink->start().error() ==
                       Error{ErrorCode::kConflict, "sink 'db' belongs to the parent process"};
    const bool stops = sink->stop().has_value();
    sink.reset();
    return is_empty && takes_none && stays && stops;
  }));
  below->release();
  ASSERT_TRUE(sink->stop());
  EXPECT_THAT(below->topics(), ElementsAre("custom.a", "custom.a"));
}

TEST(ForkBufferedSink, CanBeUsedInAChildWhateverOtherThreadsDo) {
  BufferedSink sink(recording_sink(), {.max_events = 2});
  ASSERT_TRUE(sink.start());
  const TestEvent event("a");
  std::jthread emitter([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) static_cast<void>(sink.emit(event.published()));
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(holds_in_child([&] { return !sink.try_emit(event.published()); }));
  }
}

TEST(ThreadsBufferedSink, DropsInItsDestructorWhatIsQueued) {
  const auto below = recording_sink();
  {
    BufferedSink sink(below);
    const TestEvent event("a");
    ASSERT_TRUE(sink.emit(event.published()));
  }
  EXPECT_THAT(below->topics(), IsEmpty());
}

}  // namespace
}  // namespace weir::record
