#include "record/paperkit_logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "base/file.h"
#include "record/paperkit_fields.h"
#include "record/sink_testing.h"

namespace weir::record {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PaperkitLogging : public testing::Test {
 protected:
  PaperkitLogging() : folder_(testing::TempDir() + "paperkit-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    config_.output_dir = folder_ / "logs";
  }
  ~PaperkitLogging() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<CompositeSink> make() {
    auto sink = make_paperkit_sink(config_);
    EXPECT_TRUE(sink) << (sink ? "" : sink.error().message);
    return sink ? *std::move(sink) : nullptr;
  }
  Error error() {
    const auto sink = make_paperkit_sink(config_);
    EXPECT_FALSE(sink);
    return sink ? Error{} : sink.error();
  }
  std::string text(const std::string& name) {
    return read_file(folder_ / "logs" / name, 1'000'000).value_or("(no file)");
  }
  static void emit(EventSink& sink, std::string_view type, std::string_view members = "") {
    const TestEvent event(type, members);
    const auto emitted = sink.emit(event.published());
    EXPECT_TRUE(emitted) << (emitted ? "" : emitted.error().message);
  }

  std::filesystem::path folder_;
  LoggingConfig config_;
};

constexpr std::string_view kRunId = "019b8a2f-7c00-7000-8000-000000000001";
const std::string kAt = R"({"timestamp":"2026-01-05T03:00:00.250000Z",)";

TEST_F(PaperkitLogging, HasPaperkitsDefaults) {
  const LoggingConfig config;
  EXPECT_EQ(config.level, event::Level::kInfo);
  EXPECT_EQ(config.format, "json");
  EXPECT_EQ(config.output_dir, ".paper/logs");
  EXPECT_EQ(config.retention_days, 30);
  EXPECT_EQ(config.max_file_size, 10'000'000U);
  EXPECT_EQ(config.max_files, 10U);
  EXPECT_EQ(config.loggers.size(), 5U);
}

TEST_F(PaperkitLogging, WritesAgentRuns) {
  const auto sink = make();
  emit(*sink, "agent_run",
       R"("agent_id":"section-drafter","outcome":"success","duration_ms":45200.0,)"
       R"("operation":"draft","attributes":{"input":{"summary":"Draft introduction section"},)"
       R"("output_summary":"Introduction drafted with 3 citations"})");
  EXPECT_EQ(text("agent.log"),
            kAt + R"("runId":")" + std::string(kRunId) +
                R"(","agentId":"section-drafter","action":"draft","duration":45.2,)"
                R"("status":"success","inputSummary":"Draft introduction section",)"
                R"("outputSummary":"Introduction drafted with 3 citations"})"
                "\n");
  EXPECT_EQ(text("workflow.log"), "");
}

TEST_F(PaperkitLogging, WritesWhatHappensToWorkflowsAndTheirSteps) {
  const auto sink = make();
  emit(*sink, "pipeline_started",
       R"("entry_nodes":[],"output_nodes":[],"node_count":1,"pipeline_name":"write-paper",)"
       R"("workflow_id":"wf-1")");
  emit(*sink, "pipeline_node_failed",
       R"("node_id":"outline","plugin_id":"p","tool_id":"t","step_index":0,"error_type":"E",)"
       R"("error_message":"m","level":"ERROR","outcome":"timeout","duration_ms":1500.0)");
  emit(*sink, "cache_hit", R"("node_id":"outline")");
  EXPECT_EQ(text("workflow.log"),
            kAt +
                R"("workflowId":"wf-1","workflowName":"write-paper","step":null,)"
                R"("status":"in_progress","duration":null})"
                "\n" +
                kAt + R"("workflowId":")" + std::string(kRunId) +
                R"(","workflowName":"flights","step":"outline","status":"timeout","duration":1.5})"
                "\n");
}

TEST_F(PaperkitLogging, WritesTools) {
  const auto sink = make();
  emit(*sink, "tool_completed",
       R"("tool_id":"latex","duration_ms":250.0,"exit_code":0,)"
       R"("attributes":{"files_modified":["main.pdf"]})");
  EXPECT_EQ(text("tool.log"), kAt + R"("toolId":"latex","executionTime":0.25,"exitCode":0,)"
                                    R"("filesModified":["main.pdf"]})"
                                    "\n");
}

