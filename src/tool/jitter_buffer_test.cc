#include "tool/jitter_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weir::tool {
namespace {

using event::Type;
using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

class JitterBufferTest : public testing::Test {
 protected:
  static std::string sound(int duration_ms, char sign = 's') {
    return std::string(static_cast<std::size_t>(duration_ms) * 32, sign);  // 16 kHz, 2 bytes
  }
  void add(const std::string& sound) { EXPECT_TRUE(buffer_.add(sound)); }

  std::vector<StreamEvent> events_;
  JitterBuffer buffer_{{}, [this](const StreamEvent& event) { events_.push_back(event); }};
};

std::string attributes_of(const StreamEvent& event) { return json::to_text(event.attributes); }

TEST_F(JitterBufferTest, IsReadyWhenItHoldsItsTarget) {
  add(sound(199));
  EXPECT_FALSE(buffer_.is_ready());
  add(sound(1));
  EXPECT_TRUE(buffer_.is_ready());
  EXPECT_EQ(buffer_.statistics().buffer_duration_ms, 200);
  EXPECT_EQ(buffer_.statistics().buffered_bytes, 6'400U);
}

TEST_F(JitterBufferTest, GivesSoundInTheOrderItCame) {
  add(sound(10, 'a'));
  add(sound(10, 'b'));
  EXPECT_EQ(buffer_.read(milliseconds(15)), sound(10, 'a') + sound(5, 'b'));
  EXPECT_EQ(buffer_.read(milliseconds(5)), sound(5, 'b'));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(JitterBufferTest, DropsTheOldestFiftyMillisecondsAtATime) {
  add(sound(1'990, 'a'));
  add(sound(10, 'b'));
  EXPECT_THAT(events_, IsEmpty()) << "so much there may be";
  add(sound(60, 'c'));
  ASSERT_THAT(events_, SizeIs(1));
  EXPECT_EQ(events_[0].type, Type::kStreamBufferOverflow);
  EXPECT_EQ(events_[0].frame_index, 2);
  EXPECT_EQ(attributes_of(events_[0]),
            R"({"bytes_dropped":3200,"buffer_duration_ms":1960.0,"max_duration_ms":2000})");
  EXPECT_EQ(buffer_.read(milliseconds(1'960)), sound(1'890, 'a') + sound(10, 'b') + sound(60, 'c'));
  const auto statistics = buffer_.statistics();
  EXPECT_EQ(statistics.received_bytes, statistics.read_bytes + statistics.dropped_bytes);
}

TEST_F(JitterBufferTest, KeepsTheEndOfAChunkThatIsLongerThanItself) {
  add(sound(1'000, 'a') + sound(2'000, 'b'));
  EXPECT_EQ(buffer_.read(milliseconds(3'000)), sound(2'000, 'b'));
}

TEST_F(JitterBufferTest, SaysOnceThatItRanDryUntilItIsWellAgain) {
  add(sound(20));
  EXPECT_THAT(buffer_.read(milliseconds(30)), SizeIs(640));
  EXPECT_THAT(buffer_.read(milliseconds(30)), IsEmpty());
  ASSERT_THAT(events_, SizeIs(1)) << "one episode";
  EXPECT_EQ(events_[0].type, Type::kStreamBufferUnderrun);
  EXPECT_EQ(attributes_of(events_[0]),
            R"({"bytes_requested":960,"bytes_available":640,"buffer_duration_ms":20.0})");
  EXPECT_TRUE(buffer_.statistics().is_underrun);
  add(sound(40));
  EXPECT_THAT(events_, SizeIs(1));
  EXPECT_THAT(buffer_.read(milliseconds(30)), SizeIs(960));
  ASSERT_THAT(events_, SizeIs(2));
  EXPECT_EQ(events_[1].type, Type::kStreamBufferRecovered);
  EXPECT_EQ(attributes_of(events_[1]), R"({"buffer_duration_ms":40.0})");
  EXPECT_THAT(buffer_.read(milliseconds(30)), SizeIs(320));
  EXPECT_THAT(events_, SizeIs(3)) << "another episode";
}

TEST_F(JitterBufferTest, RefusesHalfASample) {
  EXPECT_EQ(buffer_.add("abc").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(buffer_.statistics().received_bytes, 0);
}

TEST_F(JitterBufferTest, CountsInTheFormatThatItIsGiven) {
  const SoundFormat stereo{.sample_rate_hz = 44'100, .channels = 2};
  EXPECT_EQ(stereo.bytes_of(milliseconds(10)), 1'764U);
  EXPECT_DOUBLE_EQ(stereo.milliseconds_of(1'764), 10.0);
  EXPECT_EQ(SoundFormat().bytes_of(milliseconds(50)), 1'600U);
  EXPECT_EQ(SoundFormat().bytes_of(milliseconds(-1)), 0U);
}

TEST(ThreadsJitterBuffer, NeitherLosesNorMakesSoundThatItDoesNotCount) {
  JitterBuffer buffer({.target = milliseconds(20), .max = milliseconds(100)});
  constexpr int kChunks = 3'000;
  std::size_t read = 0;
  {
    std::jthread writer([&] {
      for (int i = 0; i < kChunks; ++i) EXPECT_TRUE(buffer.add(std::string(640, 's')));
    });
    for (int i = 0; i < kChunks; ++i) read += buffer.read(milliseconds(20)).size();
  }
  const auto totals = buffer.statistics();
  EXPECT_EQ(totals.received_bytes, kChunks * 640);
  EXPECT_EQ(totals.read_bytes, static_cast<std::int64_t>(read));
  EXPECT_EQ(totals.received_bytes, totals.read_bytes + totals.dropped_bytes +
                                       static_cast<std::int64_t>(totals.buffered_bytes));
}

}  // namespace
}  // namespace weir::tool
