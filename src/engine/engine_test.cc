#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/troubled_files.h"
#include "engine/run_place.h"
#include "engine/wide_events.h"
#include "event/topic.h"
#include "pipeline/validate.h"
#include "store/history.h"
#include "store/verify.h"

namespace weir::engine {
namespace {

using event::Field;
using pipeline::RunOutcome;
using testing::ElementsAre;

/// A recorded event, as far as the tests look at it.
struct Seen {
  std::string type;
  std::string pipeline_id;
  std::string run_id;
  std::string node_id;
  std::string level;
  std::string topic;
  std::map<std::string, std::string> members;  // as JSON or plain text
};

record::RunFields some_run() {
  return {.run_id = RunId::make(system_clock().now()),
          .pipeline_type = "external",
          .pipeline_id = "some",
          .pipeline_version = "1",
          .trace_id = TraceId::make()};
}

/// Plugin `a`, `b`: their tool `t1` adds the plugin's name to the payload, as a key.
class EngineTest : public testing::Test {
 protected:
  EngineTest()
      : store_(*log::StoreDirectory::create(
            testing::TempDir() + "engine-" + std::to_string(random_bits()), files_)),
        artifacts_(store_.artifacts()) {
    for (const std::string plugin : {"a", "b"}) {
      add(plugin, "t1", [plugin](const tool::Call& call) {
        auto output = call.payload;
        output.set(plugin, "t1");
        return output;
      });
    }
  }

  void add(const std::string& plugin, const std::string& tool,
           tool::FunctionTool::Function function) {
    tools_.add(std::make_unique<tool::FunctionTool>(plugin, tool, std::move(function)));
  }

  Result<RunReport> run(const std::string& json, json::Object payload = {}, int jobs = 2,
                        std::stop_token stop = {}) {
    const auto file = pipeline::read_definition(*json::parse(json));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    for (const auto& problem : pipeline::validate(file.definition, tools_))
      ADD_FAILURE() << problem.message;
    record::Recorder recorder(store_, {.clock = clock_});
    recorder_ = &recorder;
    Engine engine(recorder, artifacts_, tools_);
    return engine.run({.definition = file.definition,
                       .definition_text = json,
                       .folder = ".",
                       .payload = std::move(payload),
                       .jobs = jobs,
                       .stop = std::move(stop),
                       .on_update = {}});
  }

  std::vector<Seen> events() {
    wide_ = {};
    std::vector<Seen> seen;
    const auto read = store::read_all(store_, [&](const event::EventView& event) -> Result<void> {
      Seen one{.type = std::string(event.type_name()),
               .pipeline_id = std::string(event.text(Field::kPipelineId)),
               .run_id = std::string(event.text(Field::kRunId)),
               .node_id = std::string(event.text(Field::kNodeId)),
               .level = std::string(event.text(Field::kLevel))};
      for (const auto& field : event::fields()) {
        if (event.has(field.field)) one.members[std::string(field.name)] = event.text(field.field);
      }
      one.topic = event::topic_of(event);
      wide_.apply(event);
      seen.push_back(std::move(one));
      return {};
    });
    EXPECT_TRUE(read && read->bad.empty());
    return seen;
  }

  std::vector<std::string> types() {
    std::vector<std::string> types;
    for (const auto& event : events()) types.push_back(event.type);
    return types;
  }

  Seen only(const std::string& type) {
    Seen found;
    int count = 0;
    for (const auto& event : events()) {
      if (event.type == type) found = event, ++count;
    }
    EXPECT_EQ(count, 1) << type;
    return found;
  }

  TroubledFiles files_;
  const log::StoreDirectory store_;
  const artifact::ArtifactStore artifacts_;
  tool::Registry tools_;
  record::Recorder* recorder_ = nullptr;  // of the run that goes on
  const Clock* clock_ = &system_clock();
  project::PipelineWide wide_;  // made of the events that were read last
};

constexpr const char* kTwoNodes = R"({
  "id": "p_obs", "name": "obs",
  "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"}, {"id": "n2", "plugin_id": "b", "tool_id": "t1"}],
  "edges": [{"from_node": "n1", "to_node": "n2"}],
  "entry_nodes": ["n1"], "output_nodes": ["n2"]})";

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
  const auto report = run(R"({
    "id": "p", "name": "p",
    "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"}, {"id": "n2", "plugin_id": "b", "tool_id": "t1"}],
    "edges": [], "entry_nodes": ["n1", "n2"], "output_nodes": ["n2"]})");
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

