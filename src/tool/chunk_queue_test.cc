#include "tool/chunk_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

namespace weir::tool {
namespace {

using event::Type;
using testing::ElementsAre;
using testing::IsEmpty;

/// Stands still until it is moved.
class HandClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    ++reads_;
    return time_.load();
  }
  void move(std::chrono::nanoseconds by) { time_ = time_.load() + by; }
  /// How often somebody has looked at it.
  [[nodiscard]] int reads() const { return reads_; }

 private:
  std::atomic<std::chrono::nanoseconds> time_{};
  mutable std::atomic<int> reads_ = 0;
};

class ChunkQueueTest : public testing::Test {
 protected:
  ChunkQueue make(StreamOptions options) {
    return {options, clock_, [this](const StreamEvent& event) {
              const std::lock_guard lock(mutex_);
              events_.push_back(event);
            }};
  }
  std::vector<Type> types() {
    const std::lock_guard lock(mutex_);
    std::vector<Type> types;
    for (const auto& event : events_) types.push_back(event.type);
    return types;
  }
  StreamEvent only(Type type) {
    const std::lock_guard lock(mutex_);
    StreamEvent found{.type = Type::kCustom};
    for (const auto& event : events_) {
      if (event.type == type) found = event;
    }
    EXPECT_EQ(found.type, type);
    return found;
  }

  HandClock clock_;
  std::mutex mutex_;
  std::vector<StreamEvent> events_;
};

std::string text_of(const StreamEvent& event) { return json::to_text(event.attributes); }

/// The end, and no error.
bool is_end(const Result<std::optional<Chunk>>& got) { return got && !got->has_value(); }
/// An empty one with the number 0 when there is none.
Chunk chunk_of(const Result<std::optional<Chunk>>& got) {
  return got && got->has_value() ? **got : Chunk();
}

/// All that is there now.
std::vector<std::string> rest(ChunkQueue& queue) {
  std::vector<std::string> all;
  while (true) {
    auto chunk = queue.try_get();
    if (!chunk || !*chunk) return all;
    all.push_back((*chunk)->bytes);
  }
}

TEST_F(ChunkQueueTest, GivesChunksInTheirOrderAndThenTheEnd) {
  auto queue = make({.capacity = 3});
  EXPECT_EQ(queue.put("a"), Put::kQueued);
  EXPECT_EQ(queue.put("b"), Put::kQueued);
  queue.close();
  EXPECT_EQ(queue.put("late"), Put::kClosed);
  EXPECT_EQ(chunk_of(queue.get()), (Chunk{.frame_index = 0, .bytes = "a"}));
  EXPECT_EQ(chunk_of(queue.get()), (Chunk{.frame_index = 1, .bytes = "b"}));
  EXPECT_TRUE(is_end(queue.get()));
  EXPECT_TRUE(is_end(queue.get())) << "the end stays";
}

TEST_F(ChunkQueueTest, DropsTheNewestChunkWhenItIsFull) {
  auto queue = make({.capacity = 2, .on_full = OnFull::kDropNewest});
  for (const char* bytes : {"a", "b"}) EXPECT_EQ(queue.put(bytes), Put::kQueued);
  EXPECT_EQ(queue.put("c"), Put::kDropped);
  const auto event = only(Type::kStreamChunkDropped);
  EXPECT_EQ(event.frame_index, 2);
  EXPECT_EQ(event.reason, "queue_full");
  EXPECT_EQ(text_of(event), R"({"queue_size":2,"max_size":2})");
  EXPECT_THAT(rest(queue), ElementsAre("a", "b"));
}

TEST_F(ChunkQueueTest, DropsTheOldestChunkWhenItIsFull) {
  auto queue = make({.capacity = 2, .on_full = OnFull::kDropOldest});
  for (const char* bytes : {"a", "b", "c"}) EXPECT_EQ(queue.put(bytes), Put::kQueued);
  const auto event = only(Type::kStreamChunkDropped);
  EXPECT_EQ(event.frame_index, 0);
  EXPECT_EQ(event.reason, "overflow");
  EXPECT_THAT(rest(queue), ElementsAre("b", "c"));
}

