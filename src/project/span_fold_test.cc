#include <gmock/gmock.h>

#include "project/event_feed_testing.h"
#include "project/span_folds.h"

namespace weir::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using testing_support::EventFeed;

constexpr std::string_view kTrace = R"("trace_id":"0123456789abcdef0123456789abcdef")";

/// Events that are 10 ms apart, the first at 0.
class SpanFoldTest : public testing::Test {
 protected:
  SpanFoldTest() { feed_.step = std::chrono::milliseconds(10); }

  static std::string in_span(std::string_view span_id,
                             std::string_view parent = "00000000000000a0") {
    return std::string(kTrace) + R"(,"span_id":")" + std::string(span_id) +
           R"(","parent_span_id":")" + std::string(parent) + "\"";
  }
  void start_run() {
    feed_.start_run(std::string(kTrace) + R"(,"span_id":"00000000000000a0","adapter":"local")");
  }
  void finish() {
    folds_.finish([this](Span&& span) { spans_.push_back(std::move(span)); });
  }
  const Span& named(std::string_view name) const {
    for (const auto& span : spans_) {
      if (span.name == name) return span;
    }
    ADD_FAILURE() << "no span " << name;
    static const Span kNone;
    return kNone;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& span : spans_) all.push_back(span.name);
    return all;
  }
  static std::string value(const json::Object& object, std::string_view name) {
    const auto* found = object.find(name);
    return found == nullptr             ? ""
           : found->string() != nullptr ? *found->string()
                                        : json::to_text(*found);
  }
  static double ms(const Span& span) {
    return static_cast<double>(span.end_ns - span.start_ns) / 1e6;
  }

  SpanFolds folds_;
  std::vector<Span> spans_;
  EventFeed feed_{[this](const event::EventView& event, std::string_view) {
    folds_.apply(event, [this](Span&& span) { spans_.push_back(std::move(span)); });
  }};
};

TEST_F(SpanFoldTest, GivesTheRunAndItsNodesWithTheNamesOfAllSystems) {
  start_run();                                            // 0
  feed_.start_node("load", in_span("00000000000000b1"));  // 10
  feed_.complete_node("load", 10, in_span("00000000000000b1"));
  feed_.end_run("completed", 30);
  ASSERT_THAT(names(), ElementsAre("stage.load", "RUN p"));
  const auto& node = spans_[0];
  EXPECT_EQ(node.context, (SpanContext{"0123456789abcdef0123456789abcdef", "00000000000000b1"}));
  EXPECT_EQ(node.parent_span_id, "00000000000000a0");
  EXPECT_EQ(node.kind, SpanKind::kInternal);
  EXPECT_EQ(node.status, SpanStatus::kOk);
  EXPECT_EQ(ms(node), 10);
  for (const auto* name : {"pipeline.node_id", "stage.name", "cicd.pipeline.task.name"}) {
    EXPECT_EQ(value(node.attributes, name), "load") << name;
  }
  EXPECT_EQ(value(node.attributes, "plugin.id"), "plug");
  EXPECT_EQ(value(node.attributes, "tool.id"), "tool");
  EXPECT_EQ(value(node.attributes, "step_index"), "0");
  EXPECT_EQ(value(node.attributes, "duration_ms"), "10.0");
  EXPECT_EQ(value(node.attributes, "stage.duration_ms"), "10.0");
  EXPECT_EQ(value(node.attributes, "pipeline.topology"), "p");
  EXPECT_EQ(value(node.attributes, "stage.status"), "completed");
  EXPECT_EQ(value(node.attributes, "cicd.pipeline.task.run.result"), "success");
  const auto& run = spans_[1];
  EXPECT_EQ(run.parent_span_id, "");
  EXPECT_EQ(run.kind, SpanKind::kServer);
  EXPECT_EQ(ms(run), 30);
  for (const auto* name : {"pipeline.id", "planId", "cicd.pipeline.name"}) {
    EXPECT_EQ(value(run.attributes, name), "p") << name;
  }
  EXPECT_EQ(value(run.attributes, "planVersion"), "1");
  EXPECT_EQ(value(run.attributes, "adapter"), "local");
  EXPECT_EQ(value(run.attributes, "engineAttemptId"), "1");
  EXPECT_EQ(value(run.attributes, "cicd.pipeline.result"), "success");
  ASSERT_THAT(run.events, SizeIs(1));
  EXPECT_EQ(run.events[0].name, "step_started");
  EXPECT_EQ(value(run.events[0].attributes, "stepId"), "load");
  EXPECT_EQ(value(run.origin->resource, "service.name"), "p");
}

