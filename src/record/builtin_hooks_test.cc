#include "record/builtin_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <mutex>

#include "base/id.h"

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr auto kSoon = 20s;

/// A line of any type; `more` are its further members, with a comma in front.
std::string hook_line(std::string_view type, std::string_view more = "", int run = 1) {
  return R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + std::string(type) +
         R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"energy","pipeline_version":"1",)" +
         R"("run_id":"019b8a2f-7c00-7000-8000-00000000000)" + std::to_string(run) +
         R"(","run_seq":7)" + std::string(more) + "}";
}

void publish_line(EventBus& bus, const std::string& line) {
  event::Decoder decoder;
  const auto event = decoder.decode(line);
  ASSERT_TRUE(event) << event.error().message;
  bus.publish(**event, line);
}

const auto kNodeFailed = hook_line(
    "pipeline_node_failed", R"(,"node_id":"a.b","plugin_id":"p","tool_id":"t","step_index":0,)"
                            R"("error_type":"E","error_message":"m")");
const auto kNodeCompleted =
    hook_line("pipeline_node_completed", R"(,"node_id":"c","plugin_id":"p","tool_id":"t",)"
                                         R"("step_index":0,"duration_ms":1.5,"output_keys":[])");
const auto kRetry = hook_line("pipeline_node_retry_scheduled",
                              R"(,"node_id":"a.b","attempt":2,"reason":"timeout")");

std::string completed(std::string_view more = "", int run = 1) {
  return hook_line(
      "pipeline_completed",
      R"(,"duration_ms":5000.0,"output_node_ids":[],"node_count":3)" + std::string(more), run);
}
std::string failed(std::string_view more = "", int run = 1) {
  return hook_line("pipeline_failed",
                   R"(,"duration_ms":2.5,"error_type":"E","error_message":"no\tgood",)"
                   R"("failed_node_id":null)" +
                       std::string(more),
                   run);
}

/// A bus with the hooks of a test, and what they printed and what went wrong.
class BuiltinHooks : public testing::Test {
 protected:
  Print print() {
    return [this](std::string_view text) -> Result<void> {
      printed_.append(text);
      return {};
    };
  }
  void add(Result<Hook> hook) {
    ASSERT_TRUE(hook) << hook.error().message;
    ASSERT_TRUE(bus_.add(*std::move(hook)));
  }
  std::vector<std::string> problems() {
    EXPECT_TRUE(bus_.drain(kSoon));
    const std::lock_guard lock(mutex_);
    return problems_;
  }

  std::string printed_;
  std::mutex mutex_;
  std::vector<std::string> problems_;
  EventBus bus_{{.on_problem = [this](const HookProblem& problem) {
    const std::lock_guard lock(mutex_);
    problems_.push_back(problem.message);
  }}};
};

/// ODIBI CORE's text, and our status.
std::string summary(std::string_view lines) {
  const std::string rule = std::string(70, '=') + "\n";
  return "\n" + rule + "Pipeline Execution Summary\n" + rule + std::string(lines) + rule + "\n";
}

std::string alert(std::string_view line) {
  const std::string rule = std::string(70, '!') + "\n";
  return "\n" + rule + std::string(line) + "\n" + rule + "\n";
}

// ODIBI CORE's test_summary_hook.
TEST_F(BuiltinHooks, SummaryHook) {
  add(run_summary_hook(print()));
  publish_line(bus_, completed(R"(,"pipeline_name":"energy_efficiency","success_count":10,)"
                               R"("failed_count":0)"));
  EXPECT_EQ(printed_, summary("Pipeline: energy_efficiency\nStatus: completed\nSuccess: 10\n"
                              "Failed: 0\nDuration: 5000.00ms\n"));
}

// ODIBI CORE's test_alert_hook.
TEST_F(BuiltinHooks, AlertHook) {
  add(failure_alert_hook(print()));
  publish_line(bus_, completed(R"(,"success_count":10,"failed_count":0)"));
  EXPECT_EQ(printed_, "");
  publish_line(bus_, failed(R"(,"success_count":8,"failed_count":2)"));
  EXPECT_EQ(printed_, alert("ALERT: Pipeline 'energy' had 2 failed nodes!"));
}

TEST_F(BuiltinHooks, SummaryIsPrintedForEveryEndOfARunAndNothingElse) {
  add(run_summary_hook(print()));
  publish_line(bus_, hook_line("pipeline_paused"));
  publish_line(bus_, kNodeFailed);
  EXPECT_EQ(printed_, "");
  publish_line(bus_, failed());
  EXPECT_THAT(printed_, HasSubstr("Status: failed\nSuccess: 0\nFailed: 1\nDuration: 2.50ms\n"));
  printed_.clear();
  publish_line(bus_, hook_line("pipeline_cancelled", R"(,"duration_ms":1.0,"reason":"r")"));
  EXPECT_THAT(printed_, HasSubstr("Status: cancelled\n"));
}

