#include "ingest/otlp_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/otlp_testing.h"
#include "ingest/otlp_twin_testing.h"
#include "ingest/taken_testing.h"

namespace weir::ingest::otlp {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing_support::at;
using testing_support::kTraces;
using testing_support::request_of;
using testing_support::Signal;
using testing_support::span_with;
using testing_support::take;
using testing_support::take_both;
using testing_support::take_into;
using testing_support::text_attribute;

// What a resource says stands in each of its events: little that is sent may be much that is kept.
TEST(OtlpRequests, EndWhereTheirEventsHaveNoMoreRoom) {
  const auto resource =
      R"({"attributes":[)" + text_attribute("a", std::string(1 << 20, 'x')) + "]}";
  const auto of = [](Signal signal) {
    constexpr std::string_view kLog = R"({"timeUnixNano":"1640000000000000000"})";
    constexpr std::string_view kPoint = R"({"asInt":"1"})";
    const auto record =
        signal == kTraces ? span_with("") : std::string(signal == Signal::kLogs ? kLog : kPoint);
    std::string records = record;
    for (int i = 1; i < 200; ++i) records += "," + record;
    return signal != Signal::kMetrics ? records
                                      : R"({"name":"m","gauge":{"dataPoints":[)" + records + "]}}";
  };
  for (const auto signal : {kTraces, Signal::kLogs, Signal::kMetrics}) {
    SCOPED_TRACE(static_cast<int>(signal));
    const auto body = request_of(signal, of(signal), resource);
    const auto twin = testing_support::protobuf_twin(signal, *json::parse(body));
    for (const auto encoding : {Encoding::kJson, Encoding::kProtobuf}) {
      LineMaker lines(usual_redactor(), "", "r");
      EXPECT_FALSE(take_into(lines, signal, encoding, encoding == Encoding::kJson ? body : twin))
          << "it was read to its end";
      EXPECT_TRUE(lines.is_full());
      const auto made = lines.take();
      ASSERT_FALSE(made);
      EXPECT_EQ(made.error().code, ErrorCode::kExhausted);
      EXPECT_THAT(made.error().message, HasSubstr(" 64 MiB "));
    }
  }
}

// Of what is cut away nothing is kept, but it was written, event by event.
TEST(OtlpRequests, EndAlsoWhereMostOfTheirEventsIsCut) {
  const auto resource =
      R"({"attributes":[)" + text_attribute("a", std::string(4 << 20, 'x')) + "]}";
  std::string spans = span_with("");
  for (int i = 1; i < 100; ++i) spans += "," + span_with("");
  LineMaker lines(usual_redactor(), "", "r");
  EXPECT_FALSE(take_into(lines, kTraces, Encoding::kJson, request_of(kTraces, spans, resource)));
  EXPECT_FALSE(lines.take());
}

// What Weir says about itself is kept apart from all else by the name of its pipeline.
TEST(OtlpTraces, OfAPipelineThatIsCalledWeirHaveAnotherNameThere) {
  for (const auto* name : {"service.name", "cicd.pipeline.name", "weir.pipeline_id"}) {
    SCOPED_TRACE(name);
    const auto taken =
        take_both(kTraces, request_of(kTraces, span_with(""),
                                      R"({"attributes":[)" + text_attribute(name, "weir") + "]}"));
    ASSERT_THAT(taken.lines, SizeIs(1));
    EXPECT_EQ(at(taken.lines[0], {"pipeline_id"}), R"("external.weir")");
    EXPECT_EQ(at(taken.lines[0], {"attributes", "otlp", "resource", name}), R"("weir")");
  }
}

// The name of a pipeline stands in every line, whole.
TEST(OtlpTraces, HaveAPipelineWhoseNameHasAnEnd) {
  const auto name = std::string(5 << 20, 'x');
  const auto taken = take(kTraces, Encoding::kJson,
                          request_of(kTraces, span_with(""),
                                     R"({"attributes":[)" + text_attribute("service.name", name) +
                                         "," + text_attribute("service.version", name) + "]}"));
  ASSERT_THAT(taken.lines, SizeIs(1));
  EXPECT_EQ(at(taken.lines[0], {"pipeline_id"}), '"' + name.substr(0, kMaxIdBytes) + '"');
  EXPECT_LT(taken.lines[0].size(), 20'000U);
}

TEST(OtlpTraces, AreCutWhenTheirResourceIsTooLong) {
  const auto resource =
      R"({"attributes":[)" + text_attribute("a", std::string(5 << 20, 'x')) + "]}";
  const auto taken = take(kTraces, Encoding::kJson, request_of(kTraces, span_with(""), resource));
  ASSERT_THAT(taken.lines, SizeIs(1));
  EXPECT_LT(taken.lines[0].size(), 10'000U);
  EXPECT_THAT(at(taken.lines[0], {"attributes", "cut_bytes", "attributes"}), SizeIs(7));
}

}  // namespace
}  // namespace weir::ingest::otlp