/// Two nodes at once: `wait` until it is stopped, `fail` or whatever `other` is; `after` needs
/// both.
constexpr const char* kWaitAndFail = R"({
  "id": "p", "name": "p",
  "nodes": [{"id": "wait", "plugin_id": "x", "tool_id": "wait"}, {"id": "fail", "plugin_id": "x", "tool_id": "fail"},
            {"id": "after", "plugin_id": "a", "tool_id": "t1"}],
  "edges": [{"from_node": "wait", "to_node": "after"}, {"from_node": "fail", "to_node": "after"}],
  "entry_nodes": ["wait", "fail"], "output_nodes": ["after"]})";

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

/// Stands still, so that what the engine saw and what the events say is one time.
class StillClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return now_; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }

 private:
  const Timestamp now_ = system_clock().now();
};

TEST_F(EngineTest, RecordsWideEventsThatTheLogWouldGive) {
  const StillClock clock;
  clock_ = &clock;
  add("b", "t1", [](const tool::Call&) -> json::Object { throw std::runtime_error("boom"); });
  auto definition = std::string(kTwoNodes);
  definition.insert(1, R"("wide_events": true,)");
  ASSERT_TRUE(run(definition));

  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "pipeline_node_completed",
                          "node_wide", "pipeline_node_started", "pipeline_node_failed", "node_wide",
                          "pipeline_failed", "pipeline_wide"));
  const auto seen = events();
  for (const auto& event : seen) {
    if (event.type == "node_wide") {
      EXPECT_EQ(event.topic, "stage.wide");
      EXPECT_EQ(event.members.at("attributes"),
                json::to_text(project::fields_of(wide_.nodes.at(event.node_id)).attributes));
    }
  }
  const auto& good = seen[3].members;
  const auto& bad = seen[6].members;
  EXPECT_EQ(good.at("output_keys"), R"(["a"])");
  EXPECT_EQ(bad.at("error_message"), "boom");
  EXPECT_EQ(bad.at("span_id"), seen[5].members.at("span_id"));
  EXPECT_EQ(bad.at("trace_id"), seen[5].members.at("trace_id"));
  const auto pipeline = only("pipeline_wide");
  EXPECT_EQ(pipeline.topic, "pipeline.wide");
  EXPECT_EQ(pipeline.members.at("attributes"), json::to_text(project::fields_of(wide_).attributes));
  EXPECT_THAT(pipeline.members.at("attributes"),
              testing::HasSubstr(R"("stage_counts":{"completed":1,"failed":1})"));
  EXPECT_EQ(pipeline.members.at("pipeline_name"), "obs");
  EXPECT_EQ(pipeline.members.at("failed_node_id"), "n2");
}

TEST_F(EngineTest, RecordsTheWideEventsThatAreWanted) {
  const auto wide_types = [&](const std::string& wanted) {
    auto definition = std::string(kTwoNodes);
    definition.insert(1, R"("wide_events": )" + wanted + ",");
    EXPECT_TRUE(run(definition));
    std::vector<std::string> wide;
    for (const auto& type : types()) {
      if (type.ends_with("_wide")) wide.push_back(type);
    }
    return wide;
  };
  EXPECT_THAT(wide_types("false"), testing::IsEmpty());
  EXPECT_THAT(wide_types(R"({"run": true})"), ElementsAre("pipeline_wide"));
  EXPECT_THAT(wide_types(R"({"nodes": true})"),
              testing::UnorderedElementsAre("pipeline_wide", "node_wide", "node_wide"));
}

TEST_F(EngineTest, RecordsAWideEventOfACancelledNode) {
  std::stop_source stop;
  add("x", "wait", [&](const tool::Call& call) -> json::Object {
    stop.request_stop();
    while (!call.stop.stop_requested()) std::this_thread::yield();
    throw std::runtime_error("stopped");
  });
  add("x", "fail", [](const tool::Call&) { return json::Object(); });
  auto definition = std::string(kWaitAndFail);
  definition.insert(1, R"("wide_events": true,)");
  ASSERT_TRUE(run(definition, {}, 1, stop.get_token()));
  EXPECT_THAT(only("node_wide").members.at("attributes"),
              testing::StartsWith(R"({"status":"cancelled")"));
  EXPECT_THAT(only("pipeline_wide").members.at("attributes"),
              testing::HasSubstr(R"("stage_counts":{"cancelled":1})"));
}

TEST_F(EngineTest, EmitsWideEventsDirectlyWithWhatTheCallerAdds) {
  {
    record::Recorder recorder(store_);
    const auto recorded = *recorder.begin(some_run());
    json::Object extra;
    extra.set("shard", 7);
    emit_node_wide(*recorded, {.node_id = "n", .status = "retry"}, extra);
    emit_pipeline_wide(*recorded, {.pipeline_name = "P", .status = "completed"}, extra);
  }
  EXPECT_EQ(only("node_wide").members.at("attributes"),
            R"({"status":"retry","started_at":null,"ended_at":null,"extra":{"shard":7}})");
  EXPECT_EQ(only("pipeline_wide").members.at("attributes"),
            R"({"status":"completed","started_at":null,"ended_at":null,"stage_counts":{},)"
            R"("stage_details":[],"extra":{"shard":7}})");
}

