#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "engine/engine_testing.h"
#include "store/verify.h"

namespace weir::engine {
namespace {

using pipeline::RunOutcome;
using testing::ElementsAre;

// The two tests of the observability contract of ForgeSyte's DAG pipelines.

TEST_F(EngineTest, EmitsPipelineAndNodeEventsOnSuccess) {
  const auto report = run(kTwoNodes, *json::parse(R"({"x":1})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(*report->result.find("x"), json::Value(1));
  EXPECT_EQ(*report->result.find("b"), json::Value("t1"));

  const auto seen = types();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "pipeline_started"), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "pipeline_completed"), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "pipeline_node_started"), 2);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "pipeline_node_completed"), 2);

  std::set<std::string> pipeline_ids, run_ids;
  for (const auto& event : events()) {
    pipeline_ids.insert(event.pipeline_id);
    run_ids.insert(event.run_id);
  }
  EXPECT_THAT(pipeline_ids, ElementsAre("p_obs"));
  EXPECT_THAT(run_ids, ElementsAre(report->run_id.text()));
}

TEST_F(EngineTest, EmitsFailureEvents) {
  add("b", "t1", [](const tool::Call&) -> json::Object { throw std::runtime_error("boom"); });
  const auto report = run(kTwoNodes, *json::parse(R"({"x":1})")->object());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, RunOutcome::kFailed);
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_node_completed",
                          "pipeline_node_started", "pipeline_node_failed", "pipeline_failed"));
  EXPECT_TRUE(report->result.empty());  // no partial results
  const auto node = only("pipeline_node_failed"), pipeline = only("pipeline_failed");
  EXPECT_EQ(node.level, "ERROR");
  EXPECT_EQ(pipeline.level, "ERROR");
  EXPECT_EQ(node.members.at("error_type"), "std::runtime_error");
  EXPECT_EQ(node.members.at("error_message"), "boom");
  EXPECT_EQ(pipeline.members.at("failed_node_id"), "n2");
  EXPECT_EQ(pipeline.members.at("error_message"), "boom");
}

TEST_F(EngineTest, SaysEveryFieldOfTheSixEvents) {
  ASSERT_TRUE(run(kTwoNodes));
  const auto started = only("pipeline_started");
  EXPECT_EQ(started.members.at("entry_nodes"), R"(["n1"])");
  EXPECT_EQ(started.members.at("output_nodes"), R"(["n2"])");
  EXPECT_EQ(started.members.at("node_count"), "2");
  EXPECT_EQ(started.members.at("pipeline_type"), "dag");
  for (const auto& event : events()) {
    if (event.node_id != "n2") continue;
    EXPECT_EQ(event.members.at("plugin_id"), "b");
    EXPECT_EQ(event.members.at("tool_id"), "t1");
    EXPECT_EQ(event.members.at("step_index"), "1");
    if (event.type == "pipeline_node_started") {
      EXPECT_EQ(event.members.at("predecessor_node_ids"), R"(["n1"])");
    } else {
      EXPECT_EQ(event.members.at("output_keys"), R"(["a","b"])");
      EXPECT_GE(std::stod(event.members.at("duration_ms")), 0);
    }
  }
  const auto completed = only("pipeline_completed");
  EXPECT_EQ(completed.members.at("node_count"), "2");
  EXPECT_EQ(completed.members.at("output_node_ids"), R"(["n2"])");
}

TEST_F(EngineTest, MergesPredecessorsInTheOrderOfTheEdgesAndTheLastWins) {
  for (const std::string value : {"1", "2"}) {
    add("set", value, [value](const tool::Call&) {
      return *json::parse(R"({"k":)" + value + R"(,"only)" + value + R"(":true})")->object();
    });
  }
  json::Object seen;
  add("see", "input", [&](const tool::Call& call) { return seen = call.payload; });
  const auto report = run(R"({
    "id": "p", "name": "p",
    "nodes": [{"id": "one", "plugin_id": "set", "tool_id": "1"}, {"id": "two", "plugin_id": "set", "tool_id": "2"},
              {"id": "join", "plugin_id": "see", "tool_id": "input"}],
    "edges": [{"from_node": "two", "to_node": "join"}, {"from_node": "one", "to_node": "join"}],
    "entry_nodes": ["one", "two"], "output_nodes": ["join", "two"]})",
                          *json::parse(R"({"k":0,"initial":true})")->object());
  EXPECT_EQ(json::to_text(seen), R"({"k":1,"initial":true,"only2":true,"only1":true})");
  EXPECT_EQ(json::to_text(report->result), R"({"k":2,"initial":true,"only2":true,"only1":true})");
  EXPECT_EQ(only("pipeline_started").members.at("input_sha256"),
            sha256(R"({"k":0,"initial":true})").text());
}

