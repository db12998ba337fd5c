#include "weir/event_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "embed/recorded_store.h"
#include "weir/hooks.h"

namespace weir::embed {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::Recording;

/// What hooks did, from any thread.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  /// Notes its name and the event's topic.
  HookFunction hook(std::string name) {
    return [this, name = std::move(name)](const Event& event, const StopToken&) {
      add(name + " " + std::string(event.topic));
      return Status();
    };
  }
  Print print() {
    return [this](std::string_view text) {
      add(std::string(text));
      return Status();
    };
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

class EmbeddedBus : public testing::Test {
 protected:
  /// Records a run in which one node fails, and waits for the hooks.
  void record_failing_run() {
    Recording it;
    ASSERT_TRUE(it.recorder.add_sink(bus_.sink()));
    it.run.pipeline_started({{"a", "b"}, {"b"}, 2});
    it.run.start_node({"a"}).completed();
    it.run.start_node({"b"}).failed("ValueError", "no column x");
    it.run.pipeline_failed("ValueError", "no column x");
  }  // the recorder's end drains the bus

  Notes notes_;
  std::vector<HookProblem> problems_;
  std::mutex mutex_;
  EventBus bus_{{.on_problem = [this](const HookProblem& problem) {
    const std::lock_guard lock(mutex_);
    problems_.push_back(problem);
  }}};
};

TEST_F(EmbeddedBus, CallsHooksInOrderOfPriority) {
  for (const auto& [name, priority] :
       {std::pair("low", HookPriority::kLow), std::pair("medium", HookPriority::kMedium),
        std::pair("critical", HookPriority::kCritical), std::pair("high", HookPriority::kHigh)}) {
    ASSERT_TRUE(bus_.add({.name = name,
                          .topics = {"pipeline.failed"},
                          .call = notes_.hook(name),
                          .priority = priority}));
  }
  record_failing_run();
  EXPECT_THAT(notes_.all(), ElementsAre("critical pipeline.failed", "high pipeline.failed",
                                        "medium pipeline.failed", "low pipeline.failed"));
  EXPECT_EQ(bus_.list()[0].name, "critical");
  EXPECT_EQ(bus_.list()[0].calls, 1U);
}

TEST_F(EmbeddedBus, KeepsWhatOneHookDoesFromTheOthers) {
  ASSERT_TRUE(bus_.add({"fails", {"stage.#"}, [](const Event&, const StopToken&) {
                          return Status(StatusCode::kIo, "no luck");
                        }}));
  ASSERT_TRUE(bus_.add({"throws", {"stage.b.failed"}, [](const Event&, const StopToken&) -> Status {
                          throw std::runtime_error("no manners");
                        }}));
  ASSERT_TRUE(bus_.add({"works", {"stage.*.failed"}, notes_.hook("works")}));
  record_failing_run();
  EXPECT_THAT(notes_.all(), ElementsAre("works stage.b.failed"));
  ASSERT_EQ(problems_.size(), 5U);
  EXPECT_EQ(problems_.back().kind, HookProblem::Kind::kException);
  EXPECT_EQ(problems_.back().hook, "throws");
  EXPECT_THAT(problems_.back().message, HasSubstr("no manners"));
}

TEST_F(EmbeddedBus, GoesOnWithoutAHookWhoseTimeIsOver) {
  ASSERT_TRUE(bus_.add({.name = "slow",
                        .topics = {"pipeline.failed"},
                        .call =
                            [this](const Event&, const StopToken& stop) {
                              while (!stop.stop_requested()) std::this_thread::yield();
                              notes_.add("stopped");
                              return Status();
                            },
                        .timeout = milliseconds(20)}));
  record_failing_run();
  EXPECT_GE(bus_.list()[0].timeouts, 1U);
  while (notes_.all().empty()) std::this_thread::yield();
  EXPECT_THAT(notes_.all(), ElementsAre("stopped"));
  ASSERT_FALSE(problems_.empty());
  EXPECT_EQ(problems_[0].kind, HookProblem::Kind::kTimeout);
}

TEST_F(EmbeddedBus, EnablesDisablesAndClears) {
  ASSERT_TRUE(bus_.add({.name = "later",
                        .topics = {"pipeline.failed"},
                        .call = notes_.hook("later"),
                        .mode = HookMode::kAsynchronous}));
  EXPECT_EQ(bus_.add({"later", {"#"}, notes_.hook("x")}).code(), StatusCode::kConflict);
  EXPECT_EQ(bus_.add({"none", {"#"}, nullptr}).code(), StatusCode::kInvalidInput);
  EXPECT_EQ(bus_.add({"wrong", {"a.#.b"}, notes_.hook("x")}).code(), StatusCode::kInvalidInput);
  EXPECT_EQ(bus_.disable("who").code(), StatusCode::kNotFound);
  ASSERT_TRUE(bus_.disable("later"));
  record_failing_run();
  EXPECT_TRUE(notes_.all().empty());
  ASSERT_TRUE(bus_.enable("later"));
  record_failing_run();
  EXPECT_THAT(notes_.all(), ElementsAre("later pipeline.failed"));
  bus_.clear();
  EXPECT_TRUE(bus_.list().empty());
}

TEST_F(EmbeddedBus, PublishesWhatAProgramGivesIt) {
  ASSERT_TRUE(bus_.add({"any", {"#"}, notes_.hook("any")}));
  ASSERT_TRUE(bus_.publish(
      {.line = R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":"custom.deploy",)"
               R"("level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)"
               R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":1})"}));
  EXPECT_TRUE(bus_.drain(milliseconds(5000)));
  EXPECT_THAT(notes_.all(), ElementsAre("any custom.deploy"));
  EXPECT_EQ(bus_.publish({.line = "deploy"}).code(), StatusCode::kInvalidInput);
}

TEST_F(EmbeddedBus, HasTheBuiltInHooks) {
  const testing_support::RecordedStore folder;
  std::filesystem::create_directories(folder.folder);
  for (const auto* name : {"1.jsonl", "2.jsonl", "3.jsonl"}) std::ofstream(folder.folder / name);
  const auto seen = folder.folder / "seen";
  ASSERT_TRUE(bus_.add(run_summary_hook(notes_.print())));
  for (auto hook :
       {failure_alert_hook(notes_.print(), 1),
        log_rotation_hook({.folder = folder.folder, .keep = 1}),
        command_hook({.name = "command",
                      .topics = {"pipeline.failed"},
                      .command = {"sh", "-c", "printf %s \"$WEIR_TOPIC\" > " + seen.string()}}),
        webhook({.name = "post", .topics = {"pipeline.failed"}, .url = "http://host/x"},
                [this](const std::string& url, std::string_view body, const HttpHeaders& headers,
                       const StopToken&) {
                  notes_.add(url + " " + headers[1].second + " " +
                             std::to_string(body.find("pipeline_failed") != body.npos));
                  return Status();
                })}) {
    ASSERT_TRUE(hook) << hook.status().message();
    ASSERT_TRUE(bus_.add(*std::move(hook)));
  }
  record_failing_run();
  EXPECT_THAT(notes_.all(),
              testing::UnorderedElementsAre(HasSubstr("Pipeline Execution Summary"),
                                            HasSubstr("ALERT: Pipeline 'p' had 1 failed nodes!"),
                                            "http://host/x pipeline.failed 1"));
  std::string topic;
  std::ifstream(seen) >> topic;
  EXPECT_EQ(topic, "pipeline.failed");
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.folder)) {
    left += entry.path().extension() == ".jsonl" ? 1 : 0;
  }
  EXPECT_EQ(left, 1U);
}

TEST_F(EmbeddedBus, RefusesBuiltInHooksThatMakeNoSense) {
  EXPECT_EQ(failure_alert_hook({}, 0).status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(log_rotation_hook({.folder = "a", .pattern = "a/b"}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_EQ(command_hook({.name = "c", .topics = {"a"}}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_EQ(webhook({.name = "w", .topics = {"a"}, .url = "http://a"}, nullptr).status().code(),
            StatusCode::kInvalidInput);
}

}  // namespace
}  // namespace weir::embed
