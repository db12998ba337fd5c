#include <thread>

#include "engine/chain_testing.h"
#include "engine/run_loggers.h"
#include "tool/provider_call.h"

// Nodes whose calls a circuit breaker watches.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// `more` are further settings of the breaker.
std::string breaker(const std::string& more, const std::string& retry = "") {
  return R"("circuit_breaker": {"operation": "chat", "provider": "acme", )" + more + "}" +
         (retry.empty() ? "" : R"(, "retry": )" + retry);
}

class CircuitTest : public ChainTest {
 protected:
  const CircuitKey key_{.operation = "chat", .provider = "acme"};
};

TEST_F(CircuitTest, FailsCallsAtOnceWhileItsProviderIsDown) {
  const auto report =
      run_node("fail", breaker(R"("failures": 2, "open_for": "1h")",
                               R"({"max_attempts": 4, "delay": "1ms", "jitter": "none"})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(calls_, 2) << "the tool was not called any more";
  EXPECT_EQ(report->failure.type, "CircuitOpen");
  EXPECT_THAT(report->failure.message,
              HasSubstr("node 'n': the circuit breaker of 'chat' of 'acme' is open, for "));
  EXPECT_TRUE(breakers_.is_open(key_));
  EXPECT_EQ(breakers_.status(key_).refused, 2U);
  EXPECT_THAT(types_of("circuit"), ElementsAre("circuit_opened"));
  auto opened = only("circuit_opened");
  EXPECT_EQ(opened.members["operation"], "chat");
  EXPECT_EQ(opened.members["provider"], "acme");
  EXPECT_EQ(opened.members["attempt"], "2");
  EXPECT_EQ(opened.members["attributes"], R"({"open_for_ms":3600000})");
  EXPECT_EQ(only("pipeline_failed").members["error_code"], "CIRCUIT_OPEN");
  EXPECT_FALSE(is_inconsistent());
}

TEST_F(CircuitTest, IsSharedByTheRunsOfAProcess) {
  ASSERT_TRUE(run_node("fail", breaker(R"("failures": 1, "open_for": "1h")")));
  const auto second = run_node("flaky", breaker(R"("failures": 1, "open_for": "1h")"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->failure.type, "CircuitOpen");
  EXPECT_EQ(calls_, 1);
}

TEST_F(CircuitTest, IsTriedAgainByARetryThatWaitsLongEnough) {
  failures_ = 1;
  const auto report =
      run_node("flaky", breaker(R"("failures": 1, "open_for": "1ms")",
                                R"({"max_attempts": 3, "delay": "20ms", "jitter": "none"})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(types_of("circuit"),
              ElementsAre("circuit_opened", "circuit_half_open", "circuit_closed"));
  EXPECT_FALSE(is_inconsistent());
}

TEST_F(CircuitTest, DoesNotBlameTheProviderForABadRequestOrACancelledRun) {
  add("x", "bad", [](const tool::Call&) -> json::Object { throw std::invalid_argument("bad"); });
  ASSERT_TRUE(run_node("bad", breaker(R"("failures": 1)")));
  std::stop_source stop;
  ASSERT_TRUE(run_node("wait", breaker(R"("failures": 1)"), [&](RunRequest& request) {
    request.stop = stop.get_token();
    request.on_update = [&](const NodeUpdate& update) {
      if (update.kind == NodeUpdate::Kind::kStarted) stop.request_stop();
    };
  }));
  EXPECT_EQ(breakers_.status(key_), CircuitStatus());
  ASSERT_TRUE(run_node("wait", breaker(R"("failures": 1)") + R"(, "timeout": "5ms")"));
  EXPECT_TRUE(breakers_.is_open(key_)) << "but for one that takes too long";
}

TEST_F(CircuitTest, HasItsCallsRecordedAsThoseOfTheProvider) {
  failures_ = 1;
  ASSERT_TRUE(
      run_node("flaky", breaker(R"("failures": 5)", R"({"max_attempts": 2, "delay": "1ms"})")));
  EXPECT_THAT(types_of("provider_call"),
              ElementsAre("provider_call_started", "provider_call_failed", "provider_call_started",
                          "provider_call_completed"));
  auto failed = only("provider_call_failed");
  EXPECT_EQ(failed.members["operation"], "chat");
  EXPECT_EQ(failed.members["error_code"], "UNKNOWN");
  EXPECT_EQ(failed.members["error_message"], "it is down");
  EXPECT_EQ(failed.members["retryable"], "true");
  EXPECT_EQ(failed.members["node_id"], "n");
  auto completed = only("provider_call_completed");
  EXPECT_NE(completed.members["duration_ms"], "");
  for (auto& event : events()) {
    if (event.type != "provider_call_started") continue;
    EXPECT_EQ(event.members["attributes"], R"({"context":{"scope":"node"}})");
    const auto& ended = event.members["attempt"] == "1" ? failed : completed;
    EXPECT_EQ(event.members["call_id"], ended.members.at("call_id"));
  }
}

class ProviderCallTest : public ChainTest {
 protected:
  ProviderCallTest() {
    add("x", "ask", [](const tool::Call& call) {
      tool::ProviderCall chat(call, {.operation = "chat", .provider = "acme", .model_id = "m-1"});
      json::Object metrics;
      metrics.set("cached", true);
      chat.completed({.input_tokens = 120,
                      .output_tokens = 48,
                      .cost_usd = 0.25,
                      .metrics = std::move(metrics)});
      tool::ProviderCall embed(call, {.operation = "embed", .provider = "acme"});
      embed.failed({.type = "TIMEOUT", .message = "late", .exit_code = {}, .usage = {}});
      const tool::ProviderCall left(call, {.operation = "speak", .provider = "acme"});
      return json::Object();
    });
  }
};

TEST_F(ProviderCallTest, IsRecordedWithWhatItUsed) {
  ASSERT_TRUE(run_node("ask"));
  auto completed = only("provider_call_completed");
  EXPECT_EQ(completed.members["model_id"], "m-1");
  EXPECT_EQ(completed.members["input_tokens"], "120");
  EXPECT_EQ(completed.members["output_tokens"], "48");
  EXPECT_EQ(completed.members["cost_usd"], "0.25");
  EXPECT_EQ(completed.members["attributes"], R"({"metrics":{"cached":true}})");
  EXPECT_EQ(completed.members["call_id"].size(), 36U);
  std::vector<std::string> failures;
  for (auto& event : events()) {
    if (event.type != "provider_call_failed") continue;
    failures.push_back(event.members["operation"] + " " + event.members["error_code"] + " " +
                       event.members["error_type"]);
  }
  EXPECT_THAT(failures, ElementsAre("embed TIMEOUT TIMEOUT", "speak UNKNOWN Abandoned"));
  EXPECT_FALSE(is_inconsistent());
}

/// Keeps what it is told.
class Accounts final : public RunLogger, public ProviderCallLogger {
 public:
  void log_run_started(const RunStarted& run) override {
    lines.push_back("started " + std::string(run.topology));
    if (throws) throw std::runtime_error("no room");
  }
  void log_run_completed(const RunEnded& run) override {
    lines.push_back("completed " + std::string(run.status) + " " +
                    std::to_string(run.outputs.size()));
  }
  void log_run_failed(const RunEnded& run) override {
    lines.push_back("failed " + std::string(run.failed_node_id) + " " + to_string(*run.error));
  }
  void log_call_start(const ProviderCallStarted& call) override {
    ids.emplace_back(call.call_id);
    lines.push_back("call " + std::string(call.operation) + " of " + std::string(call.node_id));
  }
  void log_call_end(const ProviderCallEnded& call) override {
    EXPECT_EQ(call.call_id, ids.back());
    if (throws) throw std::runtime_error("no room");
    lines.push_back((call.success ? "done " : to_string(*call.error) + " ") +
                    json::to_text(call.metrics));
  }

  std::vector<std::string> lines;
  std::vector<std::string> ids;
  bool throws = false;
};

TEST_F(ProviderCallTest, IsToldToTheLoggersOfTheProgram) {
  Accounts accounts;
  const auto with_loggers = [&](RunRequest& request) {
    request.run_logger = &accounts;
    request.provider_call_logger = &accounts;
  };
  ASSERT_TRUE(run_node("ask", "", with_loggers));
  EXPECT_THAT(
      accounts.lines,
      ElementsAre("started p", "call chat of n",
                  R"(done {"cached":true,"input_tokens":120,"output_tokens":48,"cost_usd":0.25})",
                  "call embed of n", "TIMEOUT: late {}", "call speak of n",
                  "UNKNOWN: its tool did not say how it ended {}", "completed completed 1"));
  accounts.lines.clear();
  ASSERT_TRUE(run_node("fail", "", with_loggers));
  EXPECT_THAT(accounts.lines, ElementsAre("started p", "failed n UNKNOWN: it is down"));
}

TEST_F(ProviderCallTest, GoesOnWhenALoggerFails) {
  Accounts accounts;
  accounts.throws = true;
  const auto report = run_node("ask", "", [&](RunRequest& request) {
    request.run_logger = &accounts;
    request.provider_call_logger = &accounts;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  std::vector<std::string> warnings;
  for (auto& event : events()) {
    if (event.type == "log") warnings.push_back(event.members["message"]);
  }
  EXPECT_EQ(warnings.size(), 4U);
  EXPECT_EQ(warnings[0], "the logger of runs failed: std::runtime_error: no room");
  EXPECT_EQ(warnings[1], "the logger of provider calls failed: std::runtime_error: no room");
}

}  // namespace
}  // namespace weir::engine
