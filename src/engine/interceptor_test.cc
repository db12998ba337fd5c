#include "engine/interceptor.h"

#include <thread>

#include "engine/chain_testing.h"
#include "engine/logging_interceptor.h"
#include "engine/metrics_interceptor.h"
#include "engine/tracing_interceptor.h"

// What stands around the calls of tools.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// Writes down when it is passed; answers or throws if told to.
class Probe : public Interceptor {
 public:
  Probe(std::string name, int priority, std::vector<std::string>& passed)
      : name_(std::move(name)), priority_(priority), passed_(passed) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] int priority() const override { return priority_; }
  [[nodiscard]] bool is_critical() const override { return critical; }

  std::optional<CallOutcome> answer;
  bool throws_before = false;
  bool throws_after = false;
  bool critical = false;
  std::string saw;

 protected:
  [[nodiscard]] std::optional<CallOutcome> before(Attempt& /*attempt*/) override {
    passed_.push_back("before " + name_);
    if (throws_before) throw std::runtime_error("no");
    return answer;
  }
  void after(Attempt& attempt, CallOutcome& outcome) override {
    passed_.push_back("after " + name_);
    saw = status_of(attempt, outcome);
    if (throws_after) throw std::runtime_error("no");
  }

 private:
  const std::string name_;
  const int priority_;
  std::vector<std::string>& passed_;
};

class InterceptorTest : public ChainTest {
 protected:
  Result<RunReport> run_with(std::vector<Interceptor*> interceptors,
                             const std::string& tool = "flaky", const std::string& settings = "") {
    return run_node(tool, settings,
                    [&](RunRequest& request) { request.interceptors = std::move(interceptors); });
  }

  std::vector<std::string> passed_;
  Probe outer_{"outer", priority::kIdempotency - 1, passed_};
  Probe inner_{"inner", priority::kCustom, passed_};
  Probe other_{"other", priority::kCustom, passed_};
};

TEST_F(InterceptorTest, ArePassedByPriorityAndBackAgain) {
  ASSERT_TRUE(run_with({&inner_, &other_, &outer_}));
  EXPECT_THAT(passed_, ElementsAre("before outer", "before inner", "before other", "after other",
                                   "after inner", "after outer"));
  EXPECT_EQ(calls_, 1);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(InterceptorTest, MayAnswerInThePlaceOfTheTool) {
  json::Object payload;
  payload.set("from", "memory");
  outer_.answer = tool::Output{.payload = payload, .usage = {}};
  const auto report = run_with({&outer_, &inner_});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->result, payload);
  EXPECT_EQ(calls_, 0);
  EXPECT_THAT(passed_, ElementsAre("before outer"));
  EXPECT_THAT(said(), ElementsAre("INFO interceptor 'outer' answered in the place of 'flaky'"));

  outer_.answer = std::unexpected(
      tool::Failure{.type = "NotToday", .message = "no", .exit_code = {}, .usage = {}});
  const auto failed = run_with({&outer_});
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure.type, "NotToday");
}

TEST_F(InterceptorTest, MayChangeTheOutcome) {
  class Signs : public Interceptor {
    [[nodiscard]] std::string_view name() const override { return "signs"; }
    void around(Attempt& /*attempt*/, Next& next) override {
      if (auto& outcome = next.run()) outcome->payload.set("signed", true);
    }
  } signs;
  const auto report = run_with({&signs});
  ASSERT_TRUE(report);
  EXPECT_EQ(json::to_text(report->result), R"({"signed":true})");
}

TEST_F(InterceptorTest, FailAloneUnlessTheyAreCritical) {
  outer_.throws_before = true;
  inner_.throws_after = true;
  const auto report = run_with({&outer_, &inner_});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(calls_, 1);
  EXPECT_THAT(said(), ElementsAre("WARNING interceptor 'outer' failed: std::runtime_error: no",
                                  "WARNING interceptor 'inner' failed: std::runtime_error: no"));

  outer_.critical = true;
  const auto failed = run_with({&outer_});
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure.type, "InterceptorFailed");
  EXPECT_EQ(calls_, 1) << "the tool is not called any more";
}

TEST_F(InterceptorTest, ArePassedByEveryAttempt) {
  failures_ = 2;
  MetricsInterceptor metrics;
  TracingInterceptor tracing;
  LoggingInterceptor logging;
  ASSERT_TRUE(run_with({&metrics, &tracing, &logging}, "flaky",
                       R"("retry": {"max_attempts": 3, "delay": "1ms"})"));
  const auto stage = metrics.stages().at("n");
  EXPECT_EQ(stage.started, 3U);
  EXPECT_THAT(stage.ended, ElementsAre(Pair("completed", 1U), Pair("failed", 2U)));
  EXPECT_THAT(stage.errors, ElementsAre(Pair("std::runtime_error", 2U)));
  EXPECT_EQ(stage.duration_ms.count, 3U);

  const auto spans = tracing.spans();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0].name, "stage.n");
  EXPECT_EQ(spans[0].status, "failed");
  EXPECT_EQ(spans[2].status, "completed");
  EXPECT_EQ(spans[2].attempt, 3);
  std::vector<std::string> recorded;
  for (auto& event : events()) {
    if (event.type == "pipeline_node_started") recorded.push_back(event.members["span_id"]);
  }
  ASSERT_EQ(recorded.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto text = spans[i].span_id.text();
    EXPECT_EQ(std::string(text.data(), text.size()), recorded[i]);
  }
  EXPECT_THAT(said(), ElementsAre("INFO Stage starting: n",
                                  "WARNING Stage completed: n - failed - UNKNOWN: it is down",
                                  "INFO Stage starting: n",
                                  "WARNING Stage completed: n - failed - UNKNOWN: it is down",
                                  "INFO Stage starting: n", "INFO Stage completed: n - completed"));
}

TEST_F(InterceptorTest, SeeATimeoutAsOne) {
  const auto report = run_with({&inner_, &outer_}, "wait", R"("timeout": "10ms")");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "TIMEOUT");
  EXPECT_EQ(inner_.saw, "timeout");
  EXPECT_EQ(outer_.saw, "timeout");
  EXPECT_EQ(only("pipeline_node_failed").members["error_code"], "TIMEOUT");
}

TEST_F(InterceptorTest, SeeACancelledCallAsOne) {
  std::stop_source stop;
  const auto report = run_node("wait", R"("timeout": "1h")", [&](RunRequest& request) {
    request.interceptors = {&inner_};
    request.stop = stop.get_token();
    request.on_update = [&](const NodeUpdate& update) {
      if (update.kind == NodeUpdate::Kind::kStarted) stop.request_stop();
    };
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  EXPECT_EQ(inner_.saw, "cancelled");
}

}  // namespace
}  // namespace weir::engine
