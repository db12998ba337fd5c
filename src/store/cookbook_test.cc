#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

namespace weir::store {
namespace {

const Variables kSinceThen = {{"since", "2026-01-01"}};

TEST_F(CookbookTest, NodesOfRunsBesideEachOther) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 100, 400);
  start_node(3, "12:00", {"a", "sql", 0, "", 10, 110});  // its run has not ended
  EXPECT_EQ(answer("parallelism", {}, "* EXCLUDE (run_id)"),
            R"([["etl",650.0,600.0,1.08],["etl",550.0,500.0,1.1]])");
  EXPECT_EQ(answer("parallelism", {}, "run_id"), R"([[")" + id(2) + R"("],[")" + id(1) + R"("]])");
  EXPECT_EQ(answer("slowest-nodes"),
            R"([["etl","c","sql.t",2,250.0,400.0,41.7],["etl","b","process.t",2,200.0,300.0,33.3],)"
            R"(["etl","a","sql.t",2,100.0,100.0,16.7],["etl","d","file.t",2,50.0,50.0,8.3]])");
}

TEST_F(CookbookTest, TheCriticalPathAndHowLongRunsTake) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 100, 400);
  // a takes 100 ms from 10 on, c begins at 120 and takes 400, d begins 10 ms after it: 550 ms in
  // all.
  EXPECT_EQ(answer("critical-path"), R"([["a",100.0,0.0,18.2],["c",400.0,110.0,72.7],)"
                                     R"(["d",50.0,520.0,9.1]])");
  // 500 and 600 ms; between them 595 is at 95 %.
  EXPECT_EQ(answer("run-durations"), R"([["etl",2,0,550.0,595.0,"2026-01-01 11:00:00"]])");
}

TEST_F(CookbookTest, SlackIsWhatANodeCouldHaveBeenLater) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 100, 400);
  // Of the first run: 100 + 300 + 50 ms; c may begin when b has 100 ms left.
  EXPECT_EQ(answer("slack", {{"run_id", id(1)}}),
            R"([["a",100.0,0.0,0.0,0.0,true],["b",300.0,100.0,100.0,0.0,true],)"
            R"(["c",100.0,100.0,300.0,200.0,false],["d",50.0,400.0,400.0,0.0,true]])");
  // The latest is the second.
  EXPECT_EQ(answer("slack", {}, "node_id, slack_ms"),
            R"([["a",0.0],["b",300.0],["c",0.0],["d",0.0]])");
}

TEST_F(CookbookTest, SlackEndsWhereNodesWaitForEachOther) {
  begin(1, "etl", "10:00");
  const Node a{"a", "x", 0, R"("b")", 10, 30}, b{"b", "x", 1, R"("a")", 40, 50};
  for (const auto* node : {&a, &b}) start_node(1, "10:00", *node);
  for (const auto* node : {&a, &b}) end_node(1, "10:00", *node);
  complete(1, "etl", "10:00", 60);
  EXPECT_EQ(answer("slack", {}, "node_id, earliest_ms"), R"([["a",0.0],["b",20.0]])");
}

TEST_F(CookbookTest, WhatIfANodeWereFaster) {
  diamond(1, "10:00", 300, 100);
  // b in half the time: 100 + 150 + 50.
  EXPECT_EQ(answer("what-if", {}, "* EXCLUDE (run_id)"),
            R"([["b",50.0,300.0,450.0,300.0,150.0,33.3]])");
  // With a tenth of it c decides: 100 + 100 + 50.
  EXPECT_EQ(answer("what-if", {{"percent", "90"}}, "* EXCLUDE (run_id)"),
            R"([["b",90.0,300.0,450.0,250.0,200.0,44.4]])");
  EXPECT_EQ(answer("what-if", {{"node_id", "c"}, {"run_id", id(1)}}, "new_run_ms, saved_ms"),
            R"([[450.0,0.0]])");
}

