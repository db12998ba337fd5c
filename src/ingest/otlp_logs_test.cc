#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/otlp_testing.h"
#include "ingest/protobuf_testing.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::testing_support::Message;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing_support::at;
using testing_support::kArrived;
using testing_support::kLogs;
using testing_support::kShop;
using testing_support::line_of;
using testing_support::request_of;
using testing_support::Signal;
using testing_support::take;
using testing_support::take_both;

std::string log_line(std::string_view record) {
  return line_of(kLogs, record, kShop, R"({"name":"app.db"})");
}

TEST(OtlpLogs, MakeAnEventOfARecord) {
  EXPECT_EQ(
      log_line(
          R"({"timeUnixNano":"1640000000000000123","observedTimeUnixNano":"1640000000000001000",)"
          R"("severityNumber":17,"severityText":"ERROR","body":{"stringValue":"gone"},)"
          R"("attributes":[{"key":"exception.type","value":{"stringValue":"KeyError"}},)"
          R"({"key":"db.system","value":{"stringValue":"sqlite"}}],"flags":1,)"
          R"("traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",)"
          R"("eventName":"db.lost","droppedAttributesCount":2})"),
      R"({"timestamp":"2021-12-20T11:33:20.000000Z","event_type":"log","level":"ERROR",)"
      R"("pipeline_type":"external","pipeline_id":"shop","pipeline_version":"","run_id":")" +
          foreign_run_id("otlp", "5b8efff798038103d269b633813fc60c").text() +
          R"(","run_seq":1000000000000000,"logger":"app.db",)"
          R"("trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174",)"
          R"("error_type":"KeyError","message":"gone","idempotency_key":"0123.0","source":"otlp",)"
          R"("source_run_id":"5b8efff798038103d269b633813fc60c","attributes":{)"
          R"("exception.type":"KeyError","db.system":"sqlite","otlp":{"event_name":"db.lost",)"
          R"("severity_number":17,"severity_text":"ERROR","time_unix_nano":"1640000000000000123",)"
          R"("observed_time_unix_nano":"1640000000000001000","flags":1,)"
          R"("dropped_attributes_count":2,"resource":{"service.name":"shop"},)"
          R"("scope":{"name":"app.db"}}}})");
}

TEST(OtlpLogs, TakeTheLevelFromTheNumberOrElseTheText) {
  const auto level = [](std::string_view members) {
    return at(log_line("{" + std::string(members) + "}"), {"level"});
  };
  EXPECT_EQ(level(R"("severityNumber":1)"), R"("DEBUG")");
  EXPECT_EQ(level(R"("severityNumber":8)"), R"("DEBUG")");
  EXPECT_EQ(level(R"("severityNumber":9)"), R"("INFO")");
  EXPECT_EQ(level(R"("severityNumber":16,"severityText":"ERROR")"), R"("WARNING")");
  EXPECT_EQ(level(R"("severityNumber":20)"), R"("ERROR")");
  EXPECT_EQ(level(R"("severityNumber":21)"), R"("FATAL")");
  EXPECT_EQ(level(R"("severityNumber":4294967295)"), R"("FATAL")");
  EXPECT_EQ(level(R"("severityText":"Warning")"), R"("WARNING")");
  EXPECT_EQ(level(R"("severityText":"CRITICAL")"), R"("FATAL")");
  EXPECT_EQ(level(R"("severityText":"odd")"), R"("INFO")");
  EXPECT_EQ(level(""), R"("INFO")");
  const auto named = take(kLogs, Encoding::kJson,
                          request_of(kLogs, R"({"severityNumber":"SEVERITY_NUMBER_WARN2"})"));
  ASSERT_THAT(named.lines, SizeIs(1));
  EXPECT_EQ(at(named.lines[0], {"level"}), R"("WARNING")");
}

TEST(OtlpLogs, SayABodyThatIsNoTextAsJson) {
  const auto message = [](std::string_view body) {
    return at(log_line(R"({"body":)" + std::string(body) + "}"), {"message"});
  };
  EXPECT_EQ(message(R"({"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}})"),
            R"("{\"a\":1}")");
  EXPECT_EQ(message(R"({"arrayValue":{"values":[{"stringValue":"x"}]}})"), R"("[\"x\"]")");
  EXPECT_EQ(message(R"({"doubleValue":1.5})"), R"("1.5")");
  EXPECT_EQ(message(R"({"bytesValue":"AAAwOQ=="})"), R"("\"AAAwOQ==\"")");
  EXPECT_EQ(message("{}"), R"("")");
  EXPECT_EQ(message("null"), R"("")");
}

