#include "report/trace.h"

#include <gmock/gmock.h>

#include "project/event_feed_testing.h"

namespace weir::report {
namespace {

using project::testing_support::EventFeed;
using testing::ElementsAre;

/// Events that are 10 ms apart, the first at 0.
class TraceTest : public testing::Test {
 protected:
  TraceTest() { feed_.step = std::chrono::milliseconds(10); }

  void start(const std::string& id, const std::string& needs = "", const std::string& more = "") {
    feed_.event(
        "pipeline_node_started",
        R"("node_id":")" + id +
            R"(","plugin_id":"plug","tool_id":"tool","step_index":0,"predecessor_node_ids":[)" +
            needs + "]" + more);
  }
  void span(const std::string& id, const std::string& parent, double duration_ms) {
    feed_.event("span", R"("trace_id":"0123456789abcdef0123456789abcdef","operation":")" + id +
                            R"(","span_id":")" + id + R"(","parent_span_id":")" + parent +
                            R"(","duration_ms":)" + json::to_text(duration_ms));
  }

  /// "DEPTH NAME STATE DURATION", with a star for what is critical.
  std::vector<std::string> spans(bool is_owned = false, int now_ms = 0) const {
    const auto trace = fold_.trace(is_owned, EventFeed::kBegin + std::chrono::milliseconds(now_ms));
    std::vector<std::string> lines;
    for (const auto& span : trace.spans) {
      lines.push_back(std::to_string(span.depth) + " " + span.name + (span.is_critical ? "*" : "") +
                      " " + span.state + " " + std::to_string(std::lround(span.duration_ms)));
    }
    return lines;
  }

  TraceFold fold_;
  EventFeed feed_{[this](const event::EventView& event, std::string_view) { fold_.apply(event); }};
};

TEST_F(TraceTest, HasASpanForEachNodeAndMarksTheCriticalPath) {
  feed_.start_run();                  // 0
  start("load");                      // 10
  feed_.complete_node("load", 10);    // 20
  start("short", R"("load")");        // 30
  start("long", R"("load")");         // 40
  feed_.complete_node("short", 20);   // 50
  feed_.complete_node("long", 20);    // 60
  start("end", R"("short","long")");  // 70
  feed_.fail_node("end", "E");        // 80
  feed_.end_run("failed", 90, "end");
  EXPECT_THAT(spans(), ElementsAre("0 p* failed 90", "1 load* completed 10", "1 short completed 20",
                                   "1 long* completed 20", "1 end* failed 10"));
}

TEST_F(TraceTest, ThePathGoesThroughTheItemThatEndedLast) {
  feed_.start_run();                  // 0
  start("list");                      // 10
  feed_.complete_node("list", 10);    // 20
  start("each[0]", R"("list")");      // 30
  start("each[1]", R"("list")");      // 40
  feed_.complete_node("each[1]", 9);  // 50
  feed_.complete_node("each[0]", 9);  // 60
  start("end", R"("each")");          // 70
  feed_.complete_node("end", 10);     // 80
  feed_.end_run("completed", 90);
  EXPECT_THAT(spans(),
              ElementsAre("0 p* completed 90", "1 list* completed 10", "1 each[0]* completed 30",
                          "1 each[1] completed 10", "1 end* completed 10"));
}

TEST_F(TraceTest, APathGoesFromItemToItemWhereTheyAreNamed) {
  feed_.start_run();               // 0
  start("x[0]");                   // 10
  feed_.complete_node("x[0]", 1);  // 20
  start("x[1]", R"("x[0]")");      // 30
  feed_.complete_node("x[1]", 1);  // 40
  feed_.end_run("completed", 50);
  EXPECT_THAT(spans(),
              ElementsAre("0 p* completed 50", "1 x[0]* completed 10", "1 x[1]* completed 10"));
}

TEST_F(TraceTest, HasASpanForEachAttemptOfANodeThatWasTriedAgain) {
  feed_.start_run();
  start("load");
  feed_.fail_node("load", "Timeout");  // 20
  feed_.retry_node("load", 2);
  start("load");                    // 40
  feed_.complete_node("load", 10);  // 50
  feed_.end_run("completed", 60);
  EXPECT_THAT(spans(), ElementsAre("0 p* completed 60", "1 load* completed 40",
                                   "2 attempt 1* failed 10", "2 attempt 2* completed 10"));
}