TEST_F(CookbookTest, CriticalNodesAreCountedOverRuns) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 100, 400);
  // The paths take 450 and 550 ms; a has 200 of 1000, b 300 of 450, c 400 of 550, d 100 of 1000.
  EXPECT_EQ(answer("critical-nodes"),
            R"([["etl","c",1,50.0,400.0,72.7],["etl","b",1,50.0,300.0,66.7],)"
            R"(["etl","a",2,100.0,100.0,20.0],["etl","d",2,100.0,50.0,10.0]])");
  EXPECT_EQ(answer("critical-nodes", {{"runs", "1"}}, "node_id"), R"([["c"],["a"],["d"]])");
  EXPECT_EQ(answer("critical-nodes", {{"pipeline_id", "other"}}), "[]");
}

TEST_F(CookbookTest, SlowerNodesAreMeasuredByTheirOwnHistory) {
  int run = 0;
  const auto history = [&](const std::string& node, const std::vector<int>& durations) {
    for (const auto ms : durations) {
      ++run;
      event(
          run, "hist", "09:00", run, "pipeline_node_completed",
          named(node, "x", 0) + R"(,"duration_ms":)" + std::to_string(ms) + R"(,"output_keys":[])");
      complete(run, "hist", "09:00", run);
    }
  };
  // The median is 100 and most are there: no distance is usual.
  history("slow", {100, 100, 90, 110, 100, 100, 110, 90, 100, 100, 100, 150});
  history("hardly", {100, 100, 90, 110, 100, 100, 110, 90, 100, 100, 100, 115});
  // The usual distance of the median 100 is 40: up to 337 is nothing.
  history("unsteady", {60, 140, 60, 140, 60, 140, 100, 60, 140, 60, 140, 300});
  history("new", {100, 100, 100, 100, 900});
  EXPECT_EQ(answer("slower-nodes", {}, "* EXCLUDE (ended_at)"),
            R"([["hist","slow",150.0,100.0,1.5,12,")" + id(12) + R"("]])");
  EXPECT_EQ(answer("slower-nodes", {{"at_least", "3"}}, "node_id"), R"([["new"],["slow"]])");
}

TEST_F(CookbookTest, GapsAreHolesNotedGapsAndSilence) {
  for (const int number : {1, 2, 5, 5, 6}) {
    event(1, "foreign", "10:00", number, "log",
          R"(,"message":"m","source_seq":)" + std::to_string(number), "external");
  }
  event(2, "weir", "10:05", 0, "projection_gap", R"(,"target_run_id":")" + id(1) + '"', "external");
  event(3, "etl", "10:10", 0, "log", R"(,"message":"m")");
  event(3, "etl", "10:16", 0, "log", R"(,"message":"m")");
  EXPECT_EQ(answer("gaps", {}, "gap, pipeline_id, run_id, events, first_missing, last_missing"),
            R"([["silence","etl",")" + id(3) + R"(",null,null,null],["noticed gap",null,")" +
                id(1) + R"(",null,null,null],["missing events","foreign",")" + id(1) +
                R"(",2,3,4]])");
  EXPECT_EQ(answer("gaps", {{"silence_s", "361"}}, "gap"),
            R"([["noticed gap"],["missing events"]])");
}

TEST_F(CookbookTest, CacheEffectIsTheTimeThatHitsDidNotTake) {
  const auto completed = [&](int run, int ms, bool hit) {
    event(run, "etl", "10:00", run, "pipeline_node_completed",
          named("x", "p", 0) + R"(,"duration_ms":)" + std::to_string(ms) +
              R"(,"output_keys":[],"cache_hit":)" + (hit ? "true" : "false"));
  };
  const auto missed = [&](int run, const std::string& reason) {
    event(run, "etl", "10:00", run, "cache_miss",
          named("x", "p", 0) + R"(,"reason":")" + reason + '"');
  };
  missed(1, "new");
  completed(1, 100, false);
  missed(2, "input");
  completed(2, 300, false);
  missed(3, "input");
  for (int run = 4; run < 7; ++run) completed(run, 1, true);
  // Three times 200 ms, which took 1 each.
  EXPECT_EQ(answer("cache-effect"), R"([["etl","x",3,2,0.6,200.0,597.0,"input"]])");
  commit_and_compact();
  EXPECT_EQ(answer("cache-hit-ratio", kSinceThen), R"([["2026-01-01 10:00:00","etl",3,2,0.6]])");
}