TEST_F(PaperkitLogging, WritesHowToolsEndThatNodesCall) {
  const auto sink = make();
  emit(*sink, "pipeline_node_completed",
       R"("node_id":"n","plugin_id":"process","tool_id":"run","step_index":0,"duration_ms":1500.0,)"
       R"("exit_code":0,"output_keys":[])");
  EXPECT_EQ(text("tool.log"), kAt + R"("toolId":"run","executionTime":1.5,"exitCode":0,)"
                                    R"("filesModified":null})"
                                    "\n");
}

TEST_F(PaperkitLogging, CompressesFilesThatAreFullIfThatIsWanted) {
  config_.max_file_size = 1;
  config_.max_files = 3;
  const auto rotated_files = [&] {
    const auto sink = make();
    for (int i = 0; i < 2; ++i) emit(*sink, "agent_run", R"("agent_id":"a","outcome":"success")");
    std::size_t compressed = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      compressed += entry.path().extension() == ".gz" ? 1U : 0U;
    }
    return compressed;
  };
  config_.compression = Compression::kNone;
  EXPECT_EQ(rotated_files(), 0U);
  config_.compression = Compression::kGzip;
  EXPECT_GT(rotated_files(), 0U);
}

TEST_F(PaperkitLogging, WritesErrorsOfAllKinds) {
  const auto sink = make();
  emit(*sink, "tool_failed",
       R"("tool_id":"latex","error_type":"Timeout","error_message":"too slow","level":"ERROR",)"
       R"("stack_trace":"at x","session_id":"s","attributes":{"context":{"file":"a.tex"}})");
  emit(*sink, "log", R"("message":"odd","level":"FATAL","logger":"parser")");
  emit(*sink, "log", R"("message":"fine","level":"WARNING")");
  const std::string run = R"("context":{"runId":")" + std::string(kRunId) + "\"";
  EXPECT_EQ(text("error.log"),
            kAt +
                R"("source":"latex","errorType":"Timeout","message":"too slow",)"
                R"("stackTrace":"at x",)" +
                run + R"(,"workflowName":"flights","toolId":"latex","sessionId":"s",)" +
                R"("file":"a.tex"}})"
                "\n" +
                kAt + R"("source":"parser","errorType":null,"message":"odd","stackTrace":null,)" +
                run +
                R"(,"workflowName":"flights"}})"
                "\n");
}

TEST_F(PaperkitLogging, WritesTheAudit) {
  const auto sink = make();
  emit(*sink, "audit",
       R"("actor_id":"alice","operation":"approve","outcome":"approved",)"
       R"("artifact_path":"out/intro.tex")");
  EXPECT_EQ(text("audit.log"),
            kAt + R"("userId":"alice","action":"approve","resource":"out/intro.tex",)"
                  R"("result":"approved"})"
                  "\n");
}

TEST_F(PaperkitLogging, WritesWhatPeopleDecideIntoTheAudit) {
  const auto sink = make();
  emit(*sink, "approval_decided",
       R"("node_id":"n","actor_id":"bob","outcome":"approved","reason":"looks good")");
  EXPECT_EQ(text("audit.log"), kAt + R"("userId":"bob","action":"approval_decided",)"
                                     R"("resource":null,"result":"approved"})"
                                     "\n");
}

TEST_F(PaperkitLogging, HasLoggersOfOnesOwn) {
  config_.loggers = {{.name = "drafts", .level = event::Level::kWarning},
                     {.name = "all", .output = "deep/all.log", .filter = EventFilter{}}};
  const auto sink = make();
  emit(*sink, "log", R"("message":"1","level":"INFO","logger":"drafts")");
  emit(*sink, "log", R"("message":"2","level":"WARNING","logger":"drafts.intro")");
  emit(*sink, "log", R"("message":"3","level":"WARNING","logger":"other")");
  EXPECT_THAT(text("drafts.log"), testing::AllOf(HasSubstr(R"("message":"2")"),
                                                 testing::Not(HasSubstr(R"("message":"3")"))));
  EXPECT_EQ(std::ranges::count(text("drafts.log"), '\n'), 1);
  EXPECT_EQ(std::ranges::count(text("deep/all.log"), '\n'), 3);
}