TEST_F(ChunkQueueTest, FailsAPutThatFindsItFull) {
  auto queue = make({.capacity = 1, .on_full = OnFull::kError});
  EXPECT_EQ(queue.put("a"), Put::kQueued);
  const auto full = queue.put("b");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(only(Type::kStreamChunkDropped).reason, "queue_full");
  EXPECT_THAT(rest(queue), ElementsAre("a"));
  EXPECT_EQ(queue.put("c"), Put::kQueued) << "it is not broken";
}

TEST_F(ChunkQueueTest, RefusesAChunkThatIsTooLarge) {
  auto queue = make({});
  EXPECT_EQ(queue.put(std::string(kMaxChunkBytes, 'x')), Put::kQueued);
  EXPECT_EQ(queue.put(std::string(kMaxChunkBytes + 1, 'x')).error().code, ErrorCode::kInvalidInput);
}

TEST_F(ChunkQueueTest, SaysThatItIsFilledOnceUntilItHasEmptied) {
  auto queue = make({.capacity = 10});
  const auto put = [&](int count) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(queue.put("x"), Put::kQueued);
  };
  const auto get = [&](int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(queue.get());
  };
  put(7);
  EXPECT_THAT(types(), IsEmpty());
  put(1);
  EXPECT_THAT(types(), ElementsAre(Type::kStreamThrottleStarted));
  EXPECT_EQ(text_of(events_[0]), R"({"fill_percentage":80.0,"queue_size":8})");
  get(5), put(7), get(7);
  EXPECT_EQ(types().size(), 1U) << "between the marks it says nothing";
  EXPECT_TRUE(queue.statistics().throttled);
  get(1);
  EXPECT_THAT(types(), ElementsAre(Type::kStreamThrottleStarted, Type::kStreamThrottleEnded));
  EXPECT_EQ(text_of(events_[1]), R"({"fill_percentage":20.0,"queue_size":2})");
}

TEST_F(ChunkQueueTest, SaysItsTotalsOnceWhenItIsClosed) {
  auto queue = make({.capacity = 2, .on_full = OnFull::kDropOldest});
  for (const char* bytes : {"a", "b", "c"}) EXPECT_TRUE(queue.put(bytes));
  queue.close();
  queue.close();
  queue.fail({ErrorCode::kCancelled, "too late"});
  const auto all = types();
  EXPECT_EQ(std::count(all.begin(), all.end(), Type::kStreamQueueClosed), 1);
  const auto event = only(Type::kStreamQueueClosed);
  EXPECT_EQ(event.reason, "end_of_stream");
  EXPECT_EQ(text_of(event),
            R"({"total_items":3,"dropped_items":1,"blocked_puts":0,"max_queue_size":2,)"
            R"("total_blocked_ms":0.0})");
  EXPECT_THAT(rest(queue), ElementsAre("b", "c")) << "the first end counts";
}

TEST_F(ChunkQueueTest, GivesWhatIsLeftOfAFailedStreamAndThenTheError) {
  auto queue = make({});
  EXPECT_TRUE(queue.put("a"));
  queue.fail({ErrorCode::kUnavailable, "node 'a' failed"});
  EXPECT_EQ(chunk_of(queue.get()), (Chunk{.frame_index = 0, .bytes = "a"}));
  EXPECT_EQ(queue.get().error().message, "node 'a' failed");
  EXPECT_EQ(queue.put("b").error().message, "node 'a' failed");
  EXPECT_EQ(only(Type::kStreamQueueClosed).reason, "failed");
}

TEST_F(ChunkQueueTest, TellsTheWriterThatNothingMoreIsNeeded) {
  auto queue = make({.capacity = 1});
  EXPECT_TRUE(queue.put("a"));
  queue.stop_reading();
  EXPECT_EQ(queue.put("b"), Put::kClosed) << "although it is full";
  EXPECT_TRUE(is_end(queue.get()));
  queue.close();
  EXPECT_EQ(only(Type::kStreamQueueClosed).reason, "reader_ended");
  EXPECT_EQ(queue.statistics().queue_size, 1) << "left unread";
}