TEST_F(EngineTest, GivesTheInitialPayloadAndTheOutputNodesOnly) {
  add("b", "t1", [](const tool::Call&) {
    json::Object output;
    output.set("b", "t1");
    return output;
  });
  const auto report = run(R"({
    "id": "p", "name": "p",
    "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"}, {"id": "n2", "plugin_id": "b", "tool_id": "t1"}],
    "edges": [{"from_node": "n1", "to_node": "n2"}], "entry_nodes": ["n1"], "output_nodes": ["n2"]})");
  EXPECT_EQ(json::to_text(report->result), R"({"b":"t1"})");
  EXPECT_EQ(json::to_text(*report->outputs[0]), R"({"a":"t1"})");
}

TEST_F(EngineTest, RunsIndependentNodesAtTheSameTime) {
  std::atomic<int> here{0};
  add("meet", "other", [&](const tool::Call&) {
    ++here;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (here < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    if (here < 2) throw std::runtime_error("alone");
    return json::Object();
  });
  const auto report = run(R"({
    "id": "p", "name": "p",
    "nodes": [{"id": "x", "plugin_id": "meet", "tool_id": "other"}, {"id": "y", "plugin_id": "meet", "tool_id": "other"}],
    "edges": [], "entry_nodes": ["x", "y"], "output_nodes": ["x", "y"]})");
  EXPECT_EQ(report->outcome, RunOutcome::kCompleted);
}

TEST_F(EngineTest, CancelsRunningNodesAndLeavesPendingOnesAloneWhenOneFails) {
  std::atomic<bool> waiting{false};
  add("x", "wait", [&](const tool::Call& call) -> json::Object {
    waiting = true;
    while (!call.stop.stop_requested()) std::this_thread::yield();
    throw std::runtime_error("stopped");
  });
  add("x", "fail", [&](const tool::Call&) -> json::Object {
    while (!waiting) std::this_thread::yield();
    throw std::logic_error("bad");
  });
  const auto report = run(kWaitAndFail);
  EXPECT_EQ(report->outcome, RunOutcome::kFailed);
  EXPECT_EQ(report->failed_node_id, "fail");
  EXPECT_EQ(only("pipeline_node_cancelled").node_id, "wait");
  EXPECT_EQ(only("pipeline_node_failed").node_id, "fail");
  EXPECT_EQ(types().back(), "pipeline_failed");
  for (const auto& event : events()) EXPECT_NE(event.node_id, "after");
}

TEST_F(EngineTest, CancelsTheRunOnRequest) {
  std::stop_source stop;
  add("x", "wait", [&](const tool::Call& call) -> json::Object {
    stop.request_stop();
    while (!call.stop.stop_requested()) std::this_thread::yield();
    throw std::runtime_error("stopped");
  });
  add("x", "fail", [](const tool::Call&) { return json::Object(); });
  const auto report = run(kWaitAndFail, {}, 1, stop.get_token());
  EXPECT_EQ(report->outcome, RunOutcome::kCancelled);
  EXPECT_EQ(types().back(), "pipeline_cancelled");
  EXPECT_EQ(only("pipeline_node_cancelled").node_id, "wait");
}

