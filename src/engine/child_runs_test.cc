#include "engine/child_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "engine/child_runs_testing.h"
#include "engine/metrics_interceptor.h"
#include "record/context.h"

namespace weir::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const json::Object& object) { return json::to_text(json::Value(object)); }

class NestedRuns : public ChildRunsTest {
 protected:
  NestedRuns() {
    add("x", "params", [](const tool::Call& call) {
      json::Object output;
      output.set("given", call.with);
      output.set("seen", call.payload.find("day") != nullptr);
      return output;
    });
    add("x", "fail", [](const tool::Call&) -> json::Object { throw std::runtime_error("no"); });
    add("x", "wait", [this](const tool::Call& call) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any stopped;
      if (on_wait_) on_wait_();
      stopped.wait(lock, call.stop, [] { return false; });
      return json::Object();
    });
  }
  /// The events of a type, by run.
  std::vector<Seen> all(const std::string& type) {
    std::vector<Seen> found;
    for (auto& event : events()) {
      if (event.type == type) found.push_back(std::move(event));
    }
    return found;
  }
  /// The only one of the type in the run of that pipeline.
  Seen only_of(const std::string& pipeline_id, const std::string& type) {
    auto found = all(type);
    std::erase_if(found, [&](const auto& event) { return event.pipeline_id != pipeline_id; });
    EXPECT_EQ(found.size(), 1U) << type << " of " << pipeline_id;
    return found.empty() ? Seen{} : found[0];
  }
  /// Of what was asked, in the order in which it was decided: "ID accepted".
  std::vector<std::string> decisions() {
    std::vector<std::pair<std::string, std::string>> by_time;
    for (const auto& event : events()) {
      if (!event.type.starts_with("signal_") || event.type == "signal_requested") continue;
      by_time.emplace_back(event.members.at("timestamp"),
                           event.members.at("signal_id") + " " + event.type.substr(7));
    }
    std::ranges::sort(by_time);
    std::vector<std::string> found;
    for (auto& [time, decision] : by_time) found.push_back(std::move(decision));
    return found;
  }
  void expect_consistent() {
    for (const auto& [id, state] : states_of(lines())) {
      if (!pipelines_.contains(state.pipeline_id)) continue;  // the process's own
      EXPECT_FALSE(state.is_inconsistent()) << id << ": " << state.forbidden[0].why;
      EXPECT_TRUE(state.is_finished()) << id;
    }
  }
  /// The events of a pipeline's run.
  std::vector<std::string> moves_of(const std::string& pipeline_id) {
    std::vector<std::string> moves;
    for (const auto& event : events()) {
      if (event.pipeline_id == pipeline_id && event.type.starts_with("pipeline_"))
        moves.push_back(event.type);
    }
    return moves;
  }
  /// A pipeline whose one node runs the next: "p1" … up to `depth`, whose node is `last`.
  void chain(int depth, const std::string& last) {
    for (int i = 1; i < depth; ++i) {
      pipeline(R"({"id": "p)" + std::to_string(i) + R"(", "nodes": [{"id": "n", "pipeline": "p)" +
               std::to_string(i + 1) + R"("}]})");
    }
    pipeline(R"({"id": "p)" + std::to_string(depth) + R"(", "nodes": [)" + last + "]}");
  }

  std::function<void()> on_wait_;
};

