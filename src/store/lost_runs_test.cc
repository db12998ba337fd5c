#include <gtest/gtest.h>

#include "store/cookbook_testing.h"

// What the tables and recipes say of a run whose process was lost, and which was taken up again.
namespace weir::store {
namespace {

class LostRunsTest : public CookbookTest {
 protected:
  static std::string of(const std::string& node, int step, int process) {
    return named(node, node, step) +
           R"(,"attempt":1,"trace_id":"0123456789abcdef0123456789abcdef")" +
           R"(,"span_id":"00000000000000)" + node + std::to_string(process) + '"' +
           (process > 1 ? R"(,"engine_attempt":)" + std::to_string(process) : "");
  }
  void start(const std::string& clock, int ms, const std::string& node, int step, int process,
             const std::string& before) {
    event(1, "etl", clock, ms, "pipeline_node_started",
          of(node, step, process) + R"(,"predecessor_node_ids":[)" + before + "]");
  }
  void end(const std::string& clock, int ms, const std::string& node, int step, int process,
           int took_ms) {
    event(1, "etl", clock, ms, "pipeline_node_completed",
          of(node, step, process) + R"(,"duration_ms":)" + std::to_string(took_ms) +
              R"(,"output_keys":[])");
  }
  /// a, then b and c; 200 ms after b began the process is lost.
  void lose() {
    begin(1, "etl", "10:00");
    start("10:00", 10, "a", 0, 1, "");
    end("10:00", 110, "a", 0, 1, 100);
    start("10:00", 120, "b", 1, 1, R"("a")");
    start("10:00", 120, "c", 2, 1, R"("a")");
    end("10:00", 220, "c", 2, 1, 100);
    event(1, "etl", "10:00", 320, "log", R"(,"message":"m")");
  }
  /// After 3 599 680 ms. b runs anew, then d.
  void take_up() {
    event(1, "etl", "11:00", 0, "pipeline_resumed", R"(,"engine_attempt":2)");
    start("11:00", 10, "b", 1, 2, R"("a")");
    end("11:00", 310, "b", 1, 2, 300);
    start("11:00", 320, "d", 3, 2, R"("b","c")");
    end("11:00", 370, "d", 3, 2, 50);
    event(1, "etl", "11:00", 380, "pipeline_completed",
          R"(,"duration_ms":3600380,"node_count":4,"output_node_ids":[])");
  }
};

TEST_F(LostRunsTest, AnExecutionThatWasLostHasAStartAndNoEnd) {
  lose();
  EXPECT_EQ(query("SELECT node_id, state FROM attempts ORDER BY started_at, node_id"),
            R"([["a","completed"],["b","unfinished"],["c","completed"]])");
  EXPECT_EQ(query("SELECT name, status FROM spans ORDER BY started_at, name"),
            R"([["a","OK"],["b",null],["c","OK"]])");
  take_up();
  EXPECT_EQ(query("SELECT node_id, attempt, engine_attempt, state, ended_at IS NULL, duration_ms, "
                  "plugin_status FROM attempts ORDER BY started_at, node_id"),
            R"([["a",1,1,"completed",false,100.0,"success"],["b",1,1,"lost",true,null,null],)"
            R"(["c",1,1,"completed",false,100.0,"success"],)"
            R"(["b",1,2,"completed",false,300.0,"success"],)"
            R"(["d",1,2,"completed",false,50.0,"success"]])");
  EXPECT_EQ(query("SELECT name, status, duration_ms FROM spans ORDER BY started_at, name"),
            R"([["a","OK",100.0],["b","LOST",null],["c","OK",100.0],["b","OK",300.0],)"
            R"(["d","OK",50.0]])");
  EXPECT_EQ(query("SELECT state, attempt, duration_ms FROM nodes WHERE node_id = 'b'"),
            R"([["completed",1,300.0]])");
  EXPECT_EQ(query("SELECT calls, avg_ms FROM tools WHERE plugin_id = 'b'"), "[[2,300.0]]");
}

TEST_F(LostRunsTest, NobodyWillTellHowACallEndedThatWasLost) {
  lose();
  const auto call = [](const std::string& id, int process) {
    return R"(,"node_id":"b","call_id":")" + id + R"(","provider":"acme","operation":"chat")" +
           R"(,"engine_attempt":)" + std::to_string(process);
  };
  event(1, "etl", "10:00", 130, "provider_call_started", call("c1", 1));
  event(1, "etl", "10:00", 140, "provider_call_completed", call("c1", 1) + R"(,"duration_ms":10)");
  event(1, "etl", "10:00", 150, "provider_call_started", call("c2", 1));
  const std::string states = "SELECT call_id, state FROM providers ORDER BY call_id";
  EXPECT_EQ(query(states), R"([["c1","completed"],["c2","unfinished"]])");
  take_up();
  event(1, "etl", "11:00", 30, "provider_call_started", call("c3", 2));
  EXPECT_EQ(query(states), R"([["c1","completed"],["c2","lost"],["c3","unfinished"]])");
}

TEST_F(LostRunsTest, AProcessIsLostAsOftenAsTheRunIsTakenUp) {
  start("10:00", 10, "a", 0, 1, "");
  event(1, "etl", "10:01", 0, "pipeline_resumed", R"(,"engine_attempt":2)");
  start("10:01", 10, "a", 0, 2, "");
  event(1, "etl", "10:01", 20, "pipeline_paused", "");
  event(1, "etl", "10:01", 30, "pipeline_resumed", "");  // that was a pause
  event(1, "etl", "10:02", 0, "pipeline_resumed", R"(,"engine_attempt":3)");
  start("10:02", 10, "a", 0, 3, "");
  tenant_ = "acme";  // whose run has the same id
  start("10:00", 10, "a", 0, 1, "");
  EXPECT_EQ(query("SELECT tenant_id, engine_attempt, state FROM attempts ORDER BY ALL NULLS FIRST"),
            R"([[null,1,"lost"],[null,2,"lost"],[null,3,"unfinished"],["acme",1,"unfinished"]])");
  EXPECT_EQ(query("SELECT epoch_ms(taken_up_at - last_heard_at), nodes, tenant_id "
                  "FROM weir_losses() ORDER BY taken_up_at"),
            "[[59990,1,null],[59970,1,null]]");
}

TEST_F(LostRunsTest, WhileItIsDownNothingRuns) {
  lose();
  take_up();
  EXPECT_EQ(answer("concurrency"),
            "[[0.0,100.0,1],[100.0,10.0,0],[110.0,100.0,2],[210.0,100.0,1],[310.0,3599690.0,0],"
            "[3600000.0,300.0,1],[3600300.0,10.0,0],[3600310.0,50.0,1],[3600360.0,null,0]]");
  commit_and_compact();
  // 550 ms of nodes in 3 600 380 - 3 599 680.
  EXPECT_EQ(answer("parallelism", {}, "node_ms, run_ms, nodes_at_a_time"), "[[550.0,700.0,0.79]]");
  EXPECT_EQ(answer("retry-cost"), "[]");
}

TEST_F(LostRunsTest, ANodeTookWhatItTookWithoutThat) {
  lose();
  take_up();
  // b was at work for 200 ms, and for 310 from when it was taken up.
  EXPECT_EQ(answer("critical-path"), R"([["a",100.0,0.0,15.2],["b",510.0,110.0,77.3],)"
                                     R"(["d",50.0,3600310.0,7.6]])");
  EXPECT_EQ(answer("critical-nodes", {}, "node_id, avg_ms, percent_of_path"),
            R"([["b",510.0,77.3],["a",100.0,15.2],["d",50.0,7.6]])");
  EXPECT_EQ(answer("slack", {}, "node_id, ms, earliest_ms, slack_ms"),
            R"([["a",100.0,0.0,0.0],["b",510.0,100.0,0.0],["c",100.0,100.0,410.0],)"
            R"(["d",50.0,610.0,0.0]])");
  EXPECT_EQ(answer("what-if", {}, "node_id, node_ms, run_ms, saved_ms"),
            R"([["b",510.0,660.0,255.0]])");
}

TEST_F(LostRunsTest, NobodyWaitsForANodeWhileItIsDown) {
  begin(1, "etl", "10:00");
  start("10:00", 10, "a", 0, 1, "");
  end("10:00", 110, "a", 0, 1, 100);
  event(1, "etl", "11:00", 0, "pipeline_resumed", R"(,"engine_attempt":2)");
  start("11:00", 10, "b", 1, 2, R"("a")");
  end("11:00", 20, "b", 1, 2, 10);
  complete(1, "etl", "11:00", 30);
  EXPECT_EQ(answer("transitions"), R"([["a","b",1,10.0,10.0]])");
}

// The first item had ended before, the second runs anew.
TEST_F(LostRunsTest, ItemsTookWhatTheyTookWithoutThat) {
  begin(1, "etl", "10:00");
  start("10:00", 10, "f[0]", 0, 1, "");
  end("10:00", 110, "f[0]", 0, 1, 100);
  start("10:00", 110, "f[1]", 0, 1, "");
  event(1, "etl", "11:00", 0, "pipeline_resumed", R"(,"engine_attempt":2)");
  start("11:00", 10, "f[1]", 0, 2, "");
  end("11:00", 210, "f[1]", 0, 2, 200);
  complete(1, "etl", "11:00", 220);
  EXPECT_EQ(answer("critical-path", {}, "node_id, duration_ms"), R"([["f",310.0]])");
}

}  // namespace
}  // namespace weir::store
