#include "record/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coroutine>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace weir::record {
namespace {

using testing::ElementsAre;

TraceContext context_of(std::string_view correlation_id) {
  TraceContext context;
  context.ids.correlation_id = correlation_id;
  return context;
}

// The example of stageflow.
TEST(CorrelationIds, BecomeADictionaryWithTheirKnownNames) {
  const CorrelationIds ids{.run_id = "run-1",
                           .request_id = "request-1",
                           .trace_id = "abc123",
                           .session_id = "session-1",
                           .user_id = "user-1",
                           .org_id = "org-1",
                           .extra = {{"interaction_id", "i-1"}}};
  EXPECT_EQ(
      json::to_text(ids.to_object()),
      R"({"pipeline_run_id":"run-1","request_id":"request-1","trace_id":"abc123",)"
      R"("session_id":"session-1","user_id":"user-1","org_id":"org-1","interaction_id":"i-1"})");
}

TEST(CorrelationIds, LeaveOutWhatIsNotKnownAndDoNotLetExtrasReplaceIds) {
  EXPECT_EQ(json::to_text(CorrelationIds{}.to_object()), "{}");
  const CorrelationIds ids{.tenant_id = "t",
                           .interaction_id = "i",
                           .workflow_id = "w",
                           .step_id = "s",
                           .previous_run_id = "p",
                           .correlation_id = "c",
                           .extra = {{"tenant_id", "another"}, {"x", "1"}}};
  EXPECT_EQ(json::to_text(ids.to_object()),
            R"({"tenant_id":"t","interaction_id":"i","workflow_id":"w","step_id":"s",)"
            R"("previous_run_id":"p","correlation_id":"c","x":"1"})");
}

TEST(CorrelationIds, AreShortTextsWithoutControlCharacters) {
  for (const auto& id : {std::string("1"), std::string("user é"), std::string(256, 'x')}) {
    EXPECT_TRUE(is_id(id)) << id;
  }
  for (const auto& id :
       {std::string(), std::string(257, 'x'), std::string("a\r\nx: y"), std::string("a\0b", 3),
        std::string("\x7f"), std::string(" a"), std::string("a "), std::string("\xff")}) {
    EXPECT_FALSE(is_id(id)) << id;
  }
}

// The example of PaperKit.
TEST(TraceContext, BecomesARunContext) {
  auto context = TraceContext::start().child_span();
  const auto parent = context.span_id.text();
  context = context.child_span();
  const auto span = context.span_id.text();
  context.ids = {.run_id = "run-2",
                 .session_id = "session-1",
                 .user_id = "user",
                 .workflow_id = "wf-1",
                 .step_id = "draft-introduction",
                 .extra = {{"paperTitle", "Color"}},
                 .workflow_name = "write-paper",
                 .workflow_version = "1.0.0",
                 .run_started_at = parse_rfc3339("2024-12-13T10:00:00Z"),
                 .session_started_at = parse_rfc3339("2024-12-13T09:30:00Z"),
                 .previous_steps = {{"outline", "run-1", parse_rfc3339("2024-12-13T09:45:00Z")},
                                    {"x", "", {}}}};
  EXPECT_EQ(
      json::to_text(context.run_context()),
      R"({"runId":"run-2","startedAt":"2024-12-13T10:00:00.000000Z",)"
      R"("session":{"sessionId":"session-1","userId":"user",)"
      R"("startedAt":"2024-12-13T09:30:00.000000Z"},)"
      R"("workflow":{"workflowId":"wf-1","workflowName":"write-paper","version":"1.0.0"},)"
      R"("trace":{"traceId":")" +
          context.trace_id.text() + R"(","spanId":")" + std::string(span.data(), 16) +
          R"(","parentSpanId":")" + std::string(parent.data(), 16) +
          R"("},"context":{"currentStep":"draft-introduction","previousSteps":[)"
          R"({"stepId":"outline","runId":"run-1","completedAt":"2024-12-13T09:45:00.000000Z"},)"
          R"({"stepId":"x"}],"paperTitle":"Color"}})");
  EXPECT_EQ(json::to_text(TraceContext().run_context()), "{}");
}