TEST_F(SpanFoldTest, ANodeThatIsTriedAgainIsASpanAroundItsAttemptsWhichAreLinked) {
  start_run();
  feed_.start_node("load", in_span("00000000000000b1") + R"(,"attempt":1)");
  feed_.fail_node("load", "Timeout", in_span("00000000000000b1") + R"(,"attempt":1)");
  feed_.retry_node("load");
  feed_.start_node("load", in_span("00000000000000b2") + R"(,"attempt":2)");
  feed_.complete_node("load", 10, in_span("00000000000000b2") + R"(,"attempt":2)");
  feed_.end_run("completed", 60);
  ASSERT_THAT(names(),
              ElementsAre("stage.load attempt 1", "stage.load attempt 2", "stage.load", "RUN p"));
  const auto& whole = spans_[2];
  EXPECT_EQ(spans_[0].parent_span_id, whole.context.span_id);
  EXPECT_EQ(spans_[1].parent_span_id, whole.context.span_id);
  EXPECT_EQ(whole.parent_span_id, "00000000000000a0");
  EXPECT_EQ(ms(whole), 40);
  EXPECT_EQ(whole.status, SpanStatus::kOk);
  EXPECT_EQ(spans_[0].status, SpanStatus::kError);
  EXPECT_EQ(value(spans_[0].attributes, "error.type"), "Timeout");
  ASSERT_THAT(spans_[0].events, SizeIs(2));
  EXPECT_EQ(spans_[0].events[0].name, "exception");
  EXPECT_EQ(value(spans_[0].events[0].attributes, "exception.type"), "Timeout");
  EXPECT_EQ(spans_[0].events[1].name, "pipeline_node_retry_scheduled");
  ASSERT_THAT(spans_[1].links, SizeIs(1));
  EXPECT_EQ(spans_[1].links[0].to.span_id, "00000000000000b1");
}

TEST_F(SpanFoldTest, ANodeThatFailedForGoodIsOneSpan) {
  start_run();
  feed_.start_node("load", in_span("00000000000000b1"));
  feed_.fail_node("load", "E", in_span("00000000000000b1"));
  feed_.end_run("failed", 30, "load");
  ASSERT_THAT(names(), ElementsAre("stage.load", "RUN p"));
  EXPECT_EQ(spans_[0].status, SpanStatus::kError);
  EXPECT_EQ(spans_[0].status_message, "m");
  EXPECT_EQ(spans_[1].status, SpanStatus::kError);
  EXPECT_EQ(value(spans_[1].attributes, "error.type"), "E");
  EXPECT_EQ(value(spans_[1].attributes, "cicd.pipeline.result"), "failure");
}

