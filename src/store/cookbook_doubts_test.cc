#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

namespace weir::store {
namespace {

/// What is doubted at ten past ten, as "doubt run node: evidence".
class DoubtsTest : public CookbookTest {
 protected:
  std::string doubts() {
    return query(
        "SELECT concat_ws(' ', doubt, right(run_id, 2), node_id) || ': ' || evidence FROM (" +
            recipe("doubts") + ") ORDER BY ALL",
        {{"now", "2026-01-01 10:10:00"}, {"since", "2026-01-01"}});
  }
  void history() {
    for (int run = 11; run <= 15; ++run) diamond(run, "09:" + std::to_string(run), 100, 80);
  }
};

TEST_F(DoubtsTest, NothingIsDoubtedThatEndedAsItShould) {
  history();
  EXPECT_EQ(doubts(), "[]");
  commit_and_compact();
  EXPECT_EQ(doubts(), "[]");
}

TEST_F(DoubtsTest, ANodeIsStalledWhenItIsSilentForLongerThanItsHistoryAllows) {
  history();
  begin(1, "etl", "10:00");
  start_node(1, "10:00", {"a", "sql", 0, "", 10, 0});
  start_node(1, "10:00", {"b", "sql", 1, "", 20, 0});
  start_node(1, "10:00", {"new", "sql", 2, "", 20, 0});
  event(1, "etl", "10:09", 30'000, "log", R"(,"node_id":"b","message":"still here")");
  EXPECT_EQ(
      doubts(),
      R"([["late 01: runs for 10 min; 19 of 20 take at most 300 ms"],)"
      R"(["open 01 b: last heard of 30.0 s ago; 19 of 20 take at most 100 ms"],)"
      R"(["open 01 new: last heard of 10 min ago; its history is too short to say what is usual"],)"
      R"(["stalled 01 a: last heard of 10 min ago; 19 of 20 take at most 100 ms"]])");
}

TEST_F(DoubtsTest, ARunThatEndsEndsItsNodesAndOneThatIsTakenUpSaysWhichWereLost) {
  begin(1, "etl", "10:00");
  start_node(1, "10:00", {"a", "sql", 0, "", 10, 0});
  complete(1, "etl", "10:01", 500);
  begin(2, "etl", "10:00");
  start_node(2, "10:00", {"a", "sql", 0, "", 10, 0});
  event(2, "etl", "10:02", 0, "pipeline_resumed", R"(,"engine_attempt":2)");
  event(2, "etl", "10:02", 10, "pipeline_node_started",
        named("a", "sql", 0) + R"(,"engine_attempt":2,"predecessor_node_ids":[])");
  event(2, "etl", "10:02", 20, "pipeline_node_completed",
        named("a", "sql", 0) + R"(,"engine_attempt":2,"duration_ms":10,"output_keys":[])");
  complete(2, "etl", "10:02", 30);
  EXPECT_EQ(
      doubts(),
      R"([["lost end 01 a: its run ended at 10:01:00 without its end"],)"
      R"(["lost end 02 a: the process that ran it was lost, and the run was taken up again"]])");
}

TEST_F(DoubtsTest, NumbersThatAreMissingAndClocksThatAreWrongAreNamed) {
  for (const auto* number : {"1", "2", "5", "9"}) {
    event(1, "foreign", "10:00", 0, "log",
          std::string(R"(,"source_seq":)") + number + R"(,"message":"m")", "external");
  }
  begin(2, "etl", "10:05");
  complete(2, "etl", "10:04", 0);
  event(3, "foreign", "10:09", 50'000, "log", R"(,"source_seq":1,"message":"m")", "external");
  event(3, "foreign", "10:09", 59'000, "log", R"(,"source_seq":3,"message":"m")", "external");
  EXPECT_EQ(doubts(), R"([["clock 02: an event is 60.0 s older than the one before it"],)"
                      R"(["gap 01: 5 events are missing, the first of them number 3"]])");
}

}  // namespace
}  // namespace weir::store
