#include "server/jaeger_traces.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "server/jaeger_query.h"

namespace weir::server {
namespace {

constexpr std::string_view kJaegerTrace = "0123456789abcdef0123456789abcdef";

project::Span jaeger_span(std::string name, std::string parent) {
  project::Span span;
  span.context = {std::string(kJaegerTrace), "00000000000000a1"};
  span.parent_span_id = std::move(parent);
  span.name = std::move(name);
  span.start_ns = 1000;
  span.end_ns = 2000;
  span.origin = std::make_shared<project::SpanOrigin>();
  return span;
}

/// Of one span more than it takes, and then the root.
std::string text_of_a_long_trace(JaegerVersion version) {
  JaegerTrace trace(version, {});
  for (std::size_t i = 0; i <= JaegerTrace::kMostSpans; ++i) {
    trace.add(jaeger_span("s", "00000000000000a0"));
  }
  trace.add(jaeger_span("the root", ""));
  EXPECT_EQ(trace.spans(), JaegerTrace::kMostSpans + 1);
  EXPECT_GT(trace.bytes(), JaegerTrace::kMostSpans);
  return trace.take(kJaegerTrace);
}

TEST(JaegerTrace, KeepsTheRootAndSaysWhatIsLeftOut) {
  const auto v1 = text_of_a_long_trace(JaegerVersion::kV1);
  EXPECT_TRUE(v1.contains("the root"));
  EXPECT_TRUE(v1.ends_with(R"("warnings":["1 more spans are left out"]})"));
  const auto v3 = text_of_a_long_trace(JaegerVersion::kV3);
  EXPECT_TRUE(v3.contains("the root"));
  EXPECT_TRUE(v3.contains("weir.spans_left_out"));
}

TEST(JaegerTrace, IsJsonWhateverItsIdsAre) {
  JaegerTrace trace(JaegerVersion::kV1, {});
  trace.add(jaeger_span("s", "a\"b"));
  EXPECT_TRUE(json::parse(trace.take("c\"d")));
}

TEST(JaegerQuery, TakesAnOffsetWhosePlusHasBecomeASpace) {
  Request request;
  request.query = {{"query.service_name", "p"},
                   {"query.start_time_min", "2026-01-05T03:00:00 02:00"},
                   {"query.start_time_max", "2026-01-05T02:00:00Z"}};
  const auto query = parse_v3_query(request, {});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->until - query->since, std::chrono::hours(1));
}

}  // namespace
}  // namespace weir::server