TEST_F(SpanFoldTest, CallsAreWithinTheAttemptAndSpeakOfModelsAsOpenTelemetryDoes) {
  start_run();
  feed_.start_node("ask", in_span("00000000000000b1"));
  const auto call =
      R"("node_id":"ask","call_id":"c1","provider":"acme-ai","operation":"chat","model_id":"m-1")";
  feed_.event("provider_call_started", call);
  feed_.event("provider_call_completed",
              std::string(call) +
                  R"(,"duration_ms":10,"input_tokens":12,"output_tokens":3,"cost_usd":0.5)");
  feed_.event("agent_run",
              R"("node_id":"ask","agent_id":"writer","outcome":"success","duration_ms":5)");
  feed_.complete_node("ask", 40, in_span("00000000000000b1"));
  feed_.end_run("completed", 60);
  ASSERT_THAT(names(), ElementsAre("chat m-1", "invoke_agent writer", "stage.ask", "RUN p"));
  const auto& chat = spans_[0];
  EXPECT_EQ(chat.kind, SpanKind::kClient);
  EXPECT_EQ(chat.parent_span_id, "00000000000000b1");
  EXPECT_THAT(chat.context.span_id, SizeIs(16));
  EXPECT_EQ(value(chat.attributes, "gen_ai.operation.name"), "chat");
  EXPECT_EQ(value(chat.attributes, "gen_ai.provider.name"), "acme-ai");
  EXPECT_EQ(value(chat.attributes, "gen_ai.request.model"), "m-1");
  EXPECT_EQ(value(chat.attributes, "gen_ai.usage.input_tokens"), "12");
  EXPECT_EQ(value(chat.attributes, "gen_ai.usage.output_tokens"), "3");
  EXPECT_EQ(value(spans_[1].attributes, "gen_ai.operation.name"), "invoke_agent");
  EXPECT_EQ(value(spans_[1].attributes, "gen_ai.agent.id"), "writer");
  EXPECT_EQ(ms(spans_[1]), 5);
}

TEST_F(SpanFoldTest, WhatIsOpenIsGivenAtTheEndWithoutOne) {
  start_run();
  feed_.start_node("load", in_span("00000000000000b1"));
  feed_.event("provider_call_started",
              R"("node_id":"load","call_id":"c","provider":"db","operation":"query")");
  EXPECT_THAT(spans_, IsEmpty());
  finish();
  ASSERT_THAT(names(), ElementsAre("query db", "stage.load", "RUN p"));
  for (const auto& span : spans_) EXPECT_TRUE(span.is_open()) << span.name;
}

TEST_F(SpanFoldTest, WhatALostProcessLeftOpenEndsWhenItWasLastHeardOf) {
  start_run();                                            // 0
  feed_.start_node("load", in_span("00000000000000b1"));  // 10
  feed_.event("log", R"("message":"on my way")");         // 20
  feed_.step = std::chrono::milliseconds(100);
  feed_.event("pipeline_resumed", R"("engine_attempt":2,"span_id":"00000000000000a0")");
  feed_.start_node("load", in_span("00000000000000b2") + R"(,"attempt":1,"engine_attempt":2)");
  feed_.complete_node("load", 100,
                      in_span("00000000000000b2") + R"(,"attempt":1,"engine_attempt":2)");
  feed_.end_run("completed", 600);
  ASSERT_THAT(names(), ElementsAre("stage.load", "stage.load", "RUN p"));
  EXPECT_EQ(ms(spans_[0]), 10);
  EXPECT_EQ(value(spans_[0].attributes, "weir.lost"), "true");
  EXPECT_EQ(spans_[0].status, SpanStatus::kError);
  EXPECT_THAT(spans_[1].links, SizeIs(1));
  EXPECT_EQ(value(spans_[2].attributes, "engineAttemptId"), "2");
}

TEST_F(SpanFoldTest, TheSameEventsGiveTheSameIds) {
  const auto play = [this] {
    folds_ = {};
    spans_.clear();
    feed_.seq = 0;
    feed_.start_run();
    feed_.start_node("a");
    feed_.event("tool_started", R"("node_id":"a","tool_id":"t")");
    feed_.event("tool_completed", R"("node_id":"a","tool_id":"t","duration_ms":1)");
    feed_.complete_node("a", 1);
    feed_.end_run("completed");
    std::vector<std::string> ids;
    for (const auto& span : spans_)
      ids.push_back(span.context.trace_id + span.context.span_id + span.parent_span_id);
    return ids;
  };
  const auto first = play();
  EXPECT_EQ(first, play());
  ASSERT_THAT(spans_, SizeIs(3));
  EXPECT_EQ(spans_[0].context.trace_id, "019b8a2f7c0070008000000000000001");
  EXPECT_EQ(spans_[0].parent_span_id, spans_[1].context.span_id);
  EXPECT_EQ(spans_[1].parent_span_id, spans_[2].context.span_id);
}