/// Waits until somebody else has come as far as it goes alone: there is no event for that.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

class ThreadsChunkQueueTest : public ChunkQueueTest {};

TEST_F(ThreadsChunkQueueTest, MeasuresHowLongAWriterWaited) {
  for (const auto& [waited, is_said] : {std::pair(std::chrono::microseconds(1'000), false),
                                        std::pair(std::chrono::microseconds(1'500), true)}) {
    auto queue = make({.capacity = 1});
    EXPECT_TRUE(queue.put("a"));
    const auto reads = clock_.reads();
    std::jthread writer([&] { EXPECT_EQ(queue.put("b"), Put::kQueued); });
    wait_until([&] { return clock_.reads() > reads; });  // it found the queue full
    clock_.move(waited);
    EXPECT_TRUE(queue.get());
    writer.join();
    EXPECT_EQ(queue.statistics().blocked_puts, is_said ? 1 : 0);
  }
  const auto event = only(Type::kStreamProducerBlocked);
  EXPECT_EQ(event.frame_index, 1);
  EXPECT_EQ(text_of(event), R"({"blocked_ms":1.5,"queue_size":0})");
}

TEST_F(ThreadsChunkQueueTest, WakesBothSidesWhenItEnds) {
  using End = void (*)(ChunkQueue&);
  for (const End end : {+[](ChunkQueue& queue) { queue.close(); },
                        +[](ChunkQueue& queue) { queue.fail({ErrorCode::kIo, "no"}); },
                        +[](ChunkQueue& queue) { queue.stop_reading(); }}) {
    ChunkQueue empty({.capacity = 1}, clock_), full({.capacity = 1}, clock_);
    EXPECT_TRUE(full.put("a"));
    std::jthread reader([&] { EXPECT_EQ(chunk_of(empty.get()), Chunk()); });
    std::jthread writer([&] { EXPECT_NE(full.put("b"), Put::kQueued); });
    end(empty);
    end(full);
  }
}

TEST_F(ThreadsChunkQueueTest, WakesWhoeverIsStoppedAndNobodyElse) {
  ChunkQueue empty({.capacity = 1}, clock_), full({.capacity = 1}, clock_);
  EXPECT_TRUE(full.put("a"));
  std::stop_source stop;
  std::jthread reader(
      [&] { EXPECT_EQ(empty.get(stop.get_token()).error().code, ErrorCode::kCancelled); });
  std::jthread writer(
      [&] { EXPECT_EQ(full.put("b", stop.get_token()).error().code, ErrorCode::kCancelled); });
  stop.request_stop();
  reader.join();
  writer.join();
  EXPECT_EQ(chunk_of(full.get()), (Chunk{.frame_index = 0, .bytes = "a"})) << "others go on";
  EXPECT_EQ(full.put("c"), Put::kQueued);
  EXPECT_FALSE(full.put("d", stop.get_token())) << "who is stopped writes no more";
  EXPECT_EQ(full.statistics().total_items, 2);
}

TEST_F(ThreadsChunkQueueTest, WakesAReaderForEveryChunk) {
  ChunkQueue queue({.capacity = 1}, clock_);
  constexpr int kChunks = 2'000;
  std::jthread writer([&] {
    for (int i = 0; i < kChunks; ++i) EXPECT_EQ(queue.put(std::to_string(i)), Put::kQueued);
    queue.close();
  });
  for (int i = 0; i < kChunks; ++i) EXPECT_EQ((*queue.get())->bytes, std::to_string(i));
  EXPECT_TRUE(is_end(queue.get()));
}

/// One random use of a queue by several threads, and what became of every chunk.
class RandomUse {
 public:
  RandomUse(const Clock& clock, unsigned seed)
      : random_(seed),
        options_{.capacity = pick(1, 8), .on_full = static_cast<OnFull>(pick(0, 3))},
        queue_(options_, clock, [this](const StreamEvent& event) { note(event); }) {}

  void run() {
    {
      std::vector<std::jthread> threads;
      const int writers = pick(1, 3), readers = pick(1, 3);
      for (int i = 0; i < writers; ++i) {
        threads.emplace_back([this, i, count = pick(0, 60)] { write(i, count); });
      }
      for (int i = 0; i < readers; ++i) {
        const bool stops = pick(0, 5) == 0;
        threads.emplace_back([this, stops, count = pick(0, 30)] { read(stops ? count : -1); });
      }
      threads.emplace_back([this, how = pick(0, 3), after = pick(0, 40)] { end(how, after); });
    }
    check();
  }

 private:
  int pick(int lowest, int highest) {
    return std::uniform_int_distribution(lowest, highest)(random_);
  }

  void write(int writer, int count) {
    for (int i = 0; i < count; ++i) {
      const auto put = queue_.put(std::to_string(writer) + ":" + std::to_string(i));
      if (put == Put::kQueued) ++queued_;
      if (put == Put::kClosed || (!put && put.error().code == ErrorCode::kCancelled)) return;
    }
  }

  void read(int limit) {
    for (int i = 0; limit < 0 || i < limit; ++i) {
      auto chunk = queue_.get();
      if (!chunk || !*chunk) return;
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(read_.insert((*chunk)->bytes).second) << "read twice";
      frames_.insert((*chunk)->frame_index);
    }
    queue_.stop_reading();
  }

  void end(int how, int after) {
    for (int i = 0; i < after; ++i) std::this_thread::yield();
    if (how <= 1) queue_.fail({ErrorCode::kCancelled, "failed"});
    if (how > 1) queue_.close();
  }

  void note(const StreamEvent& event) {
    if (event.type == Type::kStreamQueueClosed) closed_ = json::to_text(event.attributes), ++ends_;
    if (event.type == Type::kStreamChunkDropped) dropped_.insert(*event.frame_index);
    if (event.type == Type::kStreamThrottleStarted) ++throttles_;
    if (event.type == Type::kStreamThrottleEnded) --throttles_;
    EXPECT_TRUE(throttles_ == 0 || throttles_ == 1);
  }

  void check() {
    const auto totals = queue_.statistics();
    EXPECT_EQ(totals.read_items, static_cast<std::int64_t>(read_.size()));
    EXPECT_EQ(totals.dropped_items, static_cast<std::int64_t>(dropped_.size()));
    EXPECT_EQ(totals.total_items, totals.read_items + totals.dropped_items + totals.queue_size)
        << "a chunk is read, dropped or left";
    EXPECT_EQ(frames_.size(), read_.size());
    const bool drops_queued = options_.on_full == OnFull::kDropOldest;
    EXPECT_EQ(queued_, totals.total_items - (drops_queued ? 0 : totals.dropped_items));
    for (const auto frame : dropped_) EXPECT_FALSE(frames_.contains(frame)) << "dropped and read";
    EXPECT_EQ(ends_, 1);
    EXPECT_EQ(closed_.find("{\"total_items\":" + std::to_string(totals.total_items) + ","), 0U);
    EXPECT_LE(totals.max_queue_size, options_.capacity);
    if (options_.on_full == OnFull::kBlock) {
      EXPECT_EQ(totals.dropped_items, 0);
    }
  }

  std::mt19937 random_;
  const StreamOptions options_;
  std::mutex mutex_;
  std::set<std::string> read_;
  std::set<std::int64_t> frames_, dropped_;  // dropped_ and what follows: by the queue's events
  std::string closed_;
  int ends_ = 0;
  int throttles_ = 0;
  std::atomic<std::int64_t> queued_ = 0;
  ChunkQueue queue_;
};

TEST_F(ThreadsChunkQueueTest, NeitherLosesNorDoublesAChunkThatItDoesNotCountAsDropped) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomUse(system_clock(), seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::tool
