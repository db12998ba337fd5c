#include "weir/correlation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coroutine>
#include <functional>
#include <thread>

#include "embed/recorded_store.h"
#include "weir/coroutine.h"
#include "weir/structured_logger.h"
#include "weir/wide_events.h"

namespace weir::embed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing_support::attribute_of;
using testing_support::Recording;
using testing_support::text_of;

CorrelationIds some_ids() {
  CorrelationIds ids;
  ids.run_id = "run-1";
  ids.request_id = "req-7";
  ids.user_id = "ann";
  ids.interaction_id = "chat-3";
  ids.extra = {{"customer_id", "c9"}};
  ids.workflow_id = "wf-1";
  ids.workflow_name = "write-paper";
  ids.workflow_version = "1.0.0";
  ids.session_started_at =
      std::chrono::system_clock::time_point(std::chrono::seconds(1'734'082'200));
  ids.previous_steps = {{"outline", "run-0", ids.session_started_at}};
  return ids;
}

TraceContext some_context() { return *with_ids(TraceContext::start(), some_ids()); }

TEST(CorrelationIds, AreADictionaryForLogging) {
  auto ids = some_ids();
  ids.trace_id = "abc123";
  EXPECT_THAT(
      ids.to_dict(),
      ElementsAre(Pair("customer_id", "c9"), Pair("interaction_id", "chat-3"),
                  Pair("pipeline_run_id", "run-1"), Pair("request_id", "req-7"),
                  Pair("trace_id", "abc123"), Pair("user_id", "ann"), Pair("workflow_id", "wf-1")));
}

TEST(CorrelationIds, AreThoseOfAContext) {
  const auto context = some_context();
  const auto ids = ids_of(context);
  EXPECT_EQ(ids.trace_id, context.trace_id());
  EXPECT_EQ(ids.interaction_id, "chat-3");
  EXPECT_EQ(ids.extra.at("customer_id"), "c9");
  ASSERT_EQ(ids.previous_steps.size(), 1U);
  EXPECT_EQ(ids.previous_steps[0].run_id, "run-0");
  EXPECT_EQ(ids_of({}).to_dict().size(), 0U);

  CorrelationIds wrong;
  wrong.request_id = "two\nlines";
  const auto refused = with_ids({}, wrong);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(refused.status().message(), HasSubstr("'request_id'"));
  CorrelationIds many;
  for (int i = 0; i < 33; ++i) many.extra["k" + std::to_string(i)] = "v";
  EXPECT_EQ(with_ids({}, many).status().code(), StatusCode::kExhausted);
}

TEST(CorrelationIds, AreSetReadAndMade) {
  const auto scope = TraceContext::start().activate();
  EXPECT_EQ(get_correlation_id(), "");
  const auto made = ensure_correlation_id();
  EXPECT_EQ(made.size(), 36U);
  EXPECT_EQ(ensure_correlation_id(), made);
  ASSERT_TRUE(set_correlation_id("order-7"));
  EXPECT_EQ(get_correlation_id(), "order-7");
  EXPECT_EQ(set_correlation_id("").code(), StatusCode::kInvalidInput);
  const auto headers = TraceContext::capture().to_headers();
  EXPECT_THAT(headers, testing::Contains(Pair("x-correlation-id", "order-7")));
  const auto received = TraceContext::from_headers(headers);
  EXPECT_EQ(ids_of(received).correlation_id, "order-7");
  EXPECT_EQ(received.trace_id(), TraceContext::capture().trace_id());
}

TEST(CorrelationIds, GoIntoOtherThreads) {
  std::string inside, after;
  {
    const auto scope = some_context().activate();
    std::thread(bind(TraceContext::capture(),
                     [&](int number) {
                       inside = ids_of(TraceContext::current()).request_id + std::to_string(number);
                     }),
                5)
        .join();
  }
  std::thread([&] { after = ids_of(TraceContext::current()).request_id; }).join();
  EXPECT_EQ(inside, "req-75");
  EXPECT_EQ(after, "");
}

/// A coroutine that nobody waits for.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

TEST(CorrelationIds, GoWithACoroutineFromThreadToThread) {
  std::vector<std::string> seen;
  const auto note = [&] { seen.push_back(ids_of(TraceContext::current()).request_id); };
  const auto in_a_thread = [&](const std::function<void()>& go_on) {
    std::thread([&] {
      go_on();
      note();  // what was current in the thread: nothing
    }).join();
  };
  const auto coroutine = [&]() -> Task {
    note();
    co_await resume_on(in_a_thread);
    note();
    co_await resume_on(in_a_thread, TraceContext::start());
    note();
  };
  {
    const auto scope = some_context().activate();
    coroutine();
    note();
  }
  EXPECT_THAT(seen, ElementsAre("req-7", "req-7", "", "", "", "req-7"));
}

TEST(RecordedContext, IsInTheAttributesOfEvents) {
  Recording it;
  {
    const auto scope = some_context().activate();
    it.run.pipeline_started({{"a"}, {"a"}, 1});
    it.run.emit("custom.own", {{"interaction_id", "mine"}, {"k", 1}});
    it.run.logger("l").info("inside");
    StructuredLogger(it.run).log_checkpoint_created("c", 1);
    const Span span = it.run.span("work");
  }
  it.run.logger("l").info("outside");
  const auto started = it.event("pipeline_started");
  EXPECT_EQ(text_of(started, "workflow_id"), "wf-1");
  EXPECT_EQ(attribute_of(started, "interaction_id"), "chat-3");
  EXPECT_EQ(attribute_of(started, "customer_id"), "c9");
  EXPECT_EQ(attribute_of(started, "workflow_name"), "write-paper");
  EXPECT_EQ(attribute_of(started, "workflow_version"), "1.0.0");
  EXPECT_EQ(attribute_of(started, "session_started_at"), "2024-12-13T09:30:00.000000Z");
  EXPECT_EQ(attribute_of(started, "previous_steps"),
            R"([{"step_id":"outline","run_id":"run-0",)"
            R"("completed_at":"2024-12-13T09:30:00.000000Z"}])");
  const auto own = it.event("custom.own");
  EXPECT_EQ(text_of(own, "attributes"), R"({"interaction_id":"mine","k":1,"customer_id":"c9"})");
  const auto lines = it.events("log");
  EXPECT_EQ(attribute_of(lines[0], "interaction_id"), "chat-3");
  EXPECT_EQ(attribute_of(lines[1], "interaction_id"), "-");
  EXPECT_EQ(attribute_of(it.event("checkpoint_created"), "interaction_id"), "chat-3");
  EXPECT_EQ(attribute_of(it.event("checkpoint_created"), "workflow_name"), "-");
  EXPECT_EQ(attribute_of(it.event("span"), "interaction_id"), "chat-3");
}

TEST(RecordedContext, IsTheRunsWhereNoOtherIsCurrent) {
  Recording it({.pipeline_id = "p", .parent = some_context()});
  it.run.pipeline_started({{"a"}, {"a"}, 1});
  it.run.logger("l").info("a line");
  {
    CorrelationIds other;
    other.interaction_id = "chat-4";
    const auto scope = with_ids({}, other)->activate();
    it.run.emit("custom.own");
  }
  EXPECT_EQ(attribute_of(it.event("pipeline_started"), "workflow_name"), "write-paper");
  EXPECT_EQ(attribute_of(it.event("log"), "interaction_id"), "chat-3");
  EXPECT_EQ(text_of(it.event("custom.own"), "attributes"),
            R"({"interaction_id":"chat-4","customer_id":"c9"})");
}

TEST(EmbeddedWideEvents, SayAllThatIsKnownWithWhatTheCallerAdds) {
  Recording it({.pipeline_id = "chat_fast", .fields = {{field::kTenantId, "acme"}}});
  NodeWide node;
  node.node_id = "llm";
  node.status = "completed";
  node.step_index = 0;
  node.duration_ms = 12.5;
  node.output_keys = {"y", "x"};
  node.started_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'734'082'200));
  EXPECT_TRUE(emit_node_wide(it.run, node, {{"customer_id", "c9"}, {"score", 0.5}}));
  PipelineWide wide;
  wide.pipeline_name = "Chat";
  wide.status = "completed";
  wide.nodes = {node};
  EXPECT_TRUE(emit_pipeline_wide(it.run, wide, {{"shard", 7}}));
  EXPECT_FALSE(emit_node_wide(it.run, {}));
  EXPECT_EQ(it.run.flush().code(), StatusCode::kInvalidInput);

  const auto of_node = it.event("node_wide");
  EXPECT_EQ(text_of(of_node, "tenant_id"), "acme");
  EXPECT_EQ(text_of(of_node, "output_keys"), R"(["x","y"])");
  EXPECT_EQ(text_of(of_node, "attributes"),
            R"({"topology":"chat_fast","service":"chat","status":"completed",)"
            R"("started_at":"2024-12-13T09:30:00.000000Z","ended_at":null,)"
            R"("extra":{"customer_id":"c9","score":0.5}})");
  const auto of_run = it.event("pipeline_wide");
  EXPECT_EQ(text_of(of_run, "node_count"), "1");
  EXPECT_EQ(attribute_of(of_run, "stage_counts"), R"({"completed":1})");
  EXPECT_EQ(attribute_of(of_run, "extra"), R"({"shard":7})");
  EXPECT_THAT(attribute_of(of_run, "stage_details"), HasSubstr(R"("stage":"llm")"));
}

}  // namespace
}  // namespace weir::embed