TEST_F(EngineTest, KeepsLargeOutputsAsArtifacts) {
  add("a", "t1", [](const tool::Call&) {
    json::Object output;
    output.set("k", std::string(10'000, 'x'));
    return output;
  });
  ASSERT_TRUE(run(
      R"({"id": "p", "name": "p", "nodes": [{"id": "n", "plugin_id": "a", "tool_id": "t1"}]})"));
  auto completed = only("pipeline_node_completed");
  EXPECT_FALSE(completed.members.contains("output"));
  const auto hash = Sha256::parse(completed.members.at("output_sha256"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(artifacts_.get(*hash, 1 << 20), R"({"k":")" + std::string(10'000, 'x') + R"("})");
}

TEST_F(EngineTest, FailsANodeWhoseOutputIsTooLargeAndNamesIt) {
  add("a", "t1", [](const tool::Call&) {
    json::Object output;
    output.set("k", std::string(tool::kMaxPayloadBytes, 'x'));
    return output;
  });
  const auto report = run(
      R"({"id": "p", "name": "p", "nodes": [{"id": "big", "plugin_id": "a", "tool_id": "t1"}]})");
  EXPECT_EQ(report->outcome, RunOutcome::kFailed);
  EXPECT_EQ(report->failure.type, "OutputTooLarge");
  EXPECT_THAT(report->failure.message, testing::HasSubstr("'big'"));
}

TEST_F(EngineTest, KeepsOutputsWithSecretsOutOfTheLog) {
  const std::string secret = "correct-horse-battery-staple";
  add("a", "t1", [&](const tool::Call&) {
    json::Object output;
    output.set("password", secret);
    return output;
  });
  const auto report =
      run(R"({"id": "p", "name": "p", "nodes": [{"id": "n", "plugin_id": "a", "tool_id": "t1"}]})");
  ASSERT_TRUE(report);
  const auto text = R"({"password":")" + secret + R"("})";
  EXPECT_EQ(json::to_text(report->result), text);  // what is printed is what the tool gave
  for (const auto& event : events()) {
    for (const auto& [name, value] : event.members) {
      EXPECT_THAT(value, testing::Not(testing::HasSubstr(secret))) << name;
    }
  }
  const auto completed = only("pipeline_node_completed");
  EXPECT_FALSE(completed.members.contains("output"));
  EXPECT_EQ(completed.members.at("output_keys"), R"(["password"])");
  const auto hash = Sha256::parse(completed.members.at("output_sha256"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(artifacts_.get(*hash, 1 << 20), text);
}

TEST_F(EngineTest, AsksTheRedactorThatItWasGiven) {
  event::RedactionPolicy policy;
  policy.keys.push_back({.name = "ours", .key = "harmless"});
  const auto redactor = *event::Redactor::make(policy);
  EXPECT_FALSE(may_stand_in_event(R"({"harmless":"x"})", redactor));
  EXPECT_TRUE(may_stand_in_event(R"({"harmless":"x"})", default_redactor()));
  EXPECT_FALSE(may_stand_in_event(R"({"mail":"ada@example.org"})", default_redactor()));
  EXPECT_FALSE(may_stand_in_event(std::string(kMaxInlineOutput + 1, 'x'), default_redactor()));
}

TEST_F(EngineTest, KeepsLogLinesThatAreNotUtf8) {
  add("a", "t1", [](const tool::Call& call) {
    call.log({.message = "a\xff", .logger = "stderr"});
    return json::Object();
  });
  ASSERT_TRUE(run(
      R"({"id": "p", "name": "p", "nodes": [{"id": "n", "plugin_id": "a", "tool_id": "t1"}]})"));
  auto log = only("log");
  EXPECT_EQ(log.members.at("message"), "a\uFFFD");
  EXPECT_EQ(log.members.at("attributes"), R"({"message_base64":"Yf8="})");
}

TEST_F(EngineTest, RecordsARefusalAsOneEventWithoutAFailedNode) {
  record::Recorder recorder(store_);
  Engine engine(recorder, artifacts_, tools_);
  const auto file = pipeline::read_definition(*json::parse(R"({"id": "p", "name": "p"})"));
  ASSERT_TRUE(
      engine.record_refusal(file.definition, "ValidationError", "the pipeline has no 'nodes'"));
  const auto event = only("pipeline_failed");
  EXPECT_EQ(types().size(), 1U);
  EXPECT_EQ(event.members.at("run_seq"), "1");
  EXPECT_FALSE(event.members.contains("failed_node_id"));
}

// Graphs of all shapes on several threads: what was recorded is complete and in order.
TEST_F(EngineTest, RecordsWideAndDeepPipelinesWholly) {
  std::string nodes, edges;
  constexpr int kNodes = 300;
  for (int i = 0; i < kNodes; ++i) {
    nodes += (i > 0 ? "," : "") +
             (R"({"id":"n)" + std::to_string(i) + R"(","plugin_id":"a","tool_id":"t1"})");
    for (const int before : {i / 2, i - 7}) {
      if (before < 0 || before == i || (before == i / 2 && before == i - 7)) continue;
      edges += (edges.empty() ? "" : ",") + (R"({"from_node":"n)" + std::to_string(before) +
                                             R"(","to_node":"n)" + std::to_string(i) + "\"}");
    }
  }
  const auto report =
      run(R"({"id":"p","name":"p","nodes":[)" + nodes + R"(],"edges":[)" + edges + "]}", {}, 4);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, RunOutcome::kCompleted);
  const auto verification = store::verify(store_);
  EXPECT_THAT(verification->problems, testing::IsEmpty());
  EXPECT_EQ(verification->read.events, 2U + 2U * kNodes);
  std::set<std::string> completed;
  for (const auto& event : events()) {
    if (event.type == "pipeline_node_completed") completed.insert(event.node_id);
    if (event.type != "pipeline_node_started") continue;
    const auto predecessors = json::parse(event.members.at("predecessor_node_ids"));
    for (const auto& before : *predecessors->array()) {
      EXPECT_TRUE(completed.contains(*before.string())) << event.node_id;
    }
  }
}

class ThreadsEngineTest : public EngineTest {};

TEST_F(ThreadsEngineTest, RunsManyNodesOnManyThreads) {
  std::string nodes;
  for (int i = 0; i < 200; ++i) {
    nodes += (i > 0 ? "," : "") +
             (R"({"id":"n)" + std::to_string(i) + R"(","plugin_id":"a","tool_id":"t1"})");
  }
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(run(R"({"id":"p","name":"p","nodes":[)" + nodes + "]}", {}, 8));
  }
  EXPECT_EQ(events().size(), 5U * 402U);
}

/// 80 nodes, most with several predecessors whose outputs share keys; some run for each item of a
/// list, some fail at first, some are not wanted.
std::string tangle() {
  std::minstd_rand random(7);
  std::string nodes;
  for (int i = 0; i < 80; ++i) {
    std::string needs;
    for (int j = std::max(0, i - 12); j < i; ++j) {
      if (random() % 4 == 0) needs += (needs.empty() ? "\"n" : ",\"n") + std::to_string(j) + "\"";
    }
    const bool is_flaky = i % 7 == 3;
    nodes += (i > 0 ? "," : "") + (R"({"id":"n)" + std::to_string(i)) +
             R"(","plugin_id":"x","tool_id":")" + (is_flaky ? "flaky" : "mix") + R"(","needs":[)" +
             needs + "]";
    if (is_flaky) nodes += R"(,"retry":{"max_attempts":2,"delay":"1ms"})";
    if (i % 9 == 4) nodes += R"(,"for_each":"${input.list}")";
    if (i % 11 == 5) nodes += R"(,"when":"${input.list} == 1")";
    nodes += "}";
  }
  return R"({"id":"p","nodes":[)" + nodes + "]}";
}

TEST_F(ThreadsEngineTest, GivesTheSameStepsInputsAndResultWhateverTheJobs) {
  std::mutex mutex;
  std::map<std::string, std::string> inputs;
  const auto mix = [&](const tool::Call& call) {
    const auto text = json::to_text(call.payload);
    const std::lock_guard lock(mutex);
    inputs.emplace(call.node_id, text);
    json::Object output;
    output.set("last", std::string(call.node_id));
    output.set("key" + std::to_string(text.size() % 5), std::string(call.node_id));
    return output;
  };
  add("x", "mix", mix);
  add("x", "flaky", [&](const tool::Call& call) {
    {
      const std::lock_guard lock(mutex);
      const bool is_first = inputs.emplace(call.node_id, json::to_text(call.payload)).second;
      if (is_first) throw std::runtime_error("not yet");
    }
    return mix(call);
  });
  std::set<std::map<std::string, std::string>> all_inputs;
  std::set<std::map<std::string, std::string>> all_steps;
  std::set<std::string> results;
  std::size_t seen = 0;
  for (const int jobs : {1, 2, 3, 8, 16}) {
    inputs.clear();
    const auto report = run(tangle(), *json::parse(R"({"list":[3,1,2]})")->object(), jobs);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->outcome, RunOutcome::kCompleted) << report->failure.message;
    std::map<std::string, std::string> steps;
    const auto all = events();
    for (; seen < all.size(); ++seen) {
      if (all[seen].type != "pipeline_node_started") continue;
      steps[all[seen].node_id] = all[seen].members.at("step_index");
    }
    all_steps.insert(std::move(steps));
    all_inputs.insert(inputs);
    results.insert(json::to_text(report->result));
  }
  EXPECT_EQ(all_steps.size(), 1U);
  EXPECT_EQ(all_inputs.size(), 1U);
  EXPECT_EQ(results.size(), 1U) << *results.begin() << *results.rbegin();
  EXPECT_GT(all_inputs.begin()->size(), 80U);  // the items, and not what was not wanted
}

TEST_F(ThreadsEngineTest, CancelsWhileNodesStartAndEnd) {
  std::string nodes;
  for (int i = 0; i < 200; ++i) {
    nodes += (i > 0 ? "," : "") +
             (R"({"id":"n)" + std::to_string(i) + R"(","plugin_id":"a","tool_id":"t1"})");
  }
  for (int round = 0; round < 5; ++round) {
    std::stop_source stop;
    std::jthread canceller([&] { stop.request_stop(); });
    const auto report =
        run(R"({"id":"p","name":"p","nodes":[)" + nodes + "]}", {}, 4, stop.get_token());
    ASSERT_TRUE(report);
    EXPECT_NE(report->outcome, RunOutcome::kFailed);
  }
  EXPECT_THAT(store::verify(store_)->problems, testing::IsEmpty());
}

/// A node that fills the disk and does not end before the run is told of it, and one after it.
std::string fills_the_disk(const std::string& on_log_failure) {
  return R"({"id":"p",)" + on_log_failure + R"(
    "nodes":[{"id":"x","plugin_id":"disk","tool_id":"fill"},
             {"id":"y","plugin_id":"a","tool_id":"t1"}],
    "edges":[{"from_node":"x","to_node":"y"}],"entry_nodes":["x"],"output_nodes":["y"]})";
}