TEST_F(BuiltinHooks, CountNodesWhereTheEndDoesNotSayAndRetriesAreNoFailures) {
  add(run_summary_hook(print()));
  publish_line(bus_, kNodeFailed);
  publish_line(bus_, kRetry);
  publish_line(bus_, kNodeCompleted);
  publish_line(bus_, kNodeFailed);
  publish_line(bus_, completed("", 2));  // another run
  EXPECT_THAT(printed_, HasSubstr("Success: 0\nFailed: 0\n"));
  printed_.clear();
  publish_line(bus_, completed());
  EXPECT_THAT(printed_, HasSubstr("Success: 1\nFailed: 1\n"));
  printed_.clear();
  publish_line(bus_, completed());  // the run is forgotten
  EXPECT_THAT(printed_, HasSubstr("Success: 0\nFailed: 0\n"));
}

TEST_F(BuiltinHooks, AlertWaitsForItsThreshold) {
  add(failure_alert_hook(print(), 3));
  publish_line(bus_, failed(R"(,"failed_count":2)"));
  EXPECT_EQ(printed_, "");
  publish_line(bus_, failed(R"(,"failed_count":3)"));
  EXPECT_THAT(printed_, HasSubstr("had 3 failed nodes!"));
  EXPECT_EQ(failure_alert_hook(print(), 0).error().code, ErrorCode::kInvalidInput);
}

TEST_F(BuiltinHooks, AlertTellsOfARunThatFailedWithoutAFailedNode) {
  add(failure_alert_hook(print()));
  publish_line(bus_, failed(R"(,"failed_count":0)"));
  EXPECT_EQ(printed_, alert("ALERT: Pipeline 'energy' failed: no good"));
}

TEST_F(BuiltinHooks, NamesReachTheTerminalWithoutControlCharacters) {
  add(run_summary_hook(print()));
  publish_line(bus_, completed(R"(,"pipeline_name":"a\u001b[2J\nb")"));
  EXPECT_THAT(printed_, HasSubstr("Pipeline: a\\x1b[2J b\n"));
}

/// A folder with files whose ages are their places in the list, the newest first.
std::filesystem::path folder_with(const std::vector<std::string>& names) {
  const std::filesystem::path folder =
      testing::TempDir() + "rotation-" + std::to_string(random_bits());
  std::filesystem::create_directory(folder);
  auto time = std::filesystem::file_time_type::clock::now();
  for (const auto& name : names) {
    std::ofstream(folder / name) << "x";
    std::filesystem::last_write_time(folder / name, time -= 1min);
  }
  return folder;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(BuiltinHooks, RotationKeepsTheNewestFilesThatMatch) {
  const auto folder =
      folder_with({"5.jsonl", "a.txt", "1.jsonl", "4.jsonl", "3.jsonl", "b.txt", ".hidden.jsonl"});
  add(log_rotation_hook({.folder = folder, .keep = 2}));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(names_in(folder),
              ElementsAre(".hidden.jsonl", "1.jsonl", "5.jsonl", "a.txt", "b.txt"));
}

TEST_F(BuiltinHooks, RotationDeletesNothingOutsideItsFolder) {
  namespace fs = std::filesystem;
  const auto outside = folder_with({"kept.jsonl"});
  const auto folder = folder_with({"1.jsonl", "2.jsonl"});
  fs::create_symlink(outside / "kept.jsonl", folder / "link.jsonl");
  fs::create_directory(folder / "folder.jsonl");
  std::ofstream(folder / "folder.jsonl" / "3.jsonl") << "x";
  EXPECT_EQ(rotate_logs({.folder = folder, .pattern = "*", .keep = 1}), 1U);
  EXPECT_THAT(names_in(folder), ElementsAre("1.jsonl", "folder.jsonl", "link.jsonl"));
  EXPECT_THAT(names_in(folder / "folder.jsonl"), ElementsAre("3.jsonl"));
  EXPECT_THAT(names_in(outside), ElementsAre("kept.jsonl"));
  for (const char* pattern : {"../*", "a/b", "/", ""}) {
    EXPECT_EQ(rotate_logs({.folder = folder, .pattern = pattern}).error().code,
              ErrorCode::kInvalidInput);
    EXPECT_FALSE(log_rotation_hook({.folder = folder, .pattern = pattern}));
  }
  EXPECT_FALSE(log_rotation_hook({.folder = folder, .keep = 0}));
}

TEST_F(BuiltinHooks, RotationPatternsAreThoseOfAShell) {
  const auto left_by = [](std::string_view pattern) {
    const auto folder = folder_with({"new", "new.x", "run_1.log", "run_10.log", "log", ".log"});
    EXPECT_TRUE(rotate_logs({.folder = folder, .pattern = std::string(pattern), .keep = 1}));
    return names_in(folder).size();
  };
  EXPECT_EQ(left_by("run_?.log"), 6U);  // one matches, and is kept
  EXPECT_EQ(left_by("run_*.log"), 5U);
  EXPECT_EQ(left_by("*log"), 4U);
  EXPECT_EQ(left_by("*l*g*"), 4U);
  EXPECT_EQ(left_by("*"), 2U);
  EXPECT_EQ(left_by(".*"), 6U);
  EXPECT_EQ(left_by("n*w?x"), 6U);
}

TEST_F(BuiltinHooks, RotationOfAFolderThatIsNotThereDoesNothing) {
  EXPECT_EQ(rotate_logs({.folder = testing::TempDir() + "no-such-folder"}), 0U);
}

std::vector<event::TopicPattern> topics(std::string_view pattern) {
  return {*event::TopicPattern::parse(pattern)};
}

TEST_F(BuiltinHooks, CommandGetsTheLineAndTheTopic) {
  const auto out = folder_with({}) / "out";
  add(command_hook({.name = "c",
                    .topics = topics("pipeline.*"),
                    .command = {"sh", "-c", R"({ cat; echo; echo "$WEIR_TOPIC"; } > "$0")", out}}));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), IsEmpty());
  std::ifstream file(out);
  std::string line, topic;
  std::getline(file, line);
  std::getline(file, topic);
  EXPECT_EQ(line, completed());
  EXPECT_EQ(topic, "pipeline.completed");
}

