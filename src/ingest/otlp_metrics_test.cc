#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/otlp_testing.h"

namespace weir::ingest::otlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing_support::at;
using testing_support::kArrived;
using testing_support::kMetrics;
using testing_support::kShop;
using testing_support::line_of;
using testing_support::protobuf_twin;
using testing_support::request_of;
using testing_support::Signal;
using testing_support::take;

std::string attributes_of(std::string_view metric) {
  return at(line_of(kMetrics, metric), {"attributes"});
}

TEST(OtlpMetrics, MakeAnEventOfAPoint) {
  EXPECT_EQ(
      line_of(kMetrics,
              R"({"name":"requests","unit":"1","description":"how many","sum":{"dataPoints":[)"
              R"({"startTimeUnixNano":"1639999940000000000","timeUnixNano":"1640000000000000001",)"
              R"("asInt":"42","attributes":[{"key":"method","value":{"stringValue":"GET"}}]}],)"
              R"("aggregationTemporality":2,"isMonotonic":true}})",
              kShop, R"({"name":"meter"})"),
      R"({"timestamp":"2021-12-20T11:33:20.000000Z","event_type":"metric","level":"INFO",)"
      R"("pipeline_type":"external","pipeline_id":"shop","pipeline_version":"","run_id":")" +
          foreign_run_id("otlp", "{\"service.name\":\"shop\"}\n2021-12-20").text() +
          R"(","run_seq":1000000000000000,"component":"meter","idempotency_key":"0123.0",)"
          R"("source":"otlp","attributes":{"name":"requests","kind":"sum","unit":"1",)"
          R"("description":"how many","temporality":"cumulative","monotonic":true,"value":42,)"
          R"("start_time_unix_nano":"1639999940000000000","attributes":{"method":"GET"},)"
          R"("otlp":{"time_unix_nano":"1640000000000000001","resource":{"service.name":"shop"},)"
          R"("scope":{"name":"meter"}}}})");
}

TEST(OtlpMetrics, TakeEveryPointOfEveryKind) {
  EXPECT_EQ(attributes_of(R"({"name":"g","gauge":{"dataPoints":[{"asDouble":5}]}})"),
            R"({"name":"g","kind":"gauge","value":5.0})");
  EXPECT_EQ(attributes_of(R"({"name":"s","sum":{"dataPoints":[{"asInt":-7}]}})"),
            R"({"name":"s","kind":"sum","monotonic":false,"value":-7})");
  EXPECT_EQ(attributes_of(
                R"({"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"3",)"
                R"("sum":2,"bucketCounts":["1",2],"explicitBounds":[1.5],"min":0,"max":2}]}})"),
            R"({"name":"h","kind":"histogram","temporality":"delta","count":3,"sum":2.0,"min":0.0,)"
            R"("max":2.0,"bucket_counts":[1,2],"explicit_bounds":[1.5]})");
  EXPECT_EQ(
      attributes_of(
          R"({"name":"e","exponentialHistogram":{"dataPoints":[{"count":"18446744073709551615",)"
          R"("scale":-3,"zeroCount":"1","zeroThreshold":0.5,"positive":{"offset":-2,)"
          R"("bucketCounts":["0","300"]},"negative":{}}]}})"),
      R"({"name":"e","kind":"exponential_histogram","count":18446744073709551615,"scale":-3,)"
      R"("zero_count":1,"zero_threshold":0.5,"positive":{"offset":-2,"bucket_counts":[0,300]},)"
      R"("negative":{"offset":0}})");
  EXPECT_EQ(attributes_of(R"({"name":"q","summary":{"dataPoints":[{"count":5,"sum":18,)"
                          R"("quantileValues":[{"quantile":0.5,"value":2},{"quantile":1}]}]}})"),
            R"({"name":"q","kind":"summary","count":5,"sum":18.0,)"
            R"("quantile_values":[{"quantile":0.5,"value":2.0},{"quantile":1.0,"value":0.0}]})");
}

