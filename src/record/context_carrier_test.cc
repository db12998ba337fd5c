#include "record/context_carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace weir::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A context in which everything is known.
TraceContext full_context() {
  auto context = TraceContext::start().child_span();
  EXPECT_TRUE(context.tracestate.set("weir", "1"));
  EXPECT_TRUE(context.baggage.set({"userTier", "gold é", {{"p", "1"}}}));
  for (const auto& names : kCorrelationIdNames) {
    if (!names.variable.empty()) context.ids.*names.member = std::string(names.variable) + " é";
  }
  context.ids.extra = {{"a", "\"1\""}, {"b", "2"}};
  context.ids.run_started_at = parse_rfc3339("2026-01-05T03:00:00.000001Z");
  context.ids.session_started_at = parse_rfc3339("2026-01-05T02:00:00Z");
  context.ids.previous_steps = {{"outline", "run-1", parse_rfc3339("2026-01-05T01:00:00Z")},
                                {"draft", "", {}}};
  return context;
}

// The example of stageflow, with a traceparent that is one.
TEST(ContextHeaders, SayTraceAndIds) {
  auto context = from_headers(Headers{{"traceparent", std::string(kParent)}});
  context.ids.correlation_id = "550e8400-e29b-41d4-a716-446655440000";
  context.ids.user_id = "not sent";
  EXPECT_THAT(to_headers(context),
              ElementsAre(Pair("traceparent", kParent),
                          Pair("x-correlation-id", "550e8400-e29b-41d4-a716-446655440000")));
}

TEST(ContextHeaders, BringBackWhatTheySaid) {
  const auto sent = full_context();
  const auto headers = to_headers(sent);
  EXPECT_THAT(headers, testing::SizeIs(8));
  EXPECT_EQ(headers.at("x-baggage-usertier"), "gold%20%C3%A9");

  const auto received = from_headers(headers);

  EXPECT_EQ(received.trace_id.text(), sent.trace_id.text());
  EXPECT_EQ(received.span_id.value, sent.span_id.value);
  EXPECT_EQ(received.flags, sent.flags);
  EXPECT_EQ(received.tracestate, sent.tracestate);
  EXPECT_EQ(received.baggage, sent.baggage);
  EXPECT_EQ(received.ids.run_id, sent.ids.run_id);
  EXPECT_EQ(received.ids.request_id, sent.ids.request_id);
  EXPECT_EQ(received.ids.org_id, sent.ids.org_id);
  EXPECT_EQ(received.ids.correlation_id, sent.ids.correlation_id);
  EXPECT_EQ(received.ids.user_id, "");
}