TEST_F(CookbookTest, RetryCostIsByCause) {
  const auto failed = [&](int attempt, int ms, const std::string& type) {
    event(1, "etl", "10:00", 100 * attempt, "pipeline_node_failed",
          named("r", "p", 0) + R"(,"attempt":)" + std::to_string(attempt) + R"(,"duration_ms":)" +
              std::to_string(ms) + R"(,"error_type":")" + type + R"(","error_message":"m")");
  };
  const auto again = [&](int attempt, int delay_ms) {
    event(1, "etl", "10:00", 100 * attempt - 50, "pipeline_node_retry_scheduled",
          named("r", "p", 0) + R"(,"attempt":)" + std::to_string(attempt) +
              R"(,"reason":"timeout","attributes":{"delay_ms":)" + std::to_string(delay_ms) + "}");
  };
  failed(1, 50, "Slow");
  again(2, 1000);
  failed(2, 70, "Slow");
  again(3, 2000);
  failed(3, 10, "Broken");
  EXPECT_EQ(answer("retry-cost"), R"([["etl","r","timeout","Slow",2,120.0,3000.0],)"
                                  R"(["etl","r","not tried again","Broken",1,10.0,null]])");
  commit_and_compact();
  EXPECT_EQ(answer("failures-over-time", kSinceThen),
            R"([["2026-01-01 10:00:00","etl","Broken",null,1,null,null],)"
            R"(["2026-01-01 10:00:00","etl","Slow",null,2,null,null],)"
            R"(["2026-01-01 10:00:00","etl","timeout",null,null,2,null]])");
}

TEST_F(CookbookTest, ProvidersHaveLatencyTokensAndCost) {
  const auto call = [&](int ms, int tokens) {
    event(1, "etl", "10:00", ms, "provider_call_completed",
          R"(,"duration_ms":)" + std::to_string(ms) +
              R"(,"provider":"p","operation":"chat","model_id":"m","input_tokens":)" +
              std::to_string(10 * tokens) + R"(,"output_tokens":)" + std::to_string(tokens) +
              R"(,"cost_usd":0.00)" + std::to_string(tokens));
  };
  call(100, 1);
  call(200, 2);
  call(900, 3);
  event(
      1, "etl", "10:01", 0, "provider_call_failed",
      R"(,"duration_ms":7,"error_type":"E","error_message":"m","provider":"p","operation":"chat","model_id":"m")");
  EXPECT_EQ(answer("provider-latency"), R"([["p","chat","m",4,1,200.0,900.0,60,6,0.006]])");
  commit_and_compact();
  // floor(0.95 * 2) is the second of three; within 1 % of 200.
  EXPECT_EQ(answer("tokens-over-time", kSinceThen, "* REPLACE (abs(p95_ms - 200) <= 2 AS p95_ms)"),
            R"([["2026-01-01 10:00:00","p","chat","m",4,1,60,6,0.006,true]])");
}

TEST_F(CookbookTest, ConcurrencyChangesWithEachStartAndEnd) {
  diamond(1, "10:00", 300, 100);
  EXPECT_EQ(answer("concurrency"),
            R"([[0.0,100.0,1],[100.0,10.0,0],[110.0,100.0,2],[210.0,200.0,1],[410.0,10.0,0],)"
            R"([420.0,50.0,1],[470.0,null,0]])");
}

