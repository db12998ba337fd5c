#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

// That runs of other systems stand in the tables as ours do: a trace, whose spans are told when
// they end; and runs whose events come in any order and do not say how long things took.
namespace weir::store {
namespace {

class ObservedRunsTest : public CookbookTest {
 protected:
  static constexpr std::int64_t kFirstNumber = 1'700'000'000'000'000;

  /// Of a run that was told of by another system: its numbers are a clock.
  void told(int run, int ms, const std::string& type, const std::string& rest) {
    clock_.try_emplace(run, kFirstNumber);
    event(run, "etl", "10:00", ms, type, rest, "external");
    const auto number = R"("run_seq":)";
    const auto at = lines_.rfind(number) + std::string_view(number).size();
    lines_.replace(at, lines_.find_first_of(",}", at) - at, std::to_string(++clock_[run]));
  }
  static std::string failed(const std::string& message) {
    return R"(,"error_type":"E","error_message":")" + message + '"';
  }
  /// `ms` under 0: it is open. An empty node: the root.
  void span(int run, int begin_ms, int ms, const std::string& node, const std::string& id,
            const std::string& rest = "") {
    const std::string place =
        node.empty() ? R"(,"pipeline_name":"GET /")"
                     : R"(,"parent_span_id":"00000000000000aa","node_id":")" + node + '"';
    told(
        run, ms < 0 ? begin_ms : begin_ms + ms, "span",
        R"(,"source":"otlp","source_run_id":"t","trace_id":"0123456789abcdef0123456789abcdef","span_id":")" +
            id + '"' + place + (ms < 0 ? "" : R"(,"duration_ms":)" + std::to_string(ms)) + rest);
    if (rest.contains("error_type")) {
      const auto at = lines_.rfind(R"("level":"INFO")");
      lines_.replace(at, 14, R"("level":"ERROR")");
    }
  }
  static std::string child(const std::string& node, const std::string& id) {
    return R"(,"trace_id":"0123456789abcdef0123456789abcdef","parent_span_id":"00000000000000aa")"
           R"(,"span_id":")" +
           id + R"(","node_id":")" + node + '"';
  }
  static std::string root() {
    return R"(,"trace_id":"0123456789abcdef0123456789abcdef","span_id":"00000000000000aa")";
  }

  /// a takes 100 ms, b fails after 200 ms more, and with it the run.
  void run_of_ours(int run) {
    const auto said = [](const std::string& node, const std::string& id) {
      return child(node, id) + R"(,"attempt":1,"plugin_id":"p","tool_id":"t","step_index":0)";
    };
    const std::string none = R"(,"predecessor_node_ids":[])";
    event(run, "etl", "10:00", 0, "pipeline_started",
          root() + R"(,"entry_nodes":[],"output_nodes":[],"node_count":2)");
    event(run, "etl", "10:00", 10, "pipeline_node_started", said("a", "00000000000000a1") + none);
    event(run, "etl", "10:00", 110, "pipeline_node_completed",
          said("a", "00000000000000a1") + R"(,"duration_ms":100,"output_keys":[])");
    event(run, "etl", "10:00", 110, "pipeline_node_started", said("b", "00000000000000b1") + none);
    event(run, "etl", "10:00", 310, "pipeline_node_failed",
          said("b", "00000000000000b1") + R"(,"duration_ms":200)" + failed("no"));
    event(run, "etl", "10:00", 400, "pipeline_failed",
          root() + R"(,"duration_ms":400,"failed_node_id":"b")" + failed("b failed"));
  }
  void trace(int run) {
    span(run, 10, 100, "a", "00000000000000a1");
    span(run, 110, 200, "b", "00000000000000b1", failed("no"));
    span(run, 0, 400, "", "00000000000000aa", failed("b failed"));
  }
  /// As OpenLineage is mapped; the ends come first.
  void lineage(int run) {
    told(run, 400, "pipeline_failed", root() + failed("b failed"));
    told(run, 310, "pipeline_node_failed", child("b", "00000000000000b1") + failed("no"));
    told(run, 110, "pipeline_node_started", child("b", "00000000000000b1"));
    told(run, 110, "pipeline_node_completed", child("a", "00000000000000a1"));
    told(run, 10, "pipeline_node_started", child("a", "00000000000000a1"));
    told(run, 0, "pipeline_started", root());
  }

  std::map<int, std::int64_t> clock_;
};

/// The rows of the run, whatever its number.
std::string of_run(int run, const std::string& columns, const std::string& table,
                   const std::string& order) {
  return "SELECT " + columns + " FROM " + table + " WHERE run_id LIKE '%" +
         std::to_string(1000 + run) + "' ORDER BY " + order;
}

TEST_F(ObservedRunsTest, StandInTheTablesAsOursDo) {
  run_of_ours(1);
  trace(2);
  lineage(3);
  for (const bool compacted : {false, true}) {
    if (compacted) commit_and_compact();
    for (const int run : {1, 2, 3}) {
      SCOPED_TRACE(run);
      EXPECT_EQ(query(of_run(run,
                             "pipeline_id, state, started_at::TIME, ended_at::TIME, duration_ms, "
                             "completed_nodes, failed_node_id, error_type, error_message",
                             "runs", "ALL")),
                R"([["etl","failed","10:00:00","10:00:00.400000",400.0,1,"b","E","b failed"]])");
      EXPECT_EQ(query(of_run(run,
                             "node_id, attempt, state, started_at::TIME, ended_at::TIME, "
                             "duration_ms, error_message",
                             "nodes", "node_id")),
                R"([["a",1,"completed","10:00:00.010000","10:00:00.110000",100.0,null],)"
                R"(["b",1,"failed","10:00:00.110000","10:00:00.310000",200.0,"no"]])");
      EXPECT_EQ(
          query(of_run(run,
                       "node_id, attempt, engine_attempt, state, started_at::TIME, "
                       "ended_at::TIME, duration_ms, plugin_status",
                       "attempts", "node_id")),
          R"([["a",1,1,"completed","10:00:00.010000","10:00:00.110000",100.0,"success"],)"
          R"(["b",1,1,"failed","10:00:00.110000","10:00:00.310000",200.0,"isolated_failure"]])");
      EXPECT_EQ(
          query(of_run(run,
                       "span_id, parent_span_id, node_id, started_at::TIME, ended_at::TIME, "
                       "duration_ms, status",
                       "spans", "span_id")),
          R"([["00000000000000a1","00000000000000aa","a","10:00:00.010000","10:00:00.110000",100.0,"OK"],)"
          R"(["00000000000000aa",null,null,"10:00:00","10:00:00.400000",400.0,"ERROR"],)"
          R"(["00000000000000b1","00000000000000aa","b","10:00:00.110000","10:00:00.310000",200.0,"ERROR"]])");
    }
  }
}

