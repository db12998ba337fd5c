#include "event/run_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/recorded_events.h"

namespace weir::record {
namespace {

using event::Field;
using event::Type;
using testing_support::RecordedRun;
using testing_support::text_of;

// What comes late has a number already: something must stand in its place.
TEST(RunEnd, LeavesAWarningInThePlaceOfWhatMayNotFollowIt) {
  RecordedRun recorded;
  auto& run = recorded.run();
  const std::string large(std::size_t{2} << 20, 'x');  // does not fit into a ring
  run.emit(Type::kPipelineCancelled,
           {{Field::kDurationMs, 1.0}, {Field::kReason, std::string_view("enough")}});
  run.emit(Type::kNodeStarted, {{Field::kNodeId, std::string_view(large)}});
  run.emit(Type::kLog, {{Field::kMessage, std::string_view("last words")}});
  run.emit(Type::kPipelineCompleted, {});

  const auto events = recorded.events();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(text_of(events[1], "event_type"), "log");
  EXPECT_EQ(text_of(events[1], "level"), "WARNING");
  EXPECT_EQ(text_of(events[1], "run_seq"), "2");
  EXPECT_EQ(text_of(events[1], "message"),
            "pipeline_node_started came after the end of the run: it is not recorded");
  EXPECT_EQ(text_of(events[2], "message"), "last words");
  EXPECT_THAT(text_of(events[3], "message"), testing::StartsWith("pipeline_completed came after"));
  EXPECT_EQ(recorded.recorder().statistics().late, 2U);
}

}  // namespace
}  // namespace weir::record