TEST(OtlpMetrics, KeepExemplarsMetadataFlagsAndWhatJsonHasNoNumberFor) {
  EXPECT_EQ(
      attributes_of(
          R"({"name":"g","metadata":[{"key":"m","value":{"boolValue":true}}],"gauge":{)"
          R"("dataPoints":[{"asDouble":"NaN","flags":1,"exemplars":[{"timeUnixNano":"5",)"
          R"("asInt":"3","spanId":"EEE19B7EC3C1B174","traceId":"5B8EFFF798038103D269B633813FC60C",)"
          R"("filteredAttributes":[{"key":"k","value":{"stringValue":"v"}}]},{"asDouble":1}]}]}})"),
      R"({"name":"g","kind":"gauge","value":"NaN","exemplars":[{"time_unix_nano":"5","value":3,)"
      R"("trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174",)"
      R"("filtered_attributes":{"k":"v"}},{"value":1.0}],"otlp":{"flags":1,)"
      R"("metadata":{"m":true}}})");
}

TEST(OtlpMetrics, AreOfTheTimeWhenTheyWereMeasured) {
  const auto time = [](std::string_view members) {
    return at(line_of(kMetrics,
                      R"({"name":"g","gauge":{"dataPoints":[{)" + std::string(members) + "}]}}"),
              {"timestamp"});
  };
  EXPECT_EQ(time(R"("startTimeUnixNano":"1640000000000000000")"),
            R"("2021-12-20T11:33:20.000000Z")");
  EXPECT_EQ(time(""), '"' + to_string(kArrived) + '"');
}

TEST(OtlpMetrics, CountPointsAndRejectThemOneByOne) {
  const auto taken = take(
      kMetrics, Encoding::kJson,
      request_of(kMetrics,
                 R"({"name":"a","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"x"},{"asInt":3}]}},)"
                 R"({"gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}},{"name":"none"},)"
                 R"({"name":"b","sum":{"aggregationTemporality":"odd","dataPoints":[{}]}})"));
  EXPECT_EQ(taken.rejections.records, 6U);
  EXPECT_THAT(taken.lines, SizeIs(2));
  std::vector<std::string> reasons;
  for (const auto& one : taken.rejections.named) {
    reasons.push_back(std::to_string(one.index) + ": " + one.reason);
  }
  EXPECT_THAT(reasons, ElementsAre("1: asInt should be a whole number of 64 bits",
                                   "3: name is missing", "4: name is missing",
                                   "5: aggregationTemporality should be the number of one of its "
                                   "values"));
}

TEST(OtlpMetrics, ReadWhatIsSaidAfterThePoints) {
  const auto line = line_of(
      kMetrics,
      R"({"sum":{"dataPoints":[{"asInt":"1"}],"isMonotonic":true},"unit":"s","name":"late"})");
  EXPECT_EQ(at(line, {"attributes"}),
            R"({"name":"late","kind":"sum","unit":"s","monotonic":true,"value":1})");
}

TEST(OtlpMetrics, CanBeCutOffAnywhere) {
  const auto body = request_of(
      kMetrics,
      R"({"name":"h","histogram":{"dataPoints":[{"count":"3","sum":2,"bucketCounts":["1",2],)"
      R"("explicitBounds":[1.5],"exemplars":[{"asInt":"3"}]}]}},)"
      R"({"name":"e","exponentialHistogram":{"dataPoints":[{"count":"3","scale":-3,)"
      R"("positive":{"offset":-2,"bucketCounts":["0","300"]}}]}})");
  const auto twin = protobuf_twin(kMetrics, *json::parse(body));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_THAT(take(kMetrics, Encoding::kJson, body.substr(0, size)).error, HasSubstr("byte "))
        << size;
  }
  for (std::size_t size = 1; size < twin.size(); ++size) {
    EXPECT_THAT(take(kMetrics, Encoding::kProtobuf, twin.substr(0, size)).error, HasSubstr("byte "))
        << size;
  }
}

}  // namespace
}  // namespace weir::ingest::otlp