TEST_F(SpanFoldTest, SpansThatOverlapAreInDifferentLanes) {
  feed_.start_run();
  feed_.start_node("a");
  feed_.start_node("b");
  feed_.complete_node("a", 1);
  feed_.start_node("c");
  feed_.complete_node("b", 1);
  feed_.complete_node("c", 1);
  feed_.end_run("completed");
  std::vector<std::string> lanes;
  for (const auto& span : spans_) lanes.push_back(span.name + " " + std::to_string(span.lane));
  EXPECT_THAT(lanes, ElementsAre("stage.a 1", "stage.b 2", "stage.c 1", "RUN p 0"));
}

TEST_F(SpanFoldTest, ANodeThatIsTriedAgainKeepsItsLane) {
  feed_.start_run();
  feed_.start_node("short");
  feed_.start_node("flaky", R"("attempt":1)");
  feed_.fail_node("flaky", "E", R"("attempt":1)");
  feed_.retry_node("flaky");
  feed_.complete_node("short", 1);
  feed_.start_node("flaky", R"("attempt":2)");
  feed_.start_node("other");
  feed_.complete_node("other", 1);
  feed_.complete_node("flaky", 1, R"("attempt":2)");
  feed_.end_run("completed");
  std::vector<std::string> lanes;
  for (const auto& span : spans_) lanes.push_back(span.name + " " + std::to_string(span.lane));
  EXPECT_THAT(lanes, ElementsAre("stage.short 1", "stage.flaky attempt 1 2", "stage.other 1",
                                 "stage.flaky attempt 2 2", "stage.flaky 2", "RUN p 0"));
}

TEST_F(SpanFoldTest, ARunThatRepeatsAnotherIsLinkedToIt) {
  start_run();
  feed_.end_run("failed");
  feed_.run = 2;
  feed_.seq = 0;
  feed_.start_run(
      R"("trace_id":"1123456789abcdef0123456789abcdef","previous_run_id":"019b8a2f-7c00-7000-8000-000000000001")");
  feed_.end_run("completed");
  ASSERT_THAT(spans_, SizeIs(2));
  ASSERT_THAT(spans_[1].links, SizeIs(1));
  EXPECT_EQ(spans_[1].links[0].to, spans_[0].context);
}

TEST_F(SpanFoldTest, TheRunHasTheFetchedDefinitionAmongItsEvents) {
  feed_.run = 2;
  feed_.pipeline = "weir";
  feed_.pipeline_type = "external";
  feed_.event(
      "pipeline_fetched",
      R"("definition_sha256":"abc","target_run_id":"019b8a2f-7c00-7000-8000-000000000001","attributes":{"size_bytes":125000,"cached":false})");
  feed_.run = 1;
  feed_.pipeline = "p";
  feed_.pipeline_type = "dag";
  feed_.start_run();
  feed_.end_run("completed");
  ASSERT_THAT(names(), ElementsAre("RUN p"));
  ASSERT_THAT(spans_[0].events, SizeIs(1));
  const auto& event = spans_[0].events[0];
  EXPECT_EQ(event.name, "plan_fetched");
  EXPECT_EQ(json::to_text(event.attributes),
            R"({"sha256":"abc","sizeBytes":125000,"cached":false})");
}