TEST_F(TraceTest, LeavesOpenWhatRunsAndSaysWhatWasLost) {
  feed_.start_run();
  start("load", "", R"(,"span_id":"00000000000000a1")");  // 10
  feed_.event("provider_call_started",
              R"("node_id":"load","provider":"acme","operation":"chat","call_id":"1","attempt":1)");
  EXPECT_THAT(spans(true, 120),
              ElementsAre("0 p* running 120", "1 load* running 110", "2 acme chat running 100"));
  EXPECT_THAT(spans(), ElementsAre("0 p* lost 20", "1 load* lost 10", "2 acme chat lost 0"));
}

TEST_F(TraceTest, SaysHowLongAPersonTookToAnswer) {
  feed_.start_run();
  start("load");                                                                    // 10
  feed_.complete_node("load", 10);                                                  // 20
  feed_.event("approval_requested", R"("node_id":"publish","message":"may it?")");  // 30
  EXPECT_THAT(spans(true, 90),
              ElementsAre("0 p* running 90", "1 load* completed 10", "1 approval running 60"));
  feed_.event("approval_decided",
              R"("node_id":"publish","outcome":"approved","actor_id":"eva")");  // 40
  start("publish", R"("load")");                                                // 50
  feed_.event("approval_requested", R"("node_id":"publish","call_id":"7")");    // 60
  feed_.event("approval_decided",
              R"("node_id":"publish","call_id":"7","outcome":"denied","actor_id":"eva")");  // 70
  feed_.fail_node("publish", "E");                                                          // 80
  feed_.end_run("failed", 90, "publish");
  EXPECT_THAT(spans(),
              ElementsAre("0 p* failed 90", "1 load* completed 10", "1 approval* completed 10",
                          "1 publish* failed 30", "2 approval completed 10"));
  const auto trace = fold_.trace(false, EventFeed::kBegin);
  EXPECT_EQ(trace.spans[2].detail, "publish, approved by eva");
  EXPECT_EQ(trace.spans[4].detail, "publish, denied by eva");
}

TEST_F(TraceTest, AQuestionOutlivesTheProcessThatAskedIt) {
  feed_.start_run();
  feed_.event("approval_requested", R"("node_id":"publish")");                     // 10
  feed_.event("pipeline_resumed", R"("engine_attempt":2)");                        // 20
  feed_.event("approval_decided", R"("node_id":"publish","outcome":"approved")");  // 30
  EXPECT_THAT(spans(true, 40), ElementsAre("0 p* running 40", "1 approval completed 20"));
}

// The second process has its own span of the same attempt; the first had until it was last heard
// of.
TEST_F(TraceTest, ALostExecutionHasItsOwnSpanAndCallsAndEndsWhereItWasLastHeardOf) {
  const std::string call = R"("node_id":"load","provider":"acme","operation":"chat","attempt":1)";
  feed_.start_run();
  start("load", "", R"(,"span_id":"00000000000000a1","attempt":1)");  // 10
  feed_.event("provider_call_started", call + R"(,"call_id":"1")");   // 20
  feed_.event("log", R"("message":"m")");                             // 30
  feed_.event("pipeline_resumed", R"("engine_attempt":2)");           // 40
  const std::string again = R"(,"engine_attempt":2)";
  start("load", "", R"(,"span_id":"00000000000000a2","attempt":1)" + again);  // 50
  feed_.event("provider_call_started", call + R"(,"call_id":"2")" + again);   // 60
  feed_.event("provider_call_completed", call + R"(,"call_id":"2","duration_ms":10)" + again);
  feed_.complete_node("load", 30, R"("attempt":1)" + again);  // 80
  feed_.end_run("completed", 90);
  EXPECT_THAT(spans(), ElementsAre("0 p* completed 90", "1 load* completed 70",
                                   "2 attempt 1* lost 20", "3 acme chat lost 10",
                                   "2 attempt 1* completed 30", "3 acme chat completed 10"));
  const auto trace = fold_.trace(false, {});
  EXPECT_EQ(trace.spans[2].span_id, "00000000000000a1");
  EXPECT_EQ(trace.spans[4].span_id, "00000000000000a2");
}

