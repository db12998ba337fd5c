#include "engine/idempotency_interceptor.h"

#include <latch>
#include <thread>

#include "engine/chain_testing.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;

class IdempotencyTest : public ChainTest {
 protected:
  IdempotencyTest() {
    add("x", "count", [this](const tool::Call&) {
      json::Object output;
      output.set("calls", ++calls_);
      return output;
    });
  }

  Result<RunReport> run_keyed(const std::string& key, const std::string& tool = "count",
                              int payload = 0) {
    return run_node(tool, "", [&](RunRequest& request) {
      request.interceptors = {&idempotency_};
      request.idempotency_key = key;
      request.payload.set("n", payload);
    });
  }
  static std::string result(const Result<RunReport>& report) {
    if (!report) return report.error().message;
    const auto* calls = report->result.find("calls");
    return calls == nullptr ? report->failure.type : json::to_text(*calls);
  }

  IdempotencyInterceptor idempotency_{{.max_entries = 2}};
};

TEST_F(IdempotencyTest, RunsANodeOnceForEachKey) {
  EXPECT_EQ(result(run_keyed("a")), "1");
  EXPECT_EQ(result(run_keyed("a")), "1");
  EXPECT_EQ(result(run_keyed("b")), "2");
  EXPECT_EQ(result(run_keyed("")), "3") << "no key";
  EXPECT_EQ(result(run_keyed("")), "4");
  EXPECT_THAT(said(),
              ElementsAre("INFO interceptor 'idempotency' answered in the place of 'count'"));
}

TEST_F(IdempotencyTest, RefusesAnotherInputUnderTheSameKey) {
  EXPECT_EQ(result(run_keyed("a")), "1");
  EXPECT_EQ(result(run_keyed("a", "count", 7)), "IdempotencyParamMismatch");
  EXPECT_EQ(result(run_keyed("a", "flaky")), "IdempotencyParamMismatch") << "another tool";
}

TEST_F(IdempotencyTest, RemembersNoFailure) {
  failures_ = 1;
  add("x", "count", [this](const tool::Call&) {
    json::Object output;
    if (++calls_ == 1) throw std::runtime_error("not yet");
    output.set("calls", calls_.load());
    return output;
  });
  EXPECT_EQ(result(run_keyed("a")), "std::runtime_error");
  EXPECT_EQ(result(run_keyed("a")), "2");
}

TEST_F(IdempotencyTest, ForgetsTheOldestWhenThereAreTooMany) {
  for (const std::string key : {"a", "b", "c"}) EXPECT_NE(result(run_keyed(key)), "");
  EXPECT_EQ(idempotency_.size(), 2U);
  EXPECT_EQ(result(run_keyed("c")), "3");
  EXPECT_EQ(result(run_keyed("a")), "4");
}

TEST_F(IdempotencyTest, ForgetsWhatIsTooOld) {
  IdempotencyInterceptor short_memory({.ttl = std::chrono::seconds(0)});
  for (const std::string expected : {"1", "2"}) {
    const auto report = run_node("count", "", [&](RunRequest& request) {
      request.interceptors = {&short_memory};
      request.idempotency_key = "a";
    });
    EXPECT_EQ(result(report), expected);
  }
}

TEST_F(IdempotencyTest, LetsRunsAtTheSameTimeWaitForEachOther) {
  std::latch running(1);
  std::latch may_end(1);
  add("x", "slow", [&](const tool::Call&) {
    json::Object output;
    output.set("calls", ++calls_);
    running.count_down();
    may_end.wait();
    return output;
  });
  std::string first, second;
  std::thread one([&] { first = result(run_keyed("a", "slow")); });
  running.wait();
  std::thread two([&] { second = result(run_keyed("a", "slow")); });
  std::this_thread::yield();
  may_end.count_down();
  one.join();
  two.join();
  EXPECT_EQ(first, "1");
  EXPECT_EQ(second, "1");
  EXPECT_EQ(calls_, 1);
}

}  // namespace
}  // namespace weir::engine