TEST_F(CookbookTest, TheFirstNodeHasATime) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 300, 100);
  begin(3, "etl", "12:00");
  EXPECT_EQ(answer("time-to-first-node"), R"([["etl",2,10.0,10.0,10.0,1]])");
}

TEST_F(CookbookTest, TransitionsGoAlongTheEdges) {
  diamond(1, "10:00", 300, 100);
  // d waits 10 ms for the last of those before it, b; b and c 10 ms for a.
  EXPECT_EQ(answer("transitions"), R"([["process","file",1,10.0,10.0],["sql","file",1,10.0,10.0],)"
                                   R"(["sql","process",1,10.0,10.0],["sql","sql",1,10.0,10.0]])");
}

TEST_F(CookbookTest, ItemsCountForTheirNode) {
  // f has two items and takes from 120 to 420; c beside it takes 200 ms; g waits 20 ms for f.
  const Node a{"a", "sql", 0, "", 10, 110}, first{"f[0]", "process", 1, R"("a")", 120, 320},
      second{"f[1]", "process", 1, R"("a")", 220, 420}, c{"c", "http", 2, R"("a")", 120, 320},
      g{"g", "file", 3, R"("f","c")", 440, 490};
  begin(1, "etl", "10:00");
  for (const auto* node : {&a, &first, &second, &c, &g}) {
    start_node(1, "10:00", *node);
    end_node(1, "10:00", *node);
  }
  complete(1, "etl", "10:00", 500);
  EXPECT_EQ(query("SELECT from_node, to_node FROM edges ORDER BY ALL"),
            R"([["a","c"],["a","f"],["c","g"],["f","g"]])");
  // 100 + 300 + 50 ms.
  EXPECT_EQ(answer("critical-path"), R"([["a",100.0,0.0,22.2],["f",300.0,110.0,66.7],)"
                                     R"(["g",50.0,430.0,11.1]])");
  EXPECT_EQ(answer("critical-nodes"),
            R"([["etl","f",1,100.0,300.0,66.7],["etl","a",1,100.0,100.0,22.2],)"
            R"(["etl","g",1,100.0,50.0,11.1]])");
  // c may begin when f has 200 ms left.
  EXPECT_EQ(answer("slack"),
            R"([["a",100.0,0.0,0.0,0.0,true],["f",300.0,100.0,100.0,0.0,true],)"
            R"(["c",200.0,100.0,200.0,100.0,false],["g",50.0,400.0,400.0,0.0,true]])");
  // With f in half its time c decides: 100 + 200 + 50.
  EXPECT_EQ(answer("what-if", {}, "* EXCLUDE (run_id)"),
            R"([["f",50.0,300.0,450.0,350.0,100.0,22.2]])");
  EXPECT_EQ(answer("transitions"), R"([["http","file",1,20.0,20.0],["process","file",1,20.0,20.0],)"
                                   R"(["sql","http",1,10.0,10.0],["sql","process",1,10.0,10.0]])");
}

TEST_F(CookbookTest, ACriticalPathIsOfTheRunThatIsAskedFor) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "11:00", 100, 400);
  EXPECT_EQ(answer("critical-path", {}, "node_id"), R"([["a"],["c"],["d"]])");
  EXPECT_EQ(answer("critical-path", {{"run_id", id(1)}}, "node_id"), R"([["a"],["b"],["d"]])");
}

