#include "engine/run_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_testing.h"
#include "record/context_carrier.h"

namespace weir::engine {
namespace {

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

class RunTraceTest : public EngineTest {};

TEST_F(RunTraceTest, GoesOnWithTheTraceOfItsCaller) {
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

TEST_F(RunTraceTest, SaysTheContextOfItsCallerInAttributes) {
  auto context = record::TraceContext::start();
  context.ids.interaction_id = "chat-3";
  context.ids.workflow_name = "write-paper";
  context.ids.extra = {{"customer_id", "c9"}, {"execution_mode", "practice"}};
  context.ids.previous_steps = {{.step_id = "outline", .run_id = "run-0", .completed_at = {}}};
  const auto scope = context.activate();
  ASSERT_TRUE(run(kTwoNodes));
  EXPECT_EQ(only("pipeline_started").members.at("attributes"),
            R"({"interaction_id":"chat-3","customer_id":"c9","workflow_name":"write-paper",)"
            R"("previous_steps":[{"step_id":"outline","run_id":"run-0"}]})");
}

}  // namespace
}  // namespace weir::engine
