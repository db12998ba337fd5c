#include "record/current_sink.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "record/null_sink.h"
#include "record/sink_testing.h"

namespace weir::record {
namespace {

class ThreadsCurrentSink : public testing::Test {
 protected:
  ~ThreadsCurrentSink() override { clear_event_sink(); }
};

bool is_null_sink(const EventSink* sink) { return dynamic_cast<const NullSink*>(sink) != nullptr; }

TEST_F(ThreadsCurrentSink, IsTheNullSinkUntilOneIsSetAndAfterItIsCleared) {
  EXPECT_TRUE(is_null_sink(get_event_sink().get()));
  const auto sink = std::make_shared<RecordingSink>();
  set_event_sink(sink);
  EXPECT_EQ(get_event_sink(), sink);
  clear_event_sink();
  EXPECT_TRUE(is_null_sink(get_event_sink().get()));
  set_event_sink(nullptr);
  EXPECT_TRUE(is_null_sink(get_event_sink().get()));
}

TEST_F(ThreadsCurrentSink, IsTheScopesOnItsThreadOnly) {
  const auto process = std::make_shared<RecordingSink>();
  const auto own = std::make_shared<RecordingSink>();
  set_event_sink(process);
  {
    const ScopedEventSink scope(own);
    EXPECT_EQ(get_event_sink(), own);
    std::shared_ptr<EventSink> elsewhere;
    std::thread([&] { elsewhere = get_event_sink(); }).join();
    EXPECT_EQ(elsewhere, process);
    {
      const ScopedEventSink silence(nullptr);
      EXPECT_TRUE(is_null_sink(get_event_sink().get()));
    }
    EXPECT_EQ(get_event_sink(), own);
  }
  EXPECT_EQ(get_event_sink(), process);
}

TEST_F(ThreadsCurrentSink, MayBeChangedWhileOthersUseIt) {
  const auto one = std::make_shared<RecordingSink>();
  std::thread setter([&] {
    for (int i = 0; i < 1000; ++i) set_event_sink(i % 2 == 0 ? one : nullptr);
  });
  const TestEvent event("a");
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(get_event_sink()->emit(event.published()));
  setter.join();
}

}  // namespace
}  // namespace weir::record