TEST_F(NestedRuns, AreRunsOfTheirOwnInTheirParentsTrace) {
  pipeline(R"({"id": "q", "nodes": [{"id": "inner", "plugin_id": "a", "tool_id": "t1"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"}]})");
  record::TraceContext context = record::TraceContext::start();
  context.ids.request_id = "r-1";
  Result<RunReport> report = fail(ErrorCode::kCancelled, "");
  {
    const record::ContextScope scope(context);
    report = run_pipeline("p");
  }
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(text_of(report->result), R"({"a":"t1"})");

  const auto starts = all("pipeline_started");
  ASSERT_EQ(starts.size(), 2U);
  const auto& parent = starts[0].members;
  const auto& child = starts[1].members;
  EXPECT_EQ(child.at("parent_run_id"), parent.at("run_id"));
  EXPECT_EQ(child.at("trace_id"), parent.at("trace_id"));
  EXPECT_EQ(child.at("request_id"), "r-1");
  EXPECT_THAT(child.at("attributes"), HasSubstr(R"("depth":1)"));
  const auto node = all("pipeline_node_started")[0].members;
  EXPECT_EQ(child.at("parent_span_id"), node.at("span_id"));
  EXPECT_EQ(node.at("plugin_id") + "." + node.at("tool_id"), "pipeline.q");

  const auto spawned = only("pipeline_child_spawned").members;
  EXPECT_EQ(spawned.at("target_run_id"), child.at("run_id"));
  EXPECT_EQ(spawned.at("node_id"), "n");
  const auto completed = only("pipeline_child_completed").members;
  EXPECT_EQ(completed.at("target_run_id"), child.at("run_id"));
  EXPECT_TRUE(completed.contains("duration_ms"));
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_child_spawned",
                          "pipeline_started", "pipeline_node_started", "pipeline_node_completed",
                          "pipeline_completed", "pipeline_child_completed",
                          "pipeline_node_completed", "pipeline_completed"));
  expect_consistent();
}

TEST_F(NestedRuns, GetTheNodesInputAndItsWithAsParameters) {
  pipeline(R"json({"id": "q", "params": {"region": {}, "n": {"type": "integer", "default": 7}},
    "nodes": [{"id": "inner", "plugin_id": "x", "tool_id": "params",
               "with": {"region": "${params.region}", "n": "${params.n}"}}]})json");
  pipeline(R"json({"id": "p", "nodes": [
    {"id": "n", "pipeline": "q", "with": {"region": "${input.where}"}}]})json");
  json::Object payload;
  payload.set("where", "north");
  payload.set("day", 1);
  const auto report = run_pipeline("p", payload, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(text_of(report->result),
            R"({"where":"north","day":1,"given":{"region":"north","n":7},"seen":true})");
}

TEST_F(NestedRuns, FailTheirNodeAndSayWhere) {
  chain(3, R"({"id": "bad", "plugin_id": "x", "tool_id": "fail"})");
  const auto report = run_pipeline("p1");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failure.type, "ChildRunFailed");
  const auto starts = all("pipeline_started");
  EXPECT_EQ(report->failure.message,
            "run " + starts[1].run_id + " of pipeline 'p2' failed at node 'n': run " +
                starts[2].run_id + " of pipeline 'p3' failed at node 'bad': no");
  const auto failed = all("pipeline_child_failed");
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].members.at("target_run_id"), starts[2].run_id);
  EXPECT_EQ(failed[0].members.at("error_type"), "ChildRunFailed");
  expect_consistent();
}

TEST_F(NestedRuns, AreBegunAnewByARetry) {
  std::atomic<int> calls = 0;
  add("x", "second", [&](const tool::Call&) -> json::Object {
    if (++calls == 1) throw std::runtime_error("not yet");
    return {};
  });
  pipeline(R"({"id": "q", "nodes": [{"id": "i", "plugin_id": "x", "tool_id": "second"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q",
               "retry": {"max_attempts": 2, "delay": "1ms"}}]})");
  const auto report = run_pipeline("p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  const auto spawned = all("pipeline_child_spawned");
  ASSERT_EQ(spawned.size(), 2U);
  EXPECT_NE(spawned[0].members.at("target_run_id"), spawned[1].members.at("target_run_id"));
  EXPECT_EQ(spawned[1].members.at("attempt"), "2");
  expect_consistent();
}