TEST_F(BuiltinHooks, CommandsExitCodeAndLastWordsAreReported) {
  add(command_hook({.name = "c",
                    .topics = topics("pipeline.*"),
                    .command = {"sh", "-c", "echo sorry >&2; exit 3"}}));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), ElementsAre("hook 'c': 'sh': exit code 3: sorry "));
}

TEST_F(BuiltinHooks, CommandIsKilledAtItsOwnTimeoutWithoutOneOfTheBus) {
  add(command_hook(
      {.name = "c", .topics = topics("#"), .command = {"sleep", "100"}, .timeout = 20ms}));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), ElementsAre("hook 'c': 'sleep': killed after 20 ms"));
  EXPECT_EQ(bus_.list()[0].timeouts, 0U);
}

TEST_F(BuiltinHooks, CommandNeedsAProgram) {
  EXPECT_EQ(command_hook({.name = "c", .topics = topics("#")}).error().code,
            ErrorCode::kInvalidInput);
  add(command_hook({.name = "c", .topics = topics("#"), .command = {"/no/such/program"}}));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("cannot run '/no/such/program'")));
}

TEST_F(BuiltinHooks, WebhookPostsTheLineWithItsHeaders) {
  std::string url, body;
  HttpHeaders headers;
  add(webhook({.name = "w",
               .topics = topics("pipeline.*"),
               .url = "https://example.org/hook",
               .headers = {{"Authorization", "Bearer x"}}},
              [&](const std::string& to, std::string_view what, const HttpHeaders& with,
                  const std::stop_token&) -> Result<void> {
                url = to;
                body = what;
                headers = with;
                return fail(ErrorCode::kUnavailable, "status 503");
              }));
  publish_line(bus_, completed());
  EXPECT_THAT(problems(), ElementsAre("hook 'w': status 503"));
  EXPECT_EQ(url, "https://example.org/hook");
  EXPECT_EQ(body, completed());
  EXPECT_THAT(headers, ElementsAre(Pair("Content-Type", "application/json"),
                                   Pair("Weir-Topic", "pipeline.completed"),
                                   Pair("Authorization", "Bearer x")));
}

TEST_F(BuiltinHooks, WebhookRefusesWhatCannotBeSent) {
  const Post post = [](const std::string&, std::string_view, const HttpHeaders&,
                       const std::stop_token&) -> Result<void> { return {}; };
  const auto error = [&](const std::string& url, HttpHeaders headers = {}) {
    const auto hook = webhook(
        {.name = "w", .topics = topics("#"), .url = url, .headers = std::move(headers)}, post);
    return hook ? std::string("taken") : hook.error().message;
  };
  EXPECT_THAT(error("file:///etc/passwd"), HasSubstr("must begin with https://"));
  EXPECT_THAT(error("https://a\r\nHost: b"), HasSubstr("bad character"));
  EXPECT_THAT(error("https://a", {{"X", "a\r\nHost: b"}}), HasSubstr("header 'X'"));
  EXPECT_EQ(error("https://a"), "taken");
  EXPECT_FALSE(webhook({.name = "w", .topics = topics("#"), .url = "https://a"}, nullptr));
}

}  // namespace
}  // namespace weir::record