TEST(OtlpLogs, TakeTheTimeOfTheRecordOrElseOfItsObservation) {
  EXPECT_EQ(at(log_line(R"({"observedTimeUnixNano":"1640000000000000000"})"), {"timestamp"}),
            R"("2021-12-20T11:33:20.000000Z")");
  EXPECT_EQ(at(log_line("{}"), {"timestamp"}), '"' + to_string(kArrived) + '"');
}

// Without a trace: one run for each resource and UTC day.
TEST(OtlpLogs, BelongToARunOfTheirResourceAndDay) {
  const auto run = [](std::string_view time, std::string_view service) {
    const auto line = line_of(kLogs, R"({"timeUnixNano":")" + std::string(time) + R"("})",
                              R"({"attributes":[{"key":"service.name","value":{"stringValue":")" +
                                  std::string(service) + R"("}}]})");
    EXPECT_EQ(at(line, {"trace_id"}), "");
    EXPECT_EQ(at(line, {"source_run_id"}), "");
    return at(line, {"run_id"});
  };
  const auto day = run("1640044799999999999", "a");
  EXPECT_EQ(day, '"' + foreign_run_id("otlp", "{\"service.name\":\"a\"}\n2021-12-20").text() + '"');
  EXPECT_EQ(run("1640000000000000000", "a"), day);
  EXPECT_NE(run("1640044800000000000", "a"), day) << "the next day";
  EXPECT_NE(run("1640000000000000000", "b"), day);
}

TEST(OtlpLogs, KeepRecordsOfOneRequestInTheirRuns) {
  const auto record = [](std::string_view time) {
    return R"({"timeUnixNano":")" + std::string(time) + R"("})";
  };
  const auto taken = take_both(
      kLogs, request_of(kLogs, record("1640000000000000000") + "," + record("1640100000000000000") +
                                   "," + record("1640000000000000000")));
  ASSERT_THAT(taken.lines, SizeIs(3));
  EXPECT_EQ(at(taken.lines[0], {"run_id"}), at(taken.lines[2], {"run_id"}));
  EXPECT_NE(at(taken.lines[0], {"run_id"}), at(taken.lines[1], {"run_id"}));
}

// "Receivers SHOULD assume that the log record is not associated with a trace" (logs.proto).
TEST(OtlpLogs, AreOfNoTraceWhenItsIdIsWrong) {
  const auto line =
      log_line(R"({"traceId":"00000000000000000000000000000000","spanId":"eee19b7ec3c1b174"})");
  EXPECT_EQ(at(line, {"trace_id"}), "");
  EXPECT_EQ(at(line, {"span_id"}), "");
  EXPECT_EQ(at(line, {"attributes", "otlp", "trace_id"}), R"("00000000000000000000000000000000")");
  EXPECT_EQ(at(line, {"attributes", "otlp", "span_id"}), R"("eee19b7ec3c1b174")");
  EXPECT_EQ(at(log_line(R"({"traceId":"abcd"})"), {"attributes", "otlp", "trace_id"}), R"("abcd")");
}

TEST(OtlpLogs, RejectARecordWhoseIdIsBase64) {
  const auto taken =
      take(kLogs, Encoding::kJson,
           request_of(kLogs, R"({"traceId":"W47/95gDgQPSabYzgT/GDA=="},{"body":null})"));
  EXPECT_THAT(taken.lines, SizeIs(1));
  ASSERT_THAT(taken.rejections.named, SizeIs(1));
  EXPECT_THAT(taken.rejections.named[0].reason, HasSubstr("trace_id is base64"));
}

TEST(OtlpLogs, CanBeCutOffAnywhere) {
  const auto record = Message()
                          .fixed64(1, 1)
                          .varint(2, 9)
                          .text(3, "INFO")
                          .message(5, Message().text(1, "body"))
                          .message(6, Message().text(1, "k").message(2, Message().number(4, 1.5)))
                          .fixed32(8, 1);
  const auto body =
      Message().message(1, Message().message(2, Message().message(2, record))).bytes();
  EXPECT_THAT(take(kLogs, Encoding::kProtobuf, body).lines, SizeIs(1));
  for (std::size_t size = 1; size < body.size(); ++size) {
    EXPECT_THAT(take(kLogs, Encoding::kProtobuf, body.substr(0, size)).error, HasSubstr("byte "))
        << size;
  }
}

}  // namespace
}  // namespace weir::ingest::otlp