TEST_F(CookbookTest, ANodeIsAsItIsAfterItsLastEvent) {
  const auto attempt = [](int number) {
    return named("n", "p", 0) + R"(,"attempt":)" + std::to_string(number);
  };
  const auto state = [this](const std::string& values) {
    EXPECT_EQ(query("SELECT state, attempt, epoch_ms(ended_at - started_at), duration_ms, "
                    "error_type, written_bytes FROM nodes"),
              values);
  };
  event(1, "etl", "10:00", 10, "pipeline_node_started",
        attempt(1) + R"(,"predecessor_node_ids":[])");
  event(1, "etl", "10:00", 30, "pipeline_node_failed",
        attempt(1) + R"(,"duration_ms":20,"error_type":"E","error_message":"m","written_bytes":5)");
  state(R"([["failed",1,20,20.0,"E",5]])");
  event(1, "etl", "10:00", 40, "pipeline_node_started",
        attempt(2) + R"(,"predecessor_node_ids":[])");
  state(R"([["unfinished",2,null,null,null,null]])");
  event(1, "etl", "10:00", 45, "pipeline_node_completed",
        attempt(2) + R"(,"duration_ms":5,"output_keys":[],"written_bytes":7)");
  state(R"([["completed",2,35,5.0,null,7]])");
  EXPECT_EQ(query("SELECT attempt, error_type, written_bytes FROM attempts ORDER BY attempt"),
            R"([[1,"E",5],[2,null,7]])");
}

TEST_F(CookbookTest, ASignalIsAsItsLastEventSays) {
  const auto signal = [this](int ms, const std::string& word, const std::string& rest) {
    event(1, "etl", "10:00", ms, "signal_" + word,
          R"(,"signal_id":"s","signal_type":"skip-step","node_id":"n")" + rest);
  };
  const auto is = [this](const std::string& values) {
    EXPECT_EQ(query("SELECT state, reason, error_code, node_id FROM signals"), values);
  };
  signal(10, "deferred", R"(,"error_code":"STEP_RUNNING","reason":"the node runs")");
  is(R"([["deferred","the node runs","STEP_RUNNING","n"]])");
  signal(20, "accepted", "");
  is(R"([["accepted",null,null,"n"]])");
}

TEST_F(CookbookTest, RollupsAnswerOverTime) {
  diamond(1, "10:00", 300, 100);
  diamond(2, "10:30", 100, 400);
  commit_and_compact();
  diamond(3, "11:59", 300, 100);
  begin(4, "etl", "11:59");
  start_node(4, "11:59", {"a", "sql", 0, "", 10, 110});
  EXPECT_EQ(answer("runs-per-hour", kSinceThen, "* EXCLUDE (p95_ms)"),
            R"([["2026-01-01 10:00:00",2,2,null,null],["2026-01-01 11:00:00",2,1,null,null]])");
  EXPECT_EQ(answer("runs-per-hour", {{"pipeline_id", "no"}, {"since", "2026-01-01"}}), "[]");
  // The run of 10:00 took 500 ms, that of 10:30 600.
  EXPECT_EQ(answer("runs-per-hour", kSinceThen, "abs(p95_ms - 500) <= 5"), "[[true],[true]]");
  EXPECT_EQ(
      answer("node-durations-over-time", kSinceThen,
             "hour, node_id, times, abs(p50_ms - CASE node_id WHEN 'a' THEN 100 WHEN 'b' THEN "
             "CASE times WHEN 2 THEN 100 ELSE 300 END WHEN 'c' THEN 100 ELSE 50 END) <= 3"),
      R"([["2026-01-01 10:00:00","a",2,true],["2026-01-01 10:00:00","b",2,true],)"
      R"(["2026-01-01 10:00:00","c",2,true],["2026-01-01 10:00:00","d",2,true],)"
      R"(["2026-01-01 11:00:00","b",1,true],["2026-01-01 11:00:00","a",1,true],)"
      R"(["2026-01-01 11:00:00","c",1,true],["2026-01-01 11:00:00","d",1,true]])");
  // b took 700 ms altogether, c 600.
  EXPECT_EQ(answer("node-durations-over-time", {{"since", "2026-01-01"}, {"nodes", "1"}},
                   "hour, node_id, times"),
            R"([["2026-01-01 10:00:00","b",2],["2026-01-01 11:00:00","b",1]])");
  // 550 ms of nodes in a minute, 650 in the next: 0.01 at a time.
  EXPECT_EQ(answer("throughput", kSinceThen, "minute, nodes, nodes_at_a_time"),
            R"([["2026-01-01 10:00:00",4,0.01],["2026-01-01 10:30:00",4,0.01],)"
            R"(["2026-01-01 11:59:00",4,0.01]])");
  EXPECT_EQ(answer("running-over-time", kSinceThen),
            R"([["2026-01-01 10:00:00",0],["2026-01-01 10:30:00",0],["2026-01-01 11:59:00",1]])");
  // What ran before counts.
  EXPECT_EQ(answer("running-over-time", {{"since", "2026-01-01 11:30"}}),
            R"([["2026-01-01 11:59:00",1]])");
  EXPECT_EQ(answer("runs-per-hour", {{"since", "2026-01-01 11:00"}}, "hour, started"),
            R"([["2026-01-01 11:00:00",2]])");
  EXPECT_EQ(answer("runs-per-hour"), "[]");  // it is long ago
}