TEST_F(NestedRuns, AreNotTriedAgainWhenTheyFailedForGood) {
  add("x", "wrong", [](const tool::Call&) -> json::Object { throw std::invalid_argument("no"); });
  pipeline(R"({"id": "q", "nodes": [{"id": "i", "plugin_id": "x", "tool_id": "wrong"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q",
               "retry": {"max_attempts": 3, "delay": "1ms"}}]})");
  ASSERT_TRUE(run_pipeline("p"));
  EXPECT_EQ(all("pipeline_child_spawned").size(), 1U);
}

TEST_F(NestedRuns, AreAtMostFiveDeep) {
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "p",
               "retry": {"max_attempts": 2, "delay": "1ms"}}]})");
  const auto report = run_pipeline("p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_THAT(report->failure.message, HasSubstr("would be a run inside 6 others, the limit is 5"));
  EXPECT_EQ(all("pipeline_started").size(), 6U) << "no level is tried again";
  EXPECT_EQ(all("pipeline_node_failed")[0].members.at("error_type"), "MaxDepthExceeded");
  expect_consistent();

  chain(6, R"({"id": "n", "plugin_id": "a", "tool_id": "t1"})");
  EXPECT_EQ(run_pipeline("p1")->outcome, pipeline::RunOutcome::kCompleted);
}

TEST_F(NestedRuns, AreCancelledBeforeTheirParents) {
  chain(3, R"({"id": "w", "plugin_id": "x", "tool_id": "wait"})");
  std::stop_source stop;
  on_wait_ = [&] { stop.request_stop(); };
  const auto report = run_pipeline("p1", {}, {.stop = stop.get_token()});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  std::vector<std::string> ended;
  for (const auto& event : all("pipeline_cancelled")) ended.push_back(event.pipeline_id);
  EXPECT_THAT(ended, ElementsAre("p3", "p2", "p1"));
  EXPECT_THAT(all("pipeline_child_failed")[0].members.at("error_type"), "ChildRunCancelled");
  expect_consistent();
}

// The innermost node asks for it; another one of the outermost run lets all go on.
TEST_F(NestedRuns, ArePausedWithTheRunAroundThem) {
  add_pauser_and_resumer();
  chain(3, R"({"id": "pauser", "plugin_id": "x", "tool_id": "pause"},
              {"id": "next", "plugin_id": "a", "tool_id": "t1", "needs": ["pauser"]})");
  pipeline(R"({"id": "p1", "nodes": [{"id": "n", "pipeline": "p2"},
               {"id": "resumer", "plugin_id": "x", "tool_id": "resume"}]})");
  const auto report = run_pipeline("p1", {}, {.jobs = 3, .is_asked = true});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  for (const auto* type : {"pipeline_paused", "pipeline_resumed"}) {
    std::vector<std::string> runs;
    for (const auto& event : all(type)) runs.push_back(event.pipeline_id);
    EXPECT_THAT(runs, ElementsAre("p1", "p2", "p3")) << type;
  }
  const auto inner = all("pipeline_paused")[2].members;
  EXPECT_EQ(inner.at("reason"), "the run around it is paused");
  EXPECT_EQ(inner.at("signal_id"), "s-pause");
  EXPECT_THAT(moves_of("p3"),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_paused",
                          "pipeline_node_completed", "pipeline_resumed", "pipeline_node_started",
                          "pipeline_node_completed", "pipeline_completed"));
  expect_consistent();
}

TEST_F(NestedRuns, ThatBeginInAPausedRunArePaused) {
  add("x", "resume", [this](const tool::Call& call) {
    await("pipeline_paused", "", 2);
    ask_root(call, "resume");
    return json::Object();
  });
  on_find_ = [this](const std::string&) {  // the node has begun, and its run has not
    await("pipeline_node_started", "resumer");
    ask(*RunId::parse(all("pipeline_started")[0].run_id), "pause");
  };
  pipeline(R"({"id": "q", "nodes": [{"id": "i", "plugin_id": "a", "tool_id": "t1"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "resumer", "plugin_id": "x", "tool_id": "resume"}]})");
  ASSERT_TRUE(run_pipeline("p", {}, {.jobs = 2, .is_asked = true}));
  EXPECT_THAT(moves_of("q"), ElementsAre("pipeline_started", "pipeline_paused", "pipeline_resumed",
                                         "pipeline_node_started", "pipeline_node_completed",
                                         "pipeline_completed"));
  expect_consistent();
}