/// As a caller may have it: in a trace that was not sampled, with other systems' members.
record::TraceContext caller_context() {
  auto context = record::TraceContext::start().child_span();
  context.flags = record::kRandomTraceIdFlag;
  context.tracestate = *record::Tracestate::parse("other=1,weir=old");
  context.ids.request_id = "r-1";
  context.ids.run_id = RunId::make(system_clock().now()).text();
  context.ids.extra["execution_mode"] = "practice";
  return context;
}

TEST_F(EngineTest, GoesOnWithTheTraceOfItsCaller) {
  record::TraceContext inside;
  tool::Environment environment;
  add("a", "t1", [&](const tool::Call& call) {
    inside = record::TraceContext::capture();
    environment = call.environment();
    return json::Object();
  });
  const auto caller = caller_context();
  const auto scope = caller.activate();
  const auto report =
      run(R"({"id": "p", "name": "p", "nodes": [{"id": "n", "plugin_id": "a", "tool_id": "t1"}]})");

  const auto text = [](SpanId id) {
    const auto hex = id.text();
    return std::string(hex.data(), hex.size());
  };
  const auto started = only("pipeline_started"), node = only("pipeline_node_started");
  EXPECT_EQ(started.members.at("trace_id"), caller.trace_id.text());
  EXPECT_EQ(started.members.at("parent_span_id"), text(caller.span_id));
  EXPECT_EQ(started.members.at("parent_run_id"), caller.ids.run_id);
  EXPECT_EQ(node.members.at("parent_span_id"), started.members.at("span_id"));
  EXPECT_EQ(node.members.at("execution_mode"), "practice");
  EXPECT_EQ(only("pipeline_completed").members.at("span_id"), started.members.at("span_id"));

  EXPECT_EQ(text(inside.span_id), node.members.at("span_id"));
  EXPECT_EQ(inside.ids.run_id, report->run_id.text());
  EXPECT_EQ(inside.ids.request_id, "r-1");
  EXPECT_EQ(inside.ids.step_id, "n");
  EXPECT_EQ(inside.tracestate.text(), "weir=" + report->run_id.text() + ",other=1");
  const std::map<std::string, std::string> variables(environment.begin(), environment.end());
  EXPECT_EQ(variables.at("TRACEPARENT"),
            "00-" + caller.trace_id.text() + "-" + node.members.at("span_id") + "-03");
  EXPECT_EQ(variables.at("TRACESTATE"), inside.tracestate.text());
  EXPECT_EQ(variables.at("WEIR_RUN_ID"), report->run_id.text());
  EXPECT_EQ(variables.at("WEIR_REQUEST_ID"), "r-1");
  EXPECT_EQ(record::TraceContext::capture(), caller);  // only while the node works
}

TEST(RunPlace, SaysWhoseTheRunIs) {
  const auto caller = caller_context();
  const auto scope = caller.activate();
  const auto run = RunId::make(system_clock().now());
  const auto place = place_of_run(run, system_clock().now(), "store");
  EXPECT_EQ(place.parent_run_id, caller.ids.run_id);
  const auto correlation = correlation_of(place);
  EXPECT_EQ(correlation.request_id, "r-1");
  EXPECT_EQ(correlation.run_id, "");
}

TEST(RunPlace, BeginsATraceWhereThereIsNone) {
  record::TraceContext caller;
  caller.ids.session_id = "s";
  const auto scope = caller.activate();
  const auto place = place_of_run(RunId::make(system_clock().now()), system_clock().now(), {});
  EXPECT_TRUE(place.context.has_trace());
  EXPECT_EQ(place.context.parent_span_id, SpanId());
  EXPECT_EQ(place.context.flags, record::kSampledFlag | record::kRandomTraceIdFlag);
  EXPECT_EQ(place.context.ids.session_id, "s");
  EXPECT_EQ(place.parent_run_id, "");
}

// The standard's limits: 32 members, of which the last goes.
TEST(RunPlace, KeepsTheTracestateWithinItsLimits) {
  auto caller = caller_context();
  std::string members;
  for (int i = 0; i < 32; ++i) members += "k" + std::to_string(i) + "=v,";
  caller.tracestate = *record::Tracestate::parse(members);
  const auto scope = caller.activate();
  const auto run = RunId::make(system_clock().now());
  const auto place = place_of_run(run, system_clock().now(), {});
  EXPECT_EQ(place.context.tracestate.members().size(), 32U);
  EXPECT_EQ(place.context.tracestate.members()[0].value, run.text());
  EXPECT_EQ(place.context.tracestate.find("k31"), nullptr);
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