TEST_F(CookbookTest, FailuresAreCountedAndTheLastOneSpeaks) {
  const auto failed = [&](int run, const std::string& node, int ms, const std::string& message) {
    event(run, "etl", "10:00", ms, "pipeline_node_failed",
          named(node, "p", 0) + R"(,"error_type":"E","error_message":")" + message + '"');
  };
  failed(1, "a", 10, "first");
  failed(2, "a", 30, "last");
  failed(3, "a", 20, "second");
  failed(3, "b", 40, "once");
  EXPECT_EQ(answer("failures"), R"([["etl","a","E",3,"2026-01-01 10:00:00.030000","last"],)"
                                R"(["etl","b","E",1,"2026-01-01 10:00:00.040000","once"]])");
}

TEST_F(CookbookTest, WhyARunFailedTheNodeSaysThatFailedFirst) {
  const auto fail = [&](int run, const std::string& clock, const std::string& node) {
    begin(run, "etl", clock);
    event(run, "etl", clock, 10, "log", R"(,"node_id":"other","message":"something else")");
    event(run, "etl", clock, 20, "log",
          R"(,"node_id":")" + node + R"(","message":"said by )" + node + '"');
    event(run, "etl", clock, 30, "pipeline_node_failed",
          named(node, "p", 0) + R"(,"error_type":"E","error_message":")" + node + R"( broke")");
    event(run, "etl", clock, 40, "pipeline_failed",
          R"(,"duration_ms":40,"error_type":"E","error_message":"m","failed_node_id":")" + node +
              '"');
  };
  fail(1, "11:00", "late");
  fail(2, "10:00", "early");
  diamond(3, "12:00", 300, 100);
  EXPECT_EQ(answer("why-failed", {}, "event_type, text"),
            R"([["log","said by late"],["pipeline_node_failed","late broke"]])");
  EXPECT_EQ(answer("why-failed", {{"run_id", id(2)}}, "text"),
            R"([["said by early"],["early broke"]])");
  EXPECT_EQ(answer("why-failed", {{"run_id", id(3)}}), "[]");  // it has not
}

TEST_F(CookbookTest, MetricsHaveNameKindValueAndUnit) {
  const auto metric = [&](const std::string& attributes) {
    event(1, "host", "10:00", 0, "metric",
          R"(,"node_id":"n","source":"otel","attributes":{)" + attributes + "}", "external");
  };
  metric(R"("name":"http.requests","kind":"sum","value":12,"unit":"{request}","route":"/")");
  metric(R"("name":"load","value":0.5)");
  metric(R"("value":"much")");
  const std::string asked =
      "SELECT name, kind, value, unit, attributes ->> '$.route', node_id, source FROM metrics "
      "ORDER BY name NULLS LAST";
  const std::string answered =
      R"([["http.requests","sum",12.0,"{request}","/","n","otel"],)"
      R"(["load",null,0.5,null,null,"n","otel"],[null,null,null,null,null,"n","otel"]])";
  EXPECT_EQ(query(asked), answered);
  commit_and_compact();
  EXPECT_EQ(query(asked), answered);
}