TEST(ContextHeaders, AreReadInAnyCase) {
  const Header headers[] = {{"TraceParent", kParent},
                            {"TRACESTATE", "a=1"},
                            {"tracestate", "b=2"},
                            {"Baggage", "k=v"},
                            {"baggage", "k2=v2"},
                            {"X-Correlation-ID", " c "},
                            {"X-Correlation-Id", "another"},
                            {"X-Baggage-Tier", "gold%20x"},
                            {"x-baggage-K", "not this one"}};
  const auto context = from_headers(headers);
  EXPECT_EQ(context.trace_id.text(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context.tracestate.text(), "a=1,b=2");
  EXPECT_EQ(context.baggage.text(), "k=v,k2=v2,tier=gold%20x");
  EXPECT_EQ(context.ids.correlation_id, "c");
}

TEST(ContextHeaders, BeginANewTraceWhenTheTraceparentIsNotOne) {
  for (const char* parent : {"", "00-abc123-def456-01"}) {
    const auto context = from_headers(Headers{
        {"traceparent", parent}, {"tracestate", "a=1"}, {"baggage", "k=v"}, {"x-request-id", "r"}});
    EXPECT_TRUE(context.has_trace());
    EXPECT_EQ(context.span_id.value, 0U);
    EXPECT_TRUE(context.tracestate.empty());
    EXPECT_EQ(context.baggage.text(), "k=v");
    EXPECT_EQ(context.ids.request_id, "r");
    EXPECT_EQ(context.child_span().parent_span_id.value, 0U);
  }
}

TEST(ContextHeaders, WithAnInvalidTracestateStillContinueTheTrace) {
  const auto context =
      from_headers(Headers{{"traceparent", std::string(kParent)}, {"tracestate", "A=1"}});
  EXPECT_EQ(to_headers(context).at("traceparent"), kParent);
  EXPECT_TRUE(context.tracestate.empty());
}

TEST(ContextHeaders, LeaveOutWhatIsNotAnId) {
  TraceContext context;
  context.ids.request_id = "a\r\nset-cookie: x";
  EXPECT_THAT(to_headers(context), IsEmpty());
  EXPECT_EQ(from_headers(Headers{{"x-request-id", std::string(300, 'x')}}).ids.request_id, "");
  EXPECT_EQ(from_headers(std::vector<Header>{{"", "x"}}).ids, CorrelationIds());
}

TEST(ContextHeaders, NameAParentEvenWhereNoSpanIsKnown) {
  const auto headers = to_headers(TraceContext::start());
  EXPECT_TRUE(Traceparent::parse(headers.at("traceparent")));
}

TEST(ContextHeaders, HoldNoTracestateThatServersRefuse) {
  auto context = TraceContext::start();
  for (int i = 0; i < 31; ++i) {
    const auto key = std::string(100, 'k') + std::to_string(i);
    ASSERT_TRUE(context.tracestate.set(key, std::string(256, 'v')));
  }
  ASSERT_TRUE(context.tracestate.set("weir", "1"));
  EXPECT_GT(context.tracestate.text().size(), kMaxSentTracestateBytes);
  const auto sent = Tracestate::parse(to_headers(context).at("tracestate"));
  ASSERT_TRUE(sent);
  EXPECT_LE(sent->text().size(), kMaxSentTracestateBytes);
  EXPECT_GT(sent->text().size(), kMaxSentTracestateBytes - 512);
  EXPECT_EQ(sent->members()[0].key, "weir");
}

TEST(ContextEnvironment, BringsBackEverything) {
  const auto sent = full_context();
  const auto received = from_environment(to_environment(sent));
  auto expected = sent;  // the span of the parent process, whose own parent is not the child's
  expected.parent_span_id = {};
  EXPECT_EQ(received, expected);
}

TEST(ContextEnvironment, NamesEveryVariableSoThatNothingInheritedShowsThrough) {
  for (const auto& context : {TraceContext(), full_context()}) {
    const auto variables = to_environment(context);
    EXPECT_EQ(variables.size(), 20U);
    for (const auto& [name, value] : variables) {
      EXPECT_EQ(value.empty(), !context.has_trace()) << name;
    }
  }
}

TEST(ContextEnvironment, IsReadFromThisProcess) {
  // No other thread runs here.
  ASSERT_EQ(::setenv("WEIR_STEP_ID", "draft", 1), 0);
  const auto variables = process_environment();
  ::unsetenv("WEIR_STEP_ID");
  EXPECT_EQ(from_environment(variables).ids.step_id, "draft");
  EXPECT_EQ(variables.size(), 20U);
}

TEST(ContextEnvironment, BeginsANewTraceWhenThereIsNone) {
  EXPECT_TRUE(from_environment({}).has_trace());
  EXPECT_TRUE(from_environment({{"TRACEPARENT", "00-abc123-def456-01"}}).has_trace());
}

TEST(ContextEnvironment, LeavesOutListsThatAreNotAsWeWriteThem) {
  std::string many = "[", keys = "{\"k\":\"v\"";
  for (int i = 0; i < 65; ++i) {
    many += many.size() > 1 ? ",{}" : "{}";
    keys += ",\"k" + std::to_string(i) + "\":\"v\"";
  }
  for (const auto& list : {std::string("x"), std::string("1"), std::string("[1,null]"),
                           std::string("{\"k\":1,\"\":\"v\"}"), many + "]", keys + "}",
                           "[" + std::string(kMaxListBytes, ' ') + "{}]"}) {
    const auto context = from_environment({{"WEIR_PREVIOUS_STEPS", list}, {"WEIR_EXTRA", list}});
    EXPECT_THAT(context.ids, CorrelationIds()) << list.substr(0, 40);
  }
  const auto wrong = from_environment({{"WEIR_PREVIOUS_STEPS", R"([{"step_id":1,"run_id":"\n"}])"},
                                       {"WEIR_RUN_STARTED_AT", "yesterday"}});
  EXPECT_THAT(wrong.ids.previous_steps, ElementsAre(PreviousStep()));
  EXPECT_FALSE(wrong.ids.run_started_at);
}

TEST(ContextEnvironment, KeepsTheLatestSteps) {
  TraceContext context;
  for (int i = 0; i < 70; ++i) context.ids.previous_steps.push_back({std::to_string(i), "r", {}});
  const auto received = from_environment(to_environment(context));
  ASSERT_EQ(received.ids.previous_steps.size(), 64U);
  EXPECT_EQ(received.ids.previous_steps.front().step_id, "6");
  EXPECT_EQ(received.ids.previous_steps.back().step_id, "69");
}

}  // namespace
}  // namespace weir::record