TEST_F(EngineTest, StopsARunThatCannotBeRecordedAnyMore) {
  std::atomic<bool> was_stopped = false;
  add("disk", "fill", [&](const tool::Call& call) {
    files_.full = true;
    call.log({.message = "the disk is full now", .logger = ""});
    for (int i = 0; i < 10'000 && !call.stop.stop_requested(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    was_stopped = call.stop.stop_requested();
    return call.payload;
  });
  const auto report = run(fills_the_disk(""));
  EXPECT_TRUE(was_stopped);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(report.error().message, testing::HasSubstr("the run cannot be recorded"));
  files_.full = false;
  EXPECT_TRUE(store::verify(store_)->problems.empty());
}

TEST_F(EngineTest, GoesOnWithoutARecordWhenTheDefinitionSaysSo) {
  add("disk", "fill", [&](const tool::Call& call) {
    const auto probe = *recorder_->begin(some_run());
    files_.full = true;
    call.log({.message = "the disk is full now", .logger = ""});
    // Runs are told in the order in which they began.
    while (!probe->lost().stop_requested()) std::this_thread::yield();
    EXPECT_FALSE(call.stop.stop_requested());
    return call.payload;
  });
  const auto report = run(fills_the_disk(R"("on_log_failure":"continue",)"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->outcome, RunOutcome::kCompleted);
  EXPECT_EQ(json::to_text(report->result), R"({"a":"t1"})");
  ASSERT_TRUE(report->record_error);
  EXPECT_EQ(report->record_error->code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace weir::engine