/// Two diamonds, another pipeline, and a run that fails at b after 40 ms.
class PublishedTest : public CookbookTest {
 protected:
  void SetUp() override {
    diamond(1, "10:00", 300, 100);  // a 100, b 300, c 100, d 50: 500 ms
    diamond(2, "10:01", 100, 400);  // a 100, b 100, c 400, d 50: 600 ms
    begin(3, "etl", "10:02");
    start_node(3, "10:02", {"a", "sql", 0, "", 0, 20});
    end_node(3, "10:02", {"a", "sql", 0, "", 0, 20});
    event(
        3, "etl", "10:02", 60, "pipeline_node_failed",
        named("b", "process", 1) + R"(,"duration_ms":40,"error_type":"E","error_message":"broke")");
    event(3, "etl", "10:02", 70, "pipeline_failed",
          R"(,"duration_ms":70,"error_type":"E","error_message":"broke","failed_node_id":"b")");
    begin(4, "other", "10:03");
    complete(4, "other", "10:03", 1000);
  }
};

TEST_F(PublishedTest, RunsAreCountedAndTimed) {
  EXPECT_EQ(answer("run-events", {{"run_id", id(1)}}, "count(*)"), "[[10]]");
  EXPECT_EQ(answer("run-events", {}, "any_value(run_id), count(*)"), R"([[")" + id(4) + R"(",2]])");
  // Between 500 and 600, 595 is at 95 %.
  EXPECT_EQ(
      answer("pipeline-durations", {},
             "string_agg(concat_ws(' ', pipeline_id, avg_ms, p95_ms), ', ' ORDER BY pipeline_id)"),
      R"([["etl 550.0 595.0, other 1000.0 1000.0"]])");
  EXPECT_EQ(answer("failure-rate", {},
                   "string_agg(concat_ws(' ', pipeline_id, failed_runs, successful_runs, "
                   "round(failure_rate, 3)), ', ' ORDER BY pipeline_id)"),
            R"([["etl 1 2 0.333, other 0 1 0.0"]])");
  EXPECT_EQ(answer("node-time-per-run", {}, "run_id, approx_critical_path_ms"),
            R"([[")" + id(2) + R"(",650.0],[")" + id(1) + R"(",550.0],[")" + id(3) + R"(",20.0]])");
  EXPECT_EQ(answer("recent-failed-runs", {}, "run_id, failed_node_id, error_message"),
            R"([[")" + id(3) + R"(","b","broke"]])");
  EXPECT_EQ(answer("durations-over-time", {}, "strftime(minute, '%H:%M'), avg_ms"),
            R"([["10:00",500.0],["10:01",600.0],["10:03",1000.0]])");
  EXPECT_EQ(answer("largest-pipelines", {}, "max_nodes"), "[[4],[4]]");
  EXPECT_EQ(answer("most-used-pipelines"), "[]");  // it is long ago
}

TEST_F(CookbookTest, FramesAreSummedUpOverTheirNodes) {
  begin(1, "film", "10:00");
  const auto completed = [&](const std::string& node, const std::string& frame, int ms) {
    event(1, "film", "10:00", ms, "pipeline_node_completed",
          named(node, "sql", 1) + frame + R"(,"duration_ms":)" + std::to_string(ms) +
              R"(,"output_keys":[])");
  };
  completed("a", R"(,"frame_index":0)", 100);
  completed("b", R"(,"frame_index":0)", 50);
  completed("a", R"(,"frame_index":1)", 200);
  completed("b", R"(,"frame_index":1)", 25);
  completed("c", "", 30);
  complete(1, "film", "10:00", 500);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(answer("frame-durations"), "[[1,225.0],[0,150.0],[null,30.0]]");
    commit_and_compact();
  }
}