TEST(TraceContext, BecomesADictionaryWithItsOwnTrace) {
  auto context = TraceContext::start();
  context.ids.trace_id = "another";
  EXPECT_EQ(json::to_text(context.to_object()),
            R"({"trace_id":")" + context.trace_id.text() + "\"}");
  context = context.child_span();
  EXPECT_NE(context.to_object().find("span_id"), nullptr);
  EXPECT_EQ(context.to_object().find("parent_span_id"), nullptr);
}

TEST(TraceContext, GivesEachChildASpanOfItsOwnInTheSameTrace) {
  const auto root = TraceContext::start();
  EXPECT_EQ(root.span_id.value, 0U);
  auto first = root.child_span();
  ASSERT_TRUE(first.tracestate.set("weir", "1"));
  const auto second = first.child_span();
  EXPECT_EQ(first.parent_span_id.value, 0U);
  EXPECT_EQ(second.parent_span_id.value, first.span_id.value);
  EXPECT_NE(second.span_id.value, first.span_id.value);
  EXPECT_EQ(second.trace_id.text(), root.trace_id.text());
  EXPECT_EQ(second.flags, kSampledFlag | kRandomTraceIdFlag);
  EXPECT_EQ(second.tracestate, first.tracestate);
}

TEST(TraceContext, WithoutATraceBeginsOneWithItsFirstSpanAndKeepsTheRest) {
  auto context = context_of("c");
  ASSERT_TRUE(context.baggage.set({"a", "1"}));
  const auto child = context.child_span();
  EXPECT_TRUE(child.has_trace());
  EXPECT_NE(child.span_id.value, 0U);
  EXPECT_EQ(child.parent_span_id.value, 0U);
  EXPECT_EQ(child.baggage, context.baggage);
  EXPECT_EQ(child.ids, context.ids);
}

TEST(ContextScope, NestsAndRestoresWhatWasCurrent) {
  EXPECT_EQ(current_context(), nullptr);
  {
    const auto outer = context_of("outer").activate();
    EXPECT_EQ(correlation_id(), "outer");
    {
      const auto inner = context_of("inner").activate();
      EXPECT_EQ(TraceContext::capture(), context_of("inner"));
    }
    {
      const ContextScope nothing(nullptr);
      EXPECT_EQ(correlation_id(), "");
    }
    EXPECT_EQ(correlation_id(), "outer");
  }
  EXPECT_EQ(current_context(), nullptr);
}

TEST(ContextScopeDeathTest, StopsTheProcessWhenItEndsBeforeOneThatItEncloses) {
  EXPECT_DEATH(
      {
        auto outer = std::make_unique<ContextScope>(context_of("outer"));
        const auto inner = context_of("inner").activate();
        outer.reset();
      },
      "bug");
}

TEST(CorrelationId, IsSetUntilTheScopeEnds) {
  const auto outer = context_of("outer").activate();
  {
    const auto scope = TraceContext::capture().activate();
    ASSERT_TRUE(set_correlation_id("changed"));
    EXPECT_EQ(correlation_id(), "changed");
  }
  EXPECT_EQ(correlation_id(), "outer");
}