// A pause of its own and one that came down to it are two reasons: each is lifted where it was
// given.
TEST_F(NestedRuns, ThatArePausedByThemselvesGoOnByThemselves) {
  add("x", "hold", [this](const tool::Call& call) {  // of the run inside
    ask(*RunId::parse(call.run_id), "pause", "own");
    return json::Object();
  });
  add("x", "drive", [this](const tool::Call& call) {  // of the run around
    await("pipeline_node_completed", "hold");
    const auto outer = *RunId::parse(call.run_id);
    const auto inner = engine_->child_runs().children_of(outer).at(0).run_id;
    ask(outer, "pause", "outer");
    ask(outer, "resume", "outer-again");
    ask(inner, "resume", "own-again");
    return json::Object();
  });
  pipeline(R"({"id": "q", "nodes": [{"id": "hold", "plugin_id": "x", "tool_id": "hold"},
               {"id": "next", "plugin_id": "a", "tool_id": "t1", "needs": ["hold"]}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "drive", "plugin_id": "x", "tool_id": "drive"}]})");
  ASSERT_TRUE(run_pipeline("p", {}, {.jobs = 2, .is_asked = true}));
  EXPECT_THAT(decisions(), ElementsAre("own accepted", "outer accepted", "outer-again accepted",
                                       "own-again accepted"));
  EXPECT_EQ(only_of("q", "pipeline_paused").members.at("signal_id"), "own");
  EXPECT_EQ(only_of("q", "pipeline_resumed").members.at("signal_id"), "own-again");
  expect_consistent();
}

TEST_F(NestedRuns, ThatArePausedWithTheRunAroundThemGoOnWithIt) {
  add("x", "drive", [this](const tool::Call& call) {
    await("pipeline_node_started", "slow");
    const auto outer = *RunId::parse(call.run_id);
    const auto inner = engine_->child_runs().children_of(outer).at(0).run_id;
    ask(outer, "pause", "outer");
    ask(inner, "resume", "too-early");
    ask(inner, "pause", "own");
    ask(outer, "resume", "outer-again");
    ask(outer, "pause", "outer-twice");
    ask(inner, "resume", "own-again");
    ask(outer, "resume", "last");
    return json::Object();
  });
  add("x", "slow", [this](const tool::Call&) {
    await("pipeline_node_completed", "drive");
    return json::Object();
  });
  pipeline(R"({"id": "q", "nodes": [{"id": "slow", "plugin_id": "x", "tool_id": "slow"},
               {"id": "next", "plugin_id": "a", "tool_id": "t1", "needs": ["slow"]}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"},
               {"id": "drive", "plugin_id": "x", "tool_id": "drive"}]})");
  ASSERT_TRUE(run_pipeline("p", {}, {.jobs = 2, .is_asked = true}));
  EXPECT_THAT(decisions(), ElementsAre("outer accepted", "too-early rejected", "own accepted",
                                       "outer-again accepted", "outer-twice accepted",
                                       "own-again accepted", "last accepted"));
  EXPECT_EQ(only_of("q", "pipeline_paused").members.at("signal_id"), "outer");
  EXPECT_EQ(only_of("q", "pipeline_resumed").members.at("signal_id"), "last");
  expect_consistent();
}