TEST_F(CookbookTest, WhatWasAnsweredFromTheCacheIsNoCallOfATool) {
  const auto executed = [&](int run, int attempt, int ms, const std::string& how) {
    const auto tried = named("a", "sql", 0) + R"(,"attempt":)" + std::to_string(attempt);
    event(run, "etl", "10:00", 0, "pipeline_node_started", tried + R"(,"predecessor_node_ids":[])");
    const auto took = R"(,"duration_ms":)" + std::to_string(ms) + how;
    if (how.contains("error")) {
      event(run, "etl", "10:00", ms, "pipeline_node_failed", tried + took);
    } else {
      event(run, "etl", "10:00", ms, "pipeline_node_completed",
            tried + took + R"(,"output_keys":[])");
    }
  };
  begin(1, "etl", "10:00");
  executed(1, 1, 400, R"(,"error_type":"E","error_message":"m")");
  executed(1, 2, 100, R"(,"cache_hit":false)");
  begin(2, "etl", "10:01");
  executed(2, 1, 1, R"(,"outcome":"cached","cache_hit":true)");
  tenant_ = "b";  // its run has the same id, and has not asked the cache
  begin(2, "etl", "10:01");
  executed(2, 1, 100, "");
  // 400, 100 and 100 ms; with the cached answer 601 of four.
  EXPECT_EQ(query("SELECT plugin_id, tool_id, calls, failures, avg_ms FROM tools"),
            R"([["sql","t",3,1,200.0]])");
}

TEST_F(PublishedTest, NodesAreCountedAndTimed) {
  // a took 100, 100 and 20 ms, b 300 and 100, c 100 and 400, d twice 50.
  EXPECT_EQ(answer("node-durations", {}, "pipeline_id, node_id, round(avg_ms, 1)"),
            R"([["etl","c",250.0],["etl","b",200.0],["etl","a",73.3],["etl","d",50.0]])");
  EXPECT_EQ(answer("slowest-tools", {}, "node_id, plugin_id, tool_id, round(avg_ms, 1)"),
            R"([["c","sql","t",250.0],["b","process","t",200.0],["a","sql","t",73.3],)"
            R"(["d","file","t",50.0]])");
  EXPECT_EQ(answer("durations-by-step", {}, "step_index, round(avg_ms, 1)"),
            "[[0,73.3],[1,200.0],[2,250.0],[3,50.0]]");
  EXPECT_EQ(answer("step-positions", {}, "node_id, avg_step"),
            R"([["a",0.0],["b",1.0],["c",2.0],["d",3.0]])");
  // sql: 220 ms of a and 500 of c, five times in all.
  EXPECT_EQ(answer("plugin-durations"),
            R"([["etl","process",200.0],["etl","sql",144.0],["etl","file",50.0]])");
  EXPECT_EQ(answer("plugin-bottlenecks"), R"([["process",200.0],["sql",144.0],["file",50.0]])");
  EXPECT_EQ(answer("frame-durations"), "[[null,1220.0]]");
  EXPECT_EQ(answer("duration-histogram"), "[[1,3],[2,4],[4,1],[5,1]]");
  EXPECT_EQ(answer("node-order", {{"pipeline_id", "etl"}},
                   "string_agg(node_id, '' ORDER BY node_id), sum(duration_ms)"),
            R"([["aaabbccdd",1220.0]])");
  EXPECT_EQ(
      answer("failures-and-durations", {},
             "string_agg(concat_ws(' ', node_id, round(avg_success_ms, 1), avg_failure_ms), ', ' "
             "ORDER BY node_id)"),
      R"([["a 73.3, b 200.0 40.0, c 250.0, d 50.0"]])");
  EXPECT_EQ(answer("failures-per-node"), R"([["etl","b",1]])");
  EXPECT_EQ(answer("node-failures"), R"([["b",1]])");
  EXPECT_EQ(answer("failing-plugins"), R"([["process",1]])");
  EXPECT_EQ(answer("failing-tools"), R"([["process","t",1]])");
}

}  // namespace
}  // namespace weir::store