TEST_F(SpanFoldTest, SpansOfOtherSystemsAreGivenAsTheyWereSent) {
  feed_.pipeline_type = "external";
  feed_.pipeline = "shop";
  feed_.level = "ERROR";
  feed_.event(
      "span",
      std::string(kTrace) +
          R"(,"span_id":"00000000000000c1","parent_span_id":"00000000000000c0","node_id":"pay","tool_id":"POST /pay","duration_ms":1.000001,"error_message":"no money","event_id":"00000000000000c1-3-1700000000000000001","source":"otlp","attributes":{"http.status":500,"otlp":{"kind":"client","trace_state":"a=b","events":[{"time_unix_nano":"1700000000000000005","name":"e","attributes":{"k":1}}],"links":[{"trace_id":"0123456789abcdef0123456789abcdef","span_id":"00000000000000d0"}],"resource":{"service.name":"shop"},"scope":{"name":"lib","version":"2"}}})");
  ASSERT_THAT(spans_, SizeIs(1));
  const auto& span = spans_[0];
  EXPECT_EQ(span.name, "POST /pay");
  EXPECT_EQ(span.kind, SpanKind::kClient);
  EXPECT_EQ(span.start_ns, 1'700'000'000'000'000'001U);
  EXPECT_EQ(span.end_ns - span.start_ns, 1'000'001U);
  EXPECT_EQ(span.status, SpanStatus::kError);
  EXPECT_EQ(span.status_message, "no money");
  EXPECT_EQ(span.trace_state, "a=b");
  EXPECT_EQ(json::to_text(span.attributes), R"({"http.status":500})");
  ASSERT_THAT(span.events, SizeIs(1));
  EXPECT_EQ(span.events[0].time_ns, 1'700'000'000'000'000'005U);
  ASSERT_THAT(span.links, SizeIs(1));
  EXPECT_EQ(span.origin->scope_name, "lib");
  EXPECT_EQ(json::to_text(span.origin->resource), R"({"service.name":"shop"})");
}

TEST_F(SpanFoldTest, HasNoLinkToARunOfWhichNothingIsKnownButWhatWasFetched) {
  feed_.event("pipeline_fetched",
              R"("definition_sha256":"0","target_run_id":"019b8a2f-7c00-7000-8000-00000000000f")");
  feed_.start_run(
      std::string(kTrace) +
      R"(,"span_id":"00000000000000a0","previous_run_id":"019b8a2f-7c00-7000-8000-00000000000f")");
  feed_.end_run("completed");
  EXPECT_THAT(named("RUN p").links, IsEmpty());
}

TEST_F(SpanFoldTest, ASpanOfAnotherSystemThatHasOnlyBegunIsOpen) {
  feed_.pipeline_type = "external";
  feed_.event(
      "span",
      std::string(kTrace) +
          R"(,"span_id":"00000000000000c1","parent_span_id":"00000000000000c0","node_id":"pay","tool_id":"POST /pay","event_id":"00000000000000c1-3-1700000000000000001-open","source":"otlp","attributes":{"otlp":{"kind":"client"}})");
  ASSERT_THAT(spans_, SizeIs(1));
  EXPECT_EQ(spans_[0].start_ns, 1'700'000'000'000'000'001U);
  EXPECT_TRUE(spans_[0].is_open());
}

TEST_F(SpanFoldTest, WhatProcessesSayOfThemselvesIsNoTrace) {
  feed_.pipeline = "weir";
  feed_.pipeline_type = "external";
  feed_.event("audit", R"("actor_id":"me","operation":"x")");
  finish();
  EXPECT_THAT(spans_, IsEmpty());
}

TEST_F(SpanFoldTest, ASpanHasNoMoreEventsThanOthersReadAndCountsTheRest) {
  feed_.start_run();
  for (int i = 0; i < 200; ++i) feed_.event("notification", R"("message":"x")");
  feed_.end_run("completed");
  EXPECT_THAT(spans_[0].events, SizeIs(kMaxSpanEvents));
  EXPECT_EQ(spans_[0].dropped_events, 200 - kMaxSpanEvents);
}

}  // namespace
}  // namespace weir::project