TEST_F(PaperkitLogging, DoesNotRepeatTheFolderOfTheLogs) {
  config_.output_dir = folder_ / "logs/";
  config_.loggers = {{.name = "a", .output = "logs/a.log"},
                     {.name = "b", .output = "./b.log"},
                     {.name = "c", .output = folder_ / "else" / "c.log"}};
  const auto sink = make();
  EXPECT_THAT(list_directory(folder_ / "logs").value(),
              ElementsAre("a.log", "a.log.lock", "b.log", "b.log.lock"));
  EXPECT_THAT(list_directory(folder_ / "else").value(), ElementsAre("c.log", "c.log.lock"));
}

TEST_F(PaperkitLogging, RefusesWhatMakesNoSense) {
  config_.format = "xml";
  EXPECT_EQ(error(),
            (Error{ErrorCode::kInvalidInput, "logging: format 'xml' is not known; it is 'json'"}));
  config_.format = "json";
  config_.retention_days = 0;
  EXPECT_EQ(error().message, "logger 'agent': retention days: 0 is not within 1 and 36500");
  config_.retention_days = 1;
  config_.max_files = 0;
  EXPECT_EQ(error().code, ErrorCode::kInvalidInput);
  config_.max_files = 1;
  config_.loggers = {{.name = "a", .output = "x/../../a.log"}};
  EXPECT_THAT(error().message, HasSubstr("logger 'a': output 'x/../../a.log' must not leave"));
  config_.loggers = {{.name = "a", .output = "same.log"}, {.name = "b", .output = "same.log"}};
  EXPECT_EQ(error().code, ErrorCode::kConflict);
  config_.loggers = {{.name = ""}};
  EXPECT_EQ(error().message, "logger '': a logger needs a name");
  config_.loggers = {{.name = "a", .include_fields = std::vector<std::string>(101, "x")}};
  EXPECT_EQ(error().message, "logger 'a': more than 100 fields to include");
}

json::Value value(std::string_view name, std::string_view type, std::string_view members = "") {
  const TestEvent event(type, members);
  return paperkit_value(name)(ProjectedEvent(event.published().event));
}

TEST(PaperkitFields, SpeakPaperkitsWords) {
  EXPECT_EQ(json::to_text(value("tokenUsage", "a", R"("input_tokens":2500,"output_tokens":1800)")),
            R"({"input":2500,"output":1800,"total":4300})");
  EXPECT_EQ(json::to_text(value("tokenUsage", "a", R"("output_tokens":1)")),
            R"({"output":1,"total":1})");
  EXPECT_TRUE(value("tokenUsage", "a").is_null());
  EXPECT_EQ(value("artifactHash", "a", R"("artifact_sha256":"ab12")"), "sha256:ab12");
  EXPECT_EQ(value("userId", "a", R"("user_id":"u")"), "u");
  EXPECT_EQ(value("action", "deploy.done"), "deploy.done");
}

TEST(PaperkitFields, SayHowItEnded) {
  EXPECT_EQ(value("status", "agent_run", R"("agent_id":"a","outcome":"partial")"), "partial");
  EXPECT_EQ(value("status", "agent_run", R"("agent_id":"a","outcome":"completed")"), "success");
  EXPECT_EQ(value("status", "agent_run", R"("agent_id":"a","outcome":"odd")"), "odd");
  EXPECT_EQ(value("status", "deploy.completed", R"("outcome":"cached")"), "success");
  EXPECT_EQ(value("status", "deploy_failed", R"("outcome":"oom")"), "failure");
  EXPECT_EQ(value("status", "tool_denied", R"("tool_id":"t","reason":"r")"), "denied");
  EXPECT_TRUE(value("status", "a").is_null());
}

TEST(PaperkitFields, FindFieldsAndAttributesInEitherCase) {
  EXPECT_EQ(value("agentVersion", "a", R"("agent_version":"1.0.0")"), "1.0.0");
  EXPECT_EQ(value("pipelineId", "a"), "flights");
  EXPECT_EQ(value("wordCount", "a", R"("attributes":{"word_count":1250})"), 1250);
  EXPECT_EQ(value("wordCount", "a", R"("attributes":{"wordCount":7,"word_count":8})"), 7);
  EXPECT_TRUE(value("wordCount", "a").is_null());
}

// Sums of what an event says must not be what C++ leaves undefined.
TEST(PaperkitFields, LeaveOutATotalThatDoesNotFit) {
  EXPECT_EQ(json::to_text(value("tokenUsage", "a",
                                R"("input_tokens":9223372036854775807,"output_tokens":1)")),
            R"({"input":9223372036854775807,"output":1})");
}

}  // namespace
}  // namespace weir::record