TEST_F(ObservedRunsTest, OfATraceAreOpenUntilTheirRootHasEnded) {
  span(1, 10, 100, "a", "00000000000000a1");
  span(1, 20, -1, "b", "00000000000000b1");
  EXPECT_EQ(query("SELECT state, started_at::TIME, ended_at, duration_ms, error_type FROM runs"),
            R"([["unfinished","10:00:00.010000",null,null,null]])");
  EXPECT_EQ(query("SELECT node_id, state, ended_at IS NULL FROM nodes ORDER BY ALL"),
            R"([["a","completed",false],["b","unfinished",true]])");
  EXPECT_EQ(query("SELECT node_id, state, plugin_status FROM attempts ORDER BY ALL"),
            R"([["a","completed","success"],["b","unfinished",null]])");
  EXPECT_EQ(query("SELECT name, status FROM spans ORDER BY ALL"), R"([["a","OK"],["b",null]])");
  span(1, 0, 300, "", "00000000000000aa");
  EXPECT_EQ(query("SELECT state, started_at::TIME, duration_ms, failed_node_id FROM runs"),
            R"([["completed","10:00:00",300.0,null]])");
  EXPECT_EQ(query("SELECT name FROM spans WHERE node_id IS NULL"), R"([["GET /"]])");
}

// A span of a loop, and a job that was started again, whose system does not count attempts.
TEST_F(ObservedRunsTest, HaveAnAttemptForEachExecution) {
  span(1, 0, 10, "a", "00000000000000a1", failed("m"));
  span(1, 20, 30, "a", "00000000000000a2");
  told(2, 10, "pipeline_node_failed", child("a", "00000000000000a1") + failed("m"));
  told(2, 0, "pipeline_node_started", child("a", "00000000000000a1"));
  told(2, 50, "pipeline_node_completed", child("a", "00000000000000a2"));
  told(2, 20, "pipeline_node_started", child("a", "00000000000000a2"));
  for (const int run : {1, 2}) {
    EXPECT_EQ(query(of_run(run, "attempt, engine_attempt, state, duration_ms", "attempts",
                           "duration_ms")),
              R"([[1,1,"failed",10.0],[1,1,"completed",30.0]])");
    EXPECT_EQ(query(of_run(run, "state, started_at::TIME", "nodes", "ALL")),
              R"([["completed","10:00:00"]])");
  }
}

TEST_F(ObservedRunsTest, WithoutAStartHaveNoDuration) {
  told(1, 400, "pipeline_completed", "");
  told(1, 300, "pipeline_node_completed", R"(,"node_id":"a")");
  EXPECT_EQ(query("SELECT state, ended_at::TIME, duration_ms FROM runs"),
            R"([["completed","10:00:00.400000",null]])");
  EXPECT_EQ(query("SELECT state, started_at, duration_ms FROM nodes"),
            R"([["completed",null,null]])");
}

// What a node does inside is no execution of it.
TEST_F(ObservedRunsTest, SpansOfRunsOfOursAreNoNodes) {
  const std::string inner =
      R"(,"trace_id":"0123456789abcdef0123456789abcdef","span_id":"00000000000000c1","duration_ms":5)";
  run_of_ours(1);
  event(1, "etl", "10:00", 60, "span", inner + R"(,"node_id":"a","operation":"read")");
  event(
      1, "etl", "10:00", 70, "span",
      R"(,"trace_id":"0123456789abcdef0123456789abcdef","span_id":"00000000000000c2","duration_ms":900)");
  EXPECT_EQ(query("SELECT state, started_at::TIME, duration_ms, error_message FROM runs"),
            R"([["failed","10:00:00",400.0,"b failed"]])");
  EXPECT_EQ(query("SELECT node_id, duration_ms FROM nodes ORDER BY ALL"),
            R"([["a",100.0],["b",200.0]])");
  EXPECT_EQ(query("SELECT count(*) FROM attempts"), "[[2]]");
  EXPECT_EQ(query("SELECT started_at::TIME, ended_at::TIME FROM spans WHERE span_id LIKE '%c1'"),
            R"([["10:00:00.055000","10:00:00.060000"]])");
}

TEST_F(ObservedRunsTest, AreNotStoppedByADurationOfCenturies) {
  span(1, 10, 0, "a", "00000000000000a1");
  const auto at = lines_.rfind(R"("duration_ms":0)");
  lines_.replace(at, 15, R"("duration_ms":1e300)");
  EXPECT_EQ(query("SELECT started_at::TIME FROM runs"), R"([["10:00:00.010000"]])");
  EXPECT_EQ(query("SELECT started_at::TIME FROM nodes"), R"([["10:00:00.010000"]])");
}

}  // namespace
}  // namespace weir::store