// A process that is killed while it still waits for the tool leaves nothing open.
TEST_F(NestedRuns, EndAtOnceWithTheRunAroundThemAndBeforeIt) {
  add("x", "deaf", [this](const tool::Call&) {
    await("pipeline_cancelled", "", 3);
    return json::Object();
  });
  add("x", "stop", [this](const tool::Call& call) {
    await("pipeline_node_started", "deaf");
    EXPECT_TRUE(feed_->ask({.run = *RunId::parse(call.run_id),
                            .signal_id = "stop",
                            .type = "emergency-stop",
                            .reason = "it hangs"},
                           artifacts_));
    return json::Object();
  });
  chain(3, R"({"id": "deaf", "plugin_id": "x", "tool_id": "deaf"})");
  pipeline(R"({"id": "p1", "nodes": [{"id": "n", "pipeline": "p2"},
               {"id": "stopper", "plugin_id": "x", "tool_id": "stop"}]})");
  const auto report = run_pipeline("p1", {}, {.jobs = 2, .is_asked = true});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  std::vector<std::string> ended;
  for (const auto& event : all("pipeline_cancelled")) ended.push_back(event.pipeline_id);
  EXPECT_THAT(ended, ElementsAre("p3", "p2", "p1"));
  EXPECT_EQ(all("pipeline_child_failed").size(), 2U);
  EXPECT_EQ(all("alert_fired").size(), 1U) << "of what was asked";
  for (const auto& [id, state] : states_of(lines())) {
    for (const auto& child : state.children) EXPECT_EQ(child.state, project::State::kFailed);
  }
  expect_consistent();
}

TEST_F(NestedRuns, AreCancelledWhenTheirNodeTakesTooLong) {
  pipeline(R"({"id": "q", "nodes": [{"id": "w", "plugin_id": "x", "tool_id": "wait"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q", "timeout": "20ms"}]})");
  const auto report = run_pipeline("p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "TIMEOUT");
  EXPECT_EQ(only("pipeline_cancelled").pipeline_id, "q");
  expect_consistent();
}

TEST_F(NestedRuns, HaveTheInterceptorsOfTheirParentAroundTheirTools) {
  pipeline(R"({"id": "q", "nodes": [{"id": "inner", "plugin_id": "a", "tool_id": "t1"}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"}]})");
  MetricsInterceptor metrics;
  ASSERT_TRUE(run_pipeline("p", {}, {.interceptors = {&metrics}}));
  const auto stages = metrics.stages();
  ASSERT_EQ(stages.size(), 1U) << "the node that runs the pipeline has no tool";
  EXPECT_EQ(stages.at("inner").ended.at("completed"), 1U);
}

TEST_F(NestedRuns, MayHaveStreamsWhateverTheJobs) {
  add("s", "write", [](const tool::Call& call) {
    for (int i = 0; i < 100; ++i) static_cast<void>(call.stream_out()->put("x"));
    return json::Object();
  });
  add("s", "read", [](const tool::Call& call) {
    json::Object output;
    std::int64_t chunks = 0;
    while (true) {
      const auto chunk = call.stream_in()->get();
      if (!chunk || !*chunk) break;
      ++chunks;
    }
    output.set("chunks", chunks);
    return output;
  });
  pipeline(R"({"id": "q", "nodes": [{"id": "w", "plugin_id": "s", "tool_id": "write"},
                                    {"id": "r", "plugin_id": "s", "tool_id": "read"}],
               "edges": [{"from_node": "w", "to_node": "r", "stream": {"capacity": 4}}]})");
  pipeline(R"({"id": "p", "nodes": [{"id": "n", "pipeline": "q"}]})");
  const auto report = run_pipeline("p", {}, {.jobs = 1});
  ASSERT_TRUE(report);
  EXPECT_EQ(text_of(report->result), R"({"chunks":100})");
  expect_consistent();
}