TEST(CorrelationId, IsRefusedWhenItIsNotAnId) {
  const auto scope = context_of("old").activate();
  EXPECT_EQ(set_correlation_id("a\nb").error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(correlation_id(), "old");
}

TEST(CorrelationId, IsMadeOnceWhenThereIsNone) {
  const ContextScope scope(nullptr);
  const auto id = ensure_correlation_id();
  EXPECT_TRUE(RunId::parse(id));
  EXPECT_EQ(ensure_correlation_id(), id);
  EXPECT_EQ(correlation_id(), id);
}

TEST(ThreadsContext, IsEachThreadsOwn) {
  const auto scope = context_of("mine").activate();
  std::string seen = "nothing";
  std::thread([&] {
    seen = correlation_id();
    ASSERT_TRUE(set_correlation_id("theirs"));
  }).join();
  EXPECT_EQ(seen, "");
  EXPECT_EQ(correlation_id(), "mine");
}

TEST(ThreadsContext, GoesWithABoundFunctionAndLeavesTheThreadAsItWas) {
  auto task = [] {
    const auto scope = context_of("mine").activate();
    return bind([](std::string_view suffix) { return correlation_id() + std::string(suffix); });
  }();
  std::string seen, after;
  std::thread([&] {
    const auto scope = context_of("worker's").activate();
    seen = task("!");
    after = correlation_id();
  }).join();
  EXPECT_EQ(seen, "mine!");
  EXPECT_EQ(after, "worker's");
}

TEST(ThreadsContext, GoesWithABoundFunctionIntoAThreadThatMayBeStopped) {
  std::string plain, stoppable;
  {
    const auto scope = context_of("mine").activate();
    const std::jthread one(bind([&] { plain = correlation_id(); }));
    const std::jthread other(bind([&](const std::stop_token& stop) {
      stoppable = correlation_id() + (stop.stop_possible() ? "!" : "");
    }));
  }
  EXPECT_EQ(plain, "mine");
  EXPECT_EQ(stoppable, "mine!");
}

TEST(Context, IsRestoredWhenABoundFunctionThrows) {
  auto task = bind(std::make_shared<const TraceContext>(context_of("bound")),
                   [] { throw std::runtime_error("user's"); });
  EXPECT_THROW(task(), std::runtime_error);
  EXPECT_EQ(correlation_id(), "");
}

TEST(Context, OfABoundFunctionMayReturnAReference) {
  int number = 1;
  auto task = bind([&]() -> int& { return number; });
  task() = 2;
  EXPECT_EQ(number, 2);
}

/// A coroutine that runs at once and frees itself at its end.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

using Tasks = std::deque<std::function<void()>>;

/// Runs all tasks, each in a thread of its own in which something else is current. What is current
/// after each is added to `after`.
void run_elsewhere(Tasks& tasks, std::vector<std::string>& after) {
  while (!tasks.empty()) {
    auto task = std::move(tasks.front());
    tasks.pop_front();
    std::thread([&] {
      const auto scope = context_of("worker's").activate();
      task();
      after.push_back(correlation_id());
    }).join();
  }
}

Detached say_what_is_current(Tasks& tasks, std::string name, std::vector<std::string>& seen) {
  const auto post = [&](auto task) { tasks.emplace_back(std::move(task)); };
  seen.push_back(name + " " + correlation_id());
  co_await resume_on(post);
  seen.push_back(name + " " + correlation_id());
  co_await resume_on(post, context_of(name + "'s own"));
  seen.push_back(name + " " + correlation_id());
  co_await resume_on(post);
  seen.push_back(name + " " + correlation_id());
}

TEST(ThreadsContext, StaysWithACoroutineInWhateverThreadItGoesOn) {
  Tasks tasks;
  std::vector<std::string> seen, after;
  for (const char* name : {"a", "b"}) {
    const auto scope = context_of("caller of " + std::string(name)).activate();
    say_what_is_current(tasks, name, seen);
  }
  EXPECT_EQ(correlation_id(), "");
  run_elsewhere(tasks, after);
  EXPECT_THAT(seen, ElementsAre("a caller of a", "b caller of b", "a caller of a", "b caller of b",
                                "a a's own", "b b's own", "a a's own", "b b's own"));
  EXPECT_EQ(after, std::vector<std::string>(6, "worker's"));
}

// The post of a pool may run the task at once, and with it the coroutine to its end.
TEST(Context, OfACoroutineMayBeResumedBeforeItsPostReturns) {
  std::vector<std::string> seen;
  const auto scope = context_of("caller").activate();
  [](std::vector<std::string>& out) -> Detached {
    co_await resume_on([](auto task) { task(); }, context_of("own"));
    out.push_back(correlation_id());
  }(seen);
  EXPECT_THAT(seen, ElementsAre("own"));
  EXPECT_EQ(correlation_id(), "caller");
}

}  // namespace
}  // namespace weir::record
