#include <gtest/gtest.h>

#include <functional>

#include "store/cookbook_testing.h"

/// Two tenants may have runs of one id.
namespace weir::store {
namespace {

class TenantsTest : public CookbookTest {
 protected:
  void as(const std::string& tenant, const std::function<void()>& add) {
    tenant_ = tenant;
    add();
  }
  /// Looks at what is in the log, and again when it is in parts.
  void hot_and_sealed(const std::function<void()>& look) {
    look();
    commit_and_compact();
    SCOPED_TRACE("in parts");
    look();
  }
  void two_diamonds() {
    as("acme", [this] { diamond(1, "10:00", 300, 100); });
    as("north", [this] { diamond(1, "11:00", 100, 400); });
  }
};

TEST_F(TenantsTest, EachHasItsOwnRowsInTheViews) {
  two_diamonds();
  for (const auto* tenant : {"acme", "north", ""}) {
    as(tenant, [&] {
      event(
          2, "etl", "12:00", 0, "span",
          R"(,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","duration_ms":1)");
      event(2, "etl", "12:00", 0, "provider_call_completed",
            R"(,"duration_ms":1,"provider":"p","operation":"chat","call_id":"c")");
    });
  }
  hot_and_sealed([this] {
    EXPECT_EQ(
        query(
            "SELECT tenant_id, state, duration_ms, events FROM runs WHERE events > 2 ORDER BY ALL"),
        R"([["acme","completed",500.0,10],["north","completed",600.0,10]])");
    EXPECT_EQ(query("SELECT tenant_id, duration_ms FROM nodes WHERE node_id = 'b' ORDER BY ALL"),
              R"([["acme",300.0],["north",100.0]])");
    EXPECT_EQ(query("SELECT tenant_id, duration_ms FROM attempts WHERE node_id = 'c' ORDER BY ALL"),
              R"([["acme",100.0],["north",400.0]])");
    EXPECT_EQ(query("SELECT tenant_id, count(*) FROM edges GROUP BY ALL ORDER BY ALL"),
              R"([["acme",4],["north",4]])");
    for (const auto* view : {"runs WHERE events = 2", "spans", "providers"}) {
      EXPECT_EQ(query(std::string("SELECT tenant_id FROM ") + view + " ORDER BY ALL"),
                R"([["acme"],["north"],[null]])")
          << view;
    }
  });
}

TEST_F(TenantsTest, RecipesOverRunsCountEach) {
  two_diamonds();
  hot_and_sealed([this] {
    EXPECT_EQ(answer("parallelism", {}, "* EXCLUDE (run_id)"),
              R"([["etl",650.0,600.0,1.08],["etl",550.0,500.0,1.1]])");
    EXPECT_EQ(answer("run-durations"), R"([["etl",2,0,550.0,595.0,"2026-01-01 11:00:00"]])");
    EXPECT_EQ(answer("critical-nodes"),
              R"([["etl","c",1,50.0,400.0,72.7],["etl","b",1,50.0,300.0,66.7],)"
              R"(["etl","a",2,100.0,100.0,20.0],["etl","d",2,100.0,50.0,10.0]])");
    EXPECT_EQ(answer("time-to-first-node"), R"([["etl",2,10.0,10.0,10.0,0]])");
    EXPECT_EQ(answer("transitions", {}, "transitions, avg_wait_ms"),
              "[[2,10.0],[2,10.0],[2,10.0],[2,10.0]]");
  });
}

TEST_F(TenantsTest, RecipesOfOneRunAreAboutTheOneThatSpokeLast) {
  two_diamonds();
  hot_and_sealed([this] {
    EXPECT_EQ(answer("critical-path", {}, "node_id, starts_after_ms"),
              R"([["a",0.0],["c",110.0],["d",520.0]])");
    for (const auto& variables : {Variables(), Variables{{"run_id", id(1)}}}) {
      EXPECT_EQ(answer("slack", variables, "node_id, slack_ms"),
                R"([["a",0.0],["b",300.0],["c",0.0],["d",0.0]])");
      // Of a + c + d, 550 ms, half of c's 400.
      EXPECT_EQ(answer("what-if", variables, "* EXCLUDE (run_id)"),
                R"([["c",50.0,400.0,550.0,350.0,200.0,36.4]])");
      EXPECT_EQ(answer("concurrency", variables),
                R"([[0.0,100.0,1],[100.0,10.0,0],[110.0,100.0,2],[210.0,300.0,1],[510.0,10.0,0],)"
                R"([520.0,50.0,1],[570.0,null,0]])");
    }
  });
}

TEST_F(TenantsTest, GapsAreThoseOfOneTenantsRun) {
  two_diamonds();
  const auto numbered = [this](int number) {
    event(2, "foreign", "10:00", number, "log",
          R"(,"message":"m","source_seq":)" + std::to_string(number), "external");
  };
  as("acme", [&] { numbered(1), numbered(3); });
  as("north", [&] { numbered(2), numbered(4); });
  hot_and_sealed([this] {
    // An hour lies between the two runs of one id.
    EXPECT_EQ(answer("gaps", {}, "gap, first_missing"),
              R"([["missing events",3],["missing events",2]])");
    EXPECT_EQ(answer("gaps", {{"silence_s", "0.15"}}, "gap, epoch_ms(to_time - from_time)"),
              R"([["silence",300],["silence",200],["missing events",2],["missing events",2]])");
  });
}

TEST_F(TenantsTest, ARetryIsOfTheTenantWhoseAttemptFailed) {
  as("acme", [this] {
    event(1, "etl", "10:00", 10, "pipeline_node_failed",
          named("r", "p", 0) +
              R"(,"attempt":1,"duration_ms":50,"error_type":"E","error_message":"m")");
  });
  as("north", [this] {
    event(1, "etl", "10:00", 20, "pipeline_node_retry_scheduled",
          named("r", "p", 0) + R"(,"attempt":2,"reason":"timeout","attributes":{"delay_ms":9})");
  });
  hot_and_sealed([this] {
    EXPECT_EQ(answer("retry-cost"), R"([["etl","r","not tried again","E",1,50.0,null]])");
  });
}

TEST_F(TenantsTest, HistoryCountsEachRunOnce) {
  const auto run = [this](int number, const std::string& clock, int ms) {
    event(number, "etl", clock, number, "pipeline_node_completed",
          named("n", "x", 0) + R"(,"duration_ms":)" + std::to_string(ms) + R"(,"output_keys":[])");
    complete(number, "etl", clock, 10 * number);
  };
  as("acme", [&] { run(1, "10:00", 100), run(2, "10:00", 100), run(3, "10:00", 100); });
  as("north", [&] { run(1, "11:00", 100), run(2, "11:00", 100), run(3, "11:00", 500); });
  hot_and_sealed([this] {
    EXPECT_EQ(answer("slower-nodes", {{"at_least", "3"}}, "times, median_ms, last_ms"),
              "[[6,100.0,500.0]]");
  });
}

TEST_F(TenantsTest, ARunIsStuckThoughAnotherTenantsHasEnded) {
  as("acme", [this] {
    begin(1, "etl", "10:00");
    complete(1, "etl", "10:00", 10);
  });
  as("north", [this] { begin(1, "etl", "10:00"); });
  hot_and_sealed([this] {
    EXPECT_EQ(answer("stuck-runs", {{"now", "2026-01-01 12:00:00"}}, "problem, run_id"),
              R"([["stuck",")" + id(1) + R"("]])");
  });
}

TEST_F(TenantsTest, AReviewIsOfTheContentOfOneTenant) {
  const auto written = [this] {
    event(1, "etl", "10:00", 10, "artifact_written",
          R"(,"artifact_path":"a.txt","artifact_sha256":")" + std::string(64, 'a') + '"');
  };
  as("acme", [&] {
    written();
    event(2, "weir", "10:01", 0, "artifact_reviewed",
          R"(,"outcome":"approved","actor_id":"ada","artifact_path":"a.txt","artifact_sha256":")" +
              std::string(64, 'a') + '"',
          "external");
  });
  as("north", written);
  as("", written);
  hot_and_sealed([this] {
    EXPECT_EQ(query("SELECT tenant_id, review, reviewed_by FROM artifacts ORDER BY ALL"),
              R"([["acme","approved","ada"],["north",null,null],[null,null,null]])");
  });
}

TEST_F(TenantsTest, WhyARunFailedItsOwnNodeSays) {
  const auto failed = [this](const std::string& message) {
    event(1, "etl", "10:00", 10, "pipeline_node_failed",
          named("n", "p", 0) + R"(,"error_type":"E","error_message":")" + message + '"');
  };
  as("acme", [&] {
    failed("mine");
    event(1, "etl", "10:00", 20, "pipeline_failed",
          R"(,"duration_ms":20,"error_type":"E","error_message":"mine","failed_node_id":"n")");
  });
  as("north", [&] {
    failed("another's");
    complete(1, "etl", "10:00", 20);
  });
  hot_and_sealed([this] { EXPECT_EQ(answer("why-failed", {}, "text"), R"([["mine"]])"); });
}

}  // namespace
}  // namespace weir::store
