#include "export/format.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "export/otlp.h"
#include "export/trace_exporter.h"
#include "project/event_feed_testing.h"

namespace weir::exporting {
namespace {

using project::testing_support::EventFeed;
using testing::HasSubstr;
using testing::StartsWith;

/// What a format writes of a run of one node.
std::string written(std::string_view name) {
  std::string text;
  const auto writer = find_format(name)->make([&](std::string_view bytes) {
    text += bytes;
    return Result<void>();
  });
  EventFeed feed([&](const event::EventView& event, std::string_view line) {
    EXPECT_TRUE(writer->add(event, line));
  });
  feed.start_run();
  feed.start_node("a");
  feed.complete_node("a", 1, R"("rows":3)");
  feed.end_run("completed");
  EXPECT_TRUE(writer->end());
  return text;
}

TEST(Formats, EachOfJsonIsJson) {
  for (const auto& format : formats()) {
    SCOPED_TRACE(format.name);
    auto text = written(format.name);
    EXPECT_FALSE(text.empty());
    if (format.name == "otlp-protobuf") continue;
    if (format.name == "chrome") {
      EXPECT_TRUE(json::parse(text));
      continue;
    }
    ASSERT_TRUE(text.ends_with('\n'));
    for (std::string_view rest = text; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      EXPECT_TRUE(json::parse(line)) << line;
      rest.remove_prefix(line.size() + 1);
    }
  }
}

TEST(Formats, OneThatIsNotThereIsNotFound) { EXPECT_EQ(find_format("xml"), nullptr); }

TEST(Formats, AnErrorOfWritingEndsTheExport) {
  for (const auto& format : formats()) {
    SCOPED_TRACE(format.name);
    const auto writer = format.make(
        [](std::string_view) -> Result<void> { return fail(ErrorCode::kExhausted, "full"); });
    Result<void> done;
    EventFeed feed([&](const event::EventView& event, std::string_view line) {
      if (done) done = writer->add(event, line);
    });
    feed.start_run();
    feed.end_run("completed");
    if (done) done = writer->end();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "full");
  }
}

TEST(Elasticsearch, HasAnActionAndADocumentForEachEvent) {
  const auto text = written("elasticsearch");
  EXPECT_THAT(text, StartsWith(R"({"create":{"_index":"weir-operations-2026.01.05","_id":)"
                               R"("019b8a2f-7c00-7000-8000-000000000001-1"}})"
                               "\n{\"timestamp\":\"2026-01-05T"));
}

TEST(OpenLineage, ANodeIsAJobBelowItsRun) {
  const auto text = written("openlineage");
  EXPECT_THAT(text, HasSubstr(R"("job":{"namespace":"weir","name":"p.a")"));
  EXPECT_THAT(text, HasSubstr(R"("parent":{"_producer":"urn:weir:)"));
  EXPECT_THAT(text, HasSubstr(R"("rowCount":3)"));
}

project::Span span_of(std::string name) {
  project::Span span;
  span.context = {"0123456789abcdef0123456789abcdef", "00000000000000a1"};
  span.name = std::move(name);
  span.start_ns = 1;
  span.origin = std::make_shared<project::SpanOrigin>();
  return span;
}

TEST(Otlp, IsAsTheProtocolHasJson) {
  auto span = span_of("s");
  span.end_ns = 2;
  span.status = project::SpanStatus::kError;
  span.status_message = "no";
  span.attributes.set("i", std::int64_t{7});
  span.attributes.set("d", 1.5);
  span.attributes.set("l", json::Array{true, nullptr});
  EXPECT_EQ(
      to_otlp_json({&span, 1}),
      R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{)"
      R"("traceId":"0123456789abcdef0123456789abcdef","spanId":"00000000000000a1","name":"s",)"
      R"("kind":1,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[)"
      R"({"key":"i","value":{"intValue":"7"}},{"key":"d","value":{"doubleValue":1.5}},)"
      R"({"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{}]}}}],)"
      R"("status":{"message":"no","code":2}}]}]}]})");
}

TEST(Otlp, IsAsTheProtocolHasProtobuf) {
  const auto span = span_of("s");
  // Request{1: ResourceSpans{1: Resource{}, 2: ScopeSpans{1: Scope{}, 2: Span}}}
  const std::string of_span =
      std::string("\x0A\x10\x01\x23\x45\x67\x89\xAB\xCD\xEF\x01\x23\x45\x67\x89\xAB\xCD\xEF", 18) +
      std::string("\x12\x08\x00\x00\x00\x00\x00\x00\x00\xA1", 10) + "\x2A\x01s" + "\x30\x01" +
      std::string("\x39\x01\x00\x00\x00\x00\x00\x00\x00", 9);
  const auto size = static_cast<char>(of_span.size());
  std::string of_scope = std::string("\x0A\x00\x12", 3) + size + of_span;
  std::string of_resource =
      std::string("\x0A\x00\x12", 3) + static_cast<char>(of_scope.size()) + of_scope;
  EXPECT_EQ(to_otlp_protobuf({&span, 1}),
            std::string("\x0A") + static_cast<char>(of_resource.size()) + of_resource);
}

TEST(Sampling, TakesThePartThatIsWantedAndAlwaysTheSameTraces) {
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = TraceId::make().text();
    const bool is_in = is_sampled(id, 0.1);
    taken += is_in ? 1 : 0;
    EXPECT_EQ(is_in, is_sampled(id, 0.1));
    EXPECT_FALSE(is_sampled(id, 0));
    EXPECT_TRUE(is_sampled(id, 1));
    EXPECT_TRUE(!is_in || is_sampled(id, 0.5)) << "a larger part has all of a smaller one";
  }
  EXPECT_NEAR(taken, 1000, 150);
}

}  // namespace
}  // namespace weir::exporting