TEST_F(NestedRuns, OfUnknownPipelinesAndWrongParametersFailForGood) {
  pipeline(R"({"id": "q", "params": {"n": {"type": "integer"}},
               "nodes": [{"id": "i", "plugin_id": "a", "tool_id": "t1"}]})");
  pipeline(
      R"json({"id": "p", "nodes": [{"id": "n", "pipeline": "q", "with": {"n": "${input.n}"}}]})json");
  pipeline(R"({"id": "r", "nodes": [{"id": "n", "pipeline": "nowhere"}]})");
  json::Object payload;
  payload.set("n", "three");
  const auto wrong = run_pipeline("p", payload, {});
  EXPECT_EQ(wrong->failure.type, "InvalidParams");
  EXPECT_THAT(wrong->failure.message, HasSubstr("parameter 'n' is a string, its type is integer"));
  EXPECT_EQ(run_pipeline("r")->failure.type, "PipelineNotFound");
  pipeline(R"({"id": "t", "nodes": [{"id": "n", "pipeline": "invalid"}]})");
  const auto invalid = run_pipeline("t");
  EXPECT_EQ(invalid->failure.type, "InvalidPipeline");
  EXPECT_THAT(invalid->failure.message, HasSubstr("it has no nodes"));
  EXPECT_EQ(all("pipeline_child_spawned").size(), 0U);
  EXPECT_EQ(run(R"({"id": "s", "nodes": [{"id": "n", "pipeline": "q"}]})")->failure.type,
            "PipelineNotFound");
}

// However many levels there are, no more tools run at a time than `jobs`, and no run waits for ever
// for what only its own child could give.
TEST_F(NestedRuns, ShareTheJobsOfTheRunAroundThem) {
  std::atomic<int> running = 0, most = 0, calls = 0;
  add("x", "count", [&](const tool::Call&) {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    ++calls;
    --running;
    return json::Object();
  });
  const std::string four = R"({"id": "a", "N}, {"id": "b", "N}, {"id": "c", "N}, {"id": "d", "N})";
  const auto nodes = [&](const std::string& what) {
    auto text = four;
    for (auto at = text.find("\"N"); at != std::string::npos; at = text.find("\"N", at)) {
      text.replace(at, 2, what);
    }
    return text;
  };
  pipeline(R"({"id": "r", "nodes": [)" + nodes(R"("plugin_id": "x", "tool_id": "count")") + "]}");
  pipeline(R"({"id": "q", "nodes": [)" + nodes(R"("pipeline": "r")") + "]}");
  pipeline(R"({"id": "p", "nodes": [)" + nodes(R"("pipeline": "q")") + "]}");
  for (const int jobs : {1, 3}) {
    most = 0, calls = 0;
    const auto report = run_pipeline("p", {}, {.jobs = jobs});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
    EXPECT_EQ(calls, 64);
    EXPECT_LE(most, jobs);
  }
  expect_consistent();
}

TEST_F(NestedRuns, AreTrackedWhileTheyRun) {
  std::string seen;
  add("x", "look", [&](const tool::Call& call) {
    auto& tracker = engine_->child_runs();
    const auto own = *RunId::parse(call.run_id);
    const auto root = tracker.root_of(own);
    for (const auto& run : tracker.descendants_of(root)) {
      seen += run.node_id + ":" + run.pipeline_id + " ";
    }
    EXPECT_EQ(tracker.metrics().max_depth_seen, 2);
    EXPECT_EQ(tracker.metrics().active_children, 2);
    EXPECT_EQ(*tracker.report(own).find("is_child_run"), json::Value(true));
    return json::Object();
  });
  add("x", "after", [&](const tool::Call&) {
    EXPECT_EQ(engine_->child_runs().metrics(), (ChildRunMetrics{.registration_count = 2,
                                                                .unregistration_count = 2,
                                                                .tree_traversal_count = 2,
                                                                .cleanup_count = 2,
                                                                .max_concurrent_children = 1,
                                                                .max_depth_seen = 2}));
    return json::Object();
  });
  chain(3, R"({"id": "l", "plugin_id": "x", "tool_id": "look"})");
  pipeline(R"({"id": "p1", "nodes": [{"id": "n", "pipeline": "p2"},
               {"id": "z", "plugin_id": "x", "tool_id": "after", "needs": ["n"]}]})");
  EXPECT_EQ(run_pipeline("p1")->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(seen, "n:p2 n:p3 ");
}

}  // namespace
}  // namespace weir::engine
