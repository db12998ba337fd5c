#include "project/observed_span.h"

#include <gtest/gtest.h>

#include <cmath>

#include "project/event_feed_testing.h"
#include "project/run_state.h"

namespace weir::project {
namespace {

using testing_support::EventFeed;

class ObservedTrace : public testing::Test {
 protected:
  ObservedTrace() {
    feed_.pipeline_type = "external";
    feed_.step = std::chrono::milliseconds(10);
  }
  /// Told now; of the run's root without a node.
  void span(std::string_view node, std::optional<double> duration_ms, bool failed = false) {
    std::string members =
        R"("source":"otlp","source_run_id":"t","trace_id":"0123456789abcdef0123456789abcdef",)"
        R"("span_id":"00000000000000b7")";
    if (!node.empty()) members += R"(,"node_id":")" + std::string(node) + '"';
    if (duration_ms) members += R"(,"duration_ms":)" + json::to_text(*duration_ms);
    if (failed) members += R"(,"error_type":"E","error_message":"m")";
    feed_.level = failed ? "ERROR" : "INFO";
    feed_.event("span", members);
  }
  void tell(std::int64_t seq, double ms, std::string_view node, std::optional<double> duration_ms,
            bool failed = false) {
    feed_.seq = seq - 1;
    feed_.step = std::chrono::microseconds(std::llround(1000 * ms) / feed_.seq);
    span(node, duration_ms, failed);
  }
  [[nodiscard]] static Timestamp at(int milliseconds) {
    return EventFeed::kBegin + std::chrono::milliseconds(milliseconds);
  }

  RunState run_;
  EventFeed feed_{[this](const event::EventView& event, std::string_view) { run_.apply(event); }};
};

TEST_F(ObservedTrace, IsARunThatBeginsWithItsFirstSpanAndEndsWithItsRoot) {
  span("a", 5);             // 0
  span("b", std::nullopt);  // 10
  EXPECT_EQ(run_.state, State::kRunning);
  EXPECT_EQ(run_.find_node("a")->state, State::kCompleted);
  EXPECT_EQ(run_.find_node("b")->state, State::kRunning);
  span("b", 11);  // 20
  span("", 30);   // 30
  EXPECT_EQ(run_.state, State::kCompleted);
  EXPECT_EQ(run_.started_at, at(-5));
  EXPECT_EQ(run_.duration_ms, 30);
  EXPECT_EQ(run_.node_count, 2);
  EXPECT_EQ(run_.count(State::kCompleted), 2);
  EXPECT_EQ(run_.find_node("b")->attempts.size(), 1U);
  EXPECT_EQ(run_.find_node("b")->attempts[0].started_at, at(9));
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(ObservedTrace, HasFailedWhereItsFirstNodeHasWhateverComesFirst) {
  span("late", 1, true);  // 0
  span("", 100, true);    // 10
  EXPECT_EQ(run_.state, State::kFailed);
  EXPECT_EQ(run_.failed_node_id, "late");
  EXPECT_EQ(run_.error_type, "E");
  feed_.seq = -5;
  span("early", 1, true);  // 60 before
  EXPECT_EQ(run_.failed_node_id, "early");
  span("good", 1);
  EXPECT_EQ(run_.failed_node_id, "early");
  EXPECT_EQ(run_.nodes.size(), 3U);
  EXPECT_FALSE(run_.is_inconsistent());
}

TEST_F(ObservedTrace, SaysOfANodeWithManySpansHowTheLastOneIs) {
  feed_.seq = 10;
  span("a", 5);  // 100
  feed_.seq = 4;
  span("a", 7, true);  // 40, told late
  const auto& node = *run_.find_node("a");
  EXPECT_EQ(node.state, State::kCompleted);
  EXPECT_EQ(node.last_attempt()->started_at, at(33));
  EXPECT_EQ(node.last_attempt()->duration_ms, 5);
}

// A clock that was set back is no reason to wait for what has ended.
TEST_F(ObservedTrace, HasANodeThatIsOpenUntilItsSpanEndsWhicheverIsToldFirst) {
  for (const double duration : {5.0, 0.0, -3.0}) {
    for (const bool end_first : {false, true}) {
      SCOPED_TRACE(testing::Message() << duration << (end_first ? " end first" : " open first"));
      run_ = {};
      feed_.seq = 1;
      span("other", 1);
      // The open one at 100 ms, its end so much later.
      const auto open = [this] { tell(11, 100, "a", std::nullopt); };
      if (!end_first) open();
      tell(21, 100 + duration, "a", duration, true);
      if (end_first) open();
      const auto& node = *run_.find_node("a");
      EXPECT_EQ(node.state, State::kFailed);
      EXPECT_EQ(node.last_attempt()->duration_ms, duration);
      EXPECT_EQ(node.last_attempt()->error_type, "E");
      EXPECT_EQ(node.attempts.size(), 1U);
      EXPECT_EQ(run_.state, State::kRunning);
    }
  }
}

TEST_F(ObservedTrace, HasFailedWhereverThatWasSaidBefore) {
  feed_.start_run();
  feed_.event("pipeline_node_skipped",
              R"("node_id":"a","plugin_id":"p","tool_id":"t","reason":"r",)"
              R"("step_index":0)");
  feed_.end_run("failed", 9, "a");  // of a node that nothing else is known of
  span("b", 5, true);
  EXPECT_EQ(run_.failed_node_id, "b");
}

TEST_F(ObservedTrace, IsNoneOfSpansWithinARunThatHasANameElsewhere) {
  feed_.start_run();
  feed_.event("span", R"("source_run_id":"job-17","duration_ms":1,"span_id":"00000000000000b7",)"
                      R"("trace_id":"0123456789abcdef0123456789abcdef")");
  EXPECT_EQ(run_.state, State::kRunning);
}

TEST_F(ObservedTrace, IsNoneOfSpansWithinANodeOfARun) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.event("span", R"("node_id":"inner","duration_ms":1,"span_id":"00000000000000b7",)"
                      R"("trace_id":"0123456789abcdef0123456789abcdef")");
  EXPECT_EQ(run_.nodes.size(), 1U);
}

}  // namespace
}  // namespace weir::project