TEST_F(TraceTest, PutsCallsToolsAndChildRunsIntoTheirNodes) {
  feed_.start_run();
  start("load");
  feed_.event("tool_invoked", R"("node_id":"load","tool_id":"query")");                     // 20
  feed_.event("tool_started", R"("node_id":"load","tool_id":"query")");                     // 30
  feed_.event("tool_completed", R"("node_id":"load","tool_id":"query","duration_ms":10)");  // 40
  feed_.event("pipeline_child_spawned",
              R"("node_id":"load","target_run_id":"019b8a2f-7c00-7000-8000-000000000009")");  // 50
  feed_.event("provider_call_failed",
              R"("node_id":"load","provider":"acme","operation":"chat","call_id":"1",)"
              R"("error_type":"E","error_message":"m","duration_ms":35)");  // 60
  feed_.event("pipeline_child_completed",
              R"("node_id":"load","target_run_id":"019b8a2f-7c00-7000-8000-000000000009")");  // 70
  feed_.complete_node("load", 70);
  feed_.end_run("completed", 90);
  EXPECT_THAT(spans(),
              ElementsAre("0 p* completed 90", "1 load* completed 70", "2 query completed 20",
                          "2 acme chat failed 35", "2 run completed 20"));
}

TEST_F(TraceTest, PutsSpansOfOthersWithinTheParentsThatTheyName) {
  feed_.start_run();
  start("load", "", R"(,"span_id":"00000000000000a1")");  // 10
  span("00000000000000b2", "00000000000000b1", 5);        // 20
  span("00000000000000b1", "00000000000000a1", 25);       // 30
  span("00000000000000c1", "00000000000000c2", 5);        // in a circle, 40
  span("00000000000000c2", "00000000000000c1", 25);       // 50
  feed_.complete_node("load", 10);
  feed_.end_run("completed", 70);
  EXPECT_THAT(spans(),
              ElementsAre("0 p* completed 70", "1 load* completed 50",
                          "2 00000000000000b1 completed 25", "3 00000000000000b2 completed 5",
                          "1 00000000000000c1 completed 5", "2 00000000000000c2 completed 25"));
}

TEST_F(TraceTest, OfManyShowsThePathWhatFailedAndWhatTookLongest) {
  feed_.start_run();
  start("load");
  feed_.complete_node("load", 10);
  for (int i = 0; i < 100; ++i) start("n" + std::to_string(i));
  for (int i = 0; i < 99; ++i) feed_.complete_node("n" + std::to_string(i), 10);
  feed_.fail_node("n99", "E");  // the last to end: the path is n99 alone
  feed_.end_run("failed", 3000, "n99");
  const auto trace = fold_.trace(false, {});
  const auto places = shown_spans(trace, 4);
  std::vector<std::string> names;
  for (const auto place : places) names.push_back(trace.spans[place].name);
  EXPECT_THAT(names, ElementsAre("p", "n0", "n1", "n99"));
  EXPECT_EQ(shown_spans(trace, 1000).size(), trace.spans.size());
}

TEST_F(TraceTest, OfAnotherSystemIsItsSpansAndHasAPathThroughThem) {
  feed_.pipeline_type = "external";
  const auto told = [&](std::int64_t end_ms, const std::string& id, const std::string& parent,
                        double duration_ms) {
    feed_.seq = end_ms / 10;
    feed_.event(
        "span",
        R"("source":"otlp","source_run_id":"t","trace_id":"0123456789abcdef0123456789abcdef")" +
            (parent.empty() ? "" : R"(,"node_id":")" + id + "\"") + R"(,"span_id":")" + id +
            R"(","parent_span_id":")" + parent + R"(","duration_ms":)" +
            json::to_text(duration_ms));
  };
  told(40, "read", "root", 30);    // 10 to 40
  told(50, "beside", "root", 45);  // 5 to 50: it ends while the next one runs already
  told(90, "row", "load", 20);     // 70 to 90
  told(90, "load", "root", 48);    // 42 to 90
  told(100, "root", "", 100);
  EXPECT_THAT(spans(),
              ElementsAre("0 p* completed 100", "1 beside completed 45", "1 read* completed 30",
                          "1 load* completed 48", "2 row* completed 20"));
}

}  // namespace
}  // namespace weir::report
