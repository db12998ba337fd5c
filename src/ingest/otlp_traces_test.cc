#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/otlp_testing.h"
#include "ingest/protobuf_testing.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::testing_support::Message;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing_support::at;
using testing_support::attributes;
using testing_support::kArrived;
using testing_support::kTraces;
using testing_support::line_of;
using testing_support::request_of;
using testing_support::Signal;
using testing_support::span_with;
using testing_support::take;
using testing_support::take_both;
using testing_support::take_into;
using testing_support::text_attribute;

std::string span_line(std::string_view members, std::string_view resource = "{}",
                      std::string_view scope = "{}") {
  return line_of(kTraces, span_with(members), resource, scope);
}

/// Reasons of the spans of one request that are rejected.
std::vector<std::string> reasons(const testing_support::Taken& taken) {
  std::vector<std::string> found;
  for (const auto& one : taken.rejections.named) {
    found.push_back(std::to_string(one.index) + ": " + one.reason);
  }
  return found;
}

Message attribute(std::string_view key, const Message& value) {
  return Message().text(1, key).message(2, value);
}

/// A child span with most of what one may have.
Message whole_span() {
  return Message()
      .text(1, "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c")
      .text(2, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74")
      .text(3, "vendor=1, weir=019B8A2F-7C00-7000-8000-000000000001")
      .text(4, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73")
      .text(5, "GET /users")
      .varint(6, 2)
      .fixed64(7, 1'640'000'000'000'000'123)
      .fixed64(8, 1'640'000'000'100'000'123)
      .message(9, attribute("http.method", Message().text(1, "GET")))
      .message(9, attribute("http.status_code", Message().varint(3, 500)))
      .message(9, attribute("error.type", Message().text(1, "500")))
      .varint(10, 3)
      .message(11, Message()
                       .fixed64(1, 1'640'000'000'050'000'001)
                       .text(2, "retry")
                       .message(3, attribute("again", Message().varint(2, 1)))
                       .varint(4, 7))
      .message(13, Message()
                       .text(1, "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0d")
                       .text(2, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x75"))
      .message(15, Message().text(2, "no users").varint(3, 2))
      .fixed32(16, 0x101);
}

Message whole_request() {
  return Message().message(
      1, Message()
             .message(1, Message()
                             .message(1, attribute("service.name", Message().text(1, "shop")))
                             .message(1, attribute("service.version", Message().text(1, "1.2")))
                             .message(1, attribute("deployment.environment.name",
                                                   Message().text(1, "production"))))
             .message(2, Message()
                             .message(1, Message().text(1, "http").text(2, "0.9"))
                             .message(2, whole_span())
                             .text(3, "https://schema/2"))
             .text(3, "https://schema/1"));
}

TEST(OtlpTraces, MakeAnEventOfASpan) {
  const auto taken = take(kTraces, Encoding::kProtobuf, whole_request().bytes());
  EXPECT_EQ(taken.error, "");
  EXPECT_THAT(
      taken.lines,
      ElementsAre(
          R"({"timestamp":"2021-12-20T11:33:20.100000Z","event_type":"span","level":"ERROR",)"
          R"("pipeline_type":"external","pipeline_id":"shop","pipeline_version":"1.2","run_id":")" +
          foreign_run_id("otlp", "5b8efff798038103d269b633813fc60c").text() +
          R"(","run_seq":1000000000000000,"environment_id":"production","component":"http",)"
          R"("parent_run_id":"019b8a2f-7c00-7000-8000-000000000001",)"
          R"("trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174",)"
          R"("parent_span_id":"eee19b7ec3c1b173","node_id":"GET /users","plugin_id":"http",)"
          R"("tool_id":"GET /users","duration_ms":100.0,"error_type":"500",)"
          R"("error_message":"no users","event_id":"eee19b7ec3c1b174-2-1640000000000000123",)"
          R"("source":"otlp","source_run_id":"5b8efff798038103d269b633813fc60c","attributes":{)"
          R"("http.method":"GET","http.status_code":500,"error.type":"500","otlp":{)"
          R"("kind":"server","trace_state":"vendor=1, weir=019B8A2F-7C00-7000-8000-000000000001",)"
          R"("flags":257,"events":[{"time_unix_nano":"1640000000050000001","name":"retry",)"
          R"("attributes":{"again":true},"dropped_attributes_count":7}],)"
          R"("links":[{"trace_id":"5b8efff798038103d269b633813fc60d",)"
          R"("span_id":"eee19b7ec3c1b175"}],"dropped_attributes_count":3,"resource":{)"
          R"("service.name":"shop","service.version":"1.2",)"
          R"("deployment.environment.name":"production"},"resource_schema_url":"https://schema/1",)"
          R"("scope":{"name":"http","version":"0.9"},"schema_url":"https://schema/2"}}})"));
}

TEST(OtlpTraces, SayOfARootWhatARunIsCalled) {
  const auto line = span_line(R"("parentSpanId":"","kind":"SPAN_KIND_SERVER","status":{"code":1})",
                              R"({"attributes":[)" + text_attribute("service.name", "shop") + "]}");
  EXPECT_EQ(at(line, {"parent_span_id"}), "");
  EXPECT_EQ(at(line, {"node_id"}), "");
  EXPECT_EQ(at(line, {"plugin_id"}), "");
  EXPECT_EQ(at(line, {"pipeline_name"}), R"("work")");
  EXPECT_EQ(at(line, {"operation"}), R"("work")");
  EXPECT_EQ(at(line, {"pipeline_id"}), R"("shop")");
  EXPECT_EQ(at(line, {"level"}), R"("INFO")");
  EXPECT_EQ(at(line, {"attributes", "otlp", "kind"}), R"("server")");
  EXPECT_EQ(at(line, {"attributes", "otlp", "status_code"}), R"("ok")");
}

TEST(OtlpTraces, TakeAParentOfZerosForNone) {
  const auto line = span_line(R"("parentSpanId":"0000000000000000")");
  EXPECT_EQ(at(line, {"parent_span_id"}), "");
  EXPECT_EQ(at(line, {"pipeline_name"}), R"("work")");
}

TEST(OtlpTraces, TakeSpansThatAreOpenOrHaveNoTimes) {
  const std::string ids =
      R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n")";
  const auto open = line_of(kTraces, ids + R"(,"startTimeUnixNano":"1640000000000000000"})");
  EXPECT_EQ(at(open, {"timestamp"}), R"("2021-12-20T11:33:20.000000Z")");
  EXPECT_EQ(at(open, {"duration_ms"}), "");
  const auto ended = line_of(kTraces, ids + R"(,"endTimeUnixNano":1640000000000000000})");
  EXPECT_EQ(at(ended, {"timestamp"}), R"("2021-12-20T11:33:20.000000Z")");
  EXPECT_EQ(at(ended, {"duration_ms"}), "");
  const auto timeless = line_of(kTraces, ids + "}");
  EXPECT_EQ(at(timeless, {"timestamp"}), '"' + to_string(kArrived) + '"');
}

TEST(OtlpTraces, KeepASpanThatEndsBeforeItStarts) {
  const auto line = span_line(
      R"("startTimeUnixNano":"1640000000200000000","endTimeUnixNano":"1640000000100000000")");
  EXPECT_EQ(at(line, {"duration_ms"}), "-100.0");
  EXPECT_EQ(at(line, {"timestamp"}), R"("2021-12-20T11:33:20.100000Z")");
}

TEST(OtlpTraces, KeepTimesOfAllSizes) {
  const auto last = span_line(R"("endTimeUnixNano":"18446744073709551615")");
  EXPECT_EQ(at(last, {"timestamp"}), R"("2554-07-21T23:34:33.709551Z")");
  EXPECT_EQ(at(last, {"attributes"}), "");
  const auto body = request_of(kTraces, span_with(R"("endTimeUnixNano":"99999999999999999999",)"
                                                  R"("startTimeUnixNano":-5)"));
  const auto taken = take(kTraces, Encoding::kJson, body);
  ASSERT_THAT(taken.lines, SizeIs(1));
  EXPECT_EQ(at(taken.lines[0], {"timestamp"}), R"("2554-07-21T23:34:33.709551Z")");
  EXPECT_EQ(at(taken.lines[0], {"attributes", "otlp", "end_time_unix_nano"}),
            R"("99999999999999999999")");
  EXPECT_EQ(at(taken.lines[0], {"attributes", "otlp", "start_time_unix_nano"}), R"("-5")");
  const auto rounded = span_line(R"("startTimeUnixNano":1.64e18)");
  EXPECT_EQ(at(rounded, {"event_id"}), R"("eee19b7ec3c1b174-0-1640000000000000000")");
}

TEST(OtlpTraces, RejectTheSpansWhoseIdsAreWrongAndTakeTheOthers) {
  const std::string good = R"("traceId":"5B8EFFF798038103D269B633813FC60C",)";
  const std::string rest = R"(,"name":"n"})";
  const auto body = request_of(
      kTraces, R"({"traceId":"ABC","spanId":"EEE19B7EC3C1B174")" + rest + ",{" + good +
                   R"("spanId":"EEE19B7EC3C1B174")" + rest + ",{" + good + R"("spanId":"")" + rest +
                   ",{" + good + R"("spanId":"0000000000000000")" + rest + ",{" + good +
                   R"("spanId":"7uGbfsPBsXQ=")" + rest + ",{" + good +
                   R"("spanId":"EEE19B7EC3C1B174","parentSpanId":"xyz")" + rest + ",{" + good +
                   R"("spanId":"EEE19B7EC3C1B174"},{"traceId":"W47/95gDgQPSabYzgT/GDA=="})");
  const auto taken = take_both(kTraces, body);
  EXPECT_THAT(taken.lines, ElementsAre(HasSubstr("5b8efff798038103d269b633813fc60c")));
  EXPECT_EQ(taken.rejections.records, 8U);
  EXPECT_THAT(
      reasons(taken),
      ElementsAre(R"(0: trace_id "ABC" is not 32 hexadecimal digits)", "2: span_id is missing",
                  "3: span_id is all zero",
                  "4: span_id is base64: OTLP has ids in JSON as 16 hexadecimal digits",
                  R"(5: parent_span_id "xyz" is not 16 hexadecimal digits)", "6: name is missing",
                  "7: trace_id is base64: OTLP has ids in JSON as 32 hexadecimal digits"));
}

TEST(OtlpTraces, RejectIdsOfTheWrongLengthInProtobuf) {
  const auto body = Message().message(
      1, Message().message(
             2, Message().message(2, Message().text(1, "5b8efff798038103d269b633813fc60c"))));
  EXPECT_THAT(reasons(take(kTraces, Encoding::kProtobuf, body.bytes())),
              ElementsAre("0: trace_id has 32 bytes instead of 16"));
}

TEST(OtlpTraces, KeepTheTypesOfAttributes) {
  const auto line = span_line(attributes(
      R"({"key":"s","value":{"stringValue":"a\"b\n"}},{"key":"i","value":{"intValue":"-9223372036854775808"}},)"
      R"({"key":"j","value":{"intValue":7}},{"key":"d","value":{"doubleValue":637}},)"
      R"({"key":"n","value":{"doubleValue":"NaN"}},{"key":"f","value":{"doubleValue":"-Infinity"}},)"
      R"({"key":"b","value":{"boolValue":true}},{"key":"y","value":{"bytesValue":"AAAwOQ=="}},)"
      R"({"key":"l","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"1"},{},{"arrayValue":{}}]}}},)"
      R"({"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"kvlistValue":{}}}]}}},)"
      R"({"value":{"boolValue":false},"key":"turned"},{"key":"none"},{"key":"null","value":null})"));
  EXPECT_EQ(at(line, {"attributes"}),
            R"({"s":"a\"b\n","i":-9223372036854775808,"j":7,"d":637.0,"n":"NaN","f":"-Infinity",)"
            R"("b":true,"y":"AAAwOQ==","l":["x",1,null,[]],"m":{"k":{}},"turned":false,)"
            R"("none":null,"null":null})");
}

TEST(OtlpTraces, PutAnAttributeThatHasOurNameWhereItMeetsNone) {
  const auto line =
      span_line(attributes(text_attribute("a", "1") + "," + text_attribute("otlp", "mine") + "," +
                           text_attribute("b", "2")) +
                R"(,"kind":3)");
  EXPECT_EQ(at(line, {"attributes"}),
            R"({"a":"1","b":"2","otlp":{"kind":"client","attributes":{"otlp":"mine"}}})");
  const auto first = span_line(attributes(text_attribute("otlp", "mine")));
  EXPECT_EQ(at(first, {"attributes"}), R"({"otlp":{"attributes":{"otlp":"mine"}}})");
}

TEST(OtlpTraces, RejectASpanWhoseAttributesAreTooDeep) {
  const auto nested = [](int depth) {
    std::string value = R"({"intValue":"1"})";
    for (int i = 0; i < depth; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
    return attributes(R"({"key":"deep","value":)" + value + "}");
  };
  const auto deepest = take(kTraces, Encoding::kJson, request_of(kTraces, span_with(nested(64))));
  EXPECT_THAT(deepest.lines, ElementsAre(HasSubstr(std::string(64, '[') + "1]")));
  Message value = Message().varint(3, 1);
  for (int i = 0; i < 65; ++i) value = Message().message(5, Message().message(1, value));
  const auto request = [](const Message& span) {
    return Message().message(1, Message().message(2, Message().message(2, span))).bytes();
  };
  const auto in_json = take(kTraces, Encoding::kJson,
                            request_of(kTraces, span_with(nested(65)) + "," + span_with("")));
  const auto in_protobuf =
      take(kTraces, Encoding::kProtobuf, request(Message().message(9, attribute("deep", value))));
  const auto* const reason = "0: an attribute has lists in lists over 64 levels deep";
  EXPECT_THAT(reasons(in_json), ElementsAre(reason));
  EXPECT_THAT(in_json.lines, SizeIs(1));
  EXPECT_THAT(reasons(in_protobuf), ElementsAre(reason));
}

TEST(OtlpTraces, SayWhatFailed) {
  const auto event = [](std::string_view type, std::string_view message) {
    return R"({"name":"exception","attributes":[)" + text_attribute("exception.type", type) + "," +
           text_attribute("exception.message", message) + "," +
           text_attribute("exception.stacktrace", "at f") + "]}";
  };
  const auto line = span_line(R"("status":{"code":"STATUS_CODE_ERROR"},"events":[)" +
                              event("First", "1") + "," + event("KeyError", "'x'") + "]");
  EXPECT_EQ(at(line, {"level"}), R"("ERROR")");
  EXPECT_EQ(at(line, {"error_type"}), R"("KeyError")");
  EXPECT_EQ(at(line, {"error_message"}), R"("'x'")");
  EXPECT_EQ(at(line, {"stack_trace"}), R"("at f")");
  const auto told = span_line(R"("status":{"code":2,"message":"broken"},"events":[)" +
                              event("KeyError", "'x'") + "]," +
                              attributes(text_attribute("error.type", "timeout") +
                                         R"(,{"key":"process.exit.code","value":{"intValue":3}})"));
  EXPECT_EQ(at(told, {"error_type"}), R"("timeout")");
  EXPECT_EQ(at(told, {"error_message"}), R"("broken")");
  EXPECT_EQ(at(told, {"exit_code"}), "3");
  const auto fine = span_line(R"("status":{"message":"odd"})");
  EXPECT_EQ(at(fine, {"error_message"}), "");
  EXPECT_EQ(at(fine, {"attributes", "otlp", "status_message"}), R"("odd")");
}

TEST(OtlpTraces, SayWhichTaskOfWhichPipelineItWas) {
  const auto line =
      span_line(R"("parentSpanId":"eee19b7ec3c1b173",)" +
                    attributes(text_attribute("cicd.pipeline.task.name", "build") + "," +
                               text_attribute("cicd.pipeline.task.run.result", "timeout") + "," +
                               text_attribute("weir.plugin_id", "make") +
                               R"(,{"key":"weir.attempt","value":{"intValue":"2"}},)"
                               R"({"key":"weir.step_index","value":{"doubleValue":4}})"),
                R"({"attributes":[)" + text_attribute("service.name", "ci") + "," +
                    text_attribute("cicd.pipeline.name", "nightly") + "]}");
  EXPECT_EQ(at(line, {"pipeline_id"}), R"("nightly")");
  EXPECT_EQ(at(line, {"node_id"}), R"("build")");
  EXPECT_EQ(at(line, {"plugin_id"}), R"("make")");
  EXPECT_EQ(at(line, {"tool_id"}), R"("work")");
  EXPECT_EQ(at(line, {"outcome"}), R"("timeout")");
  EXPECT_EQ(at(line, {"attempt"}), "2");
  EXPECT_EQ(at(line, {"step_index"}), "4");
  const auto outcome = [](std::string_view result) {
    return at(span_line(attributes(text_attribute("cicd.pipeline.result", result))), {"outcome"});
  };
  EXPECT_EQ(outcome("success"), "");
  EXPECT_EQ(outcome("failure"), R"("failed")");
  EXPECT_EQ(outcome("cancellation"), R"("cancelled")");
  EXPECT_EQ(outcome("skip"), R"("skipped")");
  EXPECT_EQ(outcome("elsewise"), R"("unknown")");
}

TEST(OtlpTraces, NameThePipelineByTheMostParticularOfItsNames) {
  const auto pipeline = [](std::string_view of_span, std::string_view of_resource) {
    const auto named = [](std::string_view key) {
      return key.empty() ? std::string() : text_attribute(key, key);
    };
    return at(
        span_line(attributes(named(of_span)), R"({"attributes":[)" + named(of_resource) + "]}"),
        {"pipeline_id"});
  };
  EXPECT_EQ(pipeline("", ""), R"("otlp")");
  EXPECT_EQ(pipeline("", "service.name"), R"("service.name")");
  EXPECT_EQ(pipeline("cicd.pipeline.name", "service.name"), R"("cicd.pipeline.name")");
  EXPECT_EQ(pipeline("cicd.pipeline.name", "weir.pipeline_id"), R"("weir.pipeline_id")");
  EXPECT_EQ(pipeline("weir.pipeline_id", "cicd.pipeline.name"), R"("weir.pipeline_id")");
}

TEST(OtlpTraces, KnowTheParentRunByTheTracestate) {
  const auto parent = [](std::string_view state) {
    return at(span_line(R"("traceState":")" + std::string(state) + '"'), {"parent_run_id"});
  };
  const std::string run = "019b8a2f-7c00-7000-8000-000000000001";
  EXPECT_EQ(parent("weir=" + run), '"' + run + '"');
  EXPECT_EQ(parent("a=b , weir=" + run + " ,c=d"), '"' + run + '"');
  EXPECT_EQ(parent("xweir=" + run), "");
  EXPECT_EQ(parent("weir=7"), "");
  EXPECT_EQ(parent(",,"), "");
}

TEST(OtlpTraces, FindTheResourceAndTheScopeWhereverTheyStand) {
  const auto body = R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + span_with("") +
                    R"(],"schemaUrl":"s","scope":{"name":"lib"}}],"resource":{"attributes":[)" +
                    text_attribute("service.name", "shop") + R"(]}}]})";
  const auto taken = take_both(kTraces, body);
  ASSERT_THAT(taken.lines, SizeIs(1));
  EXPECT_EQ(at(taken.lines[0], {"pipeline_id"}), R"("shop")");
  EXPECT_EQ(at(taken.lines[0], {"component"}), R"("lib")");
  EXPECT_EQ(at(taken.lines[0], {"attributes", "otlp", "schema_url"}), R"("s")");
}

TEST(OtlpTraces, KeepResourcesAndScopesApart) {
  const auto group = [](std::string_view service, std::string_view scope) {
    return R"({"resource":{"attributes":[)" + text_attribute("service.name", service) +
           R"(]},"scopeSpans":[{"scope":{"name":")" + std::string(scope) + R"("},"spans":[)" +
           span_with("") + R"(]},{"spans":[)" + span_with("") + "]}]}";
  };
  const auto taken = take_both(kTraces, R"({"resourceSpans":[)" + group("a", "x") +
                                            R"(,{"scopeSpans":[{"spans":[)" + span_with("") +
                                            "]}]}," + group("b", "y") + "]}");
  ASSERT_THAT(taken.lines, SizeIs(5));
  std::vector<std::string> found;
  for (const auto& line : taken.lines) {
    found.push_back(at(line, {"pipeline_id"}) + at(line, {"component"}));
  }
  EXPECT_THAT(found, ElementsAre(R"("a""x")", R"("a")", R"("otlp")", R"("b""y")", R"("b")"));
}

TEST(OtlpTraces, TakeNullForWhatIsNotSaid) {
  const auto line = line_of(
      kTraces,
      R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n",)"
      R"("parentSpanId":null,"kind":null,"attributes":null,"events":null,"links":null,)"
      R"("status":null,"traceState":null,"startTimeUnixNano":null,"droppedLinksCount":null})",
      "null", "null");
  EXPECT_EQ(at(line, {"attributes"}), "");
  EXPECT_THAT(take(kTraces, Encoding::kJson, R"({"resourceSpans":null})").lines, IsEmpty());
}

TEST(OtlpTraces, IgnoreFieldsThatTheyDoNotKnow) {
  const auto line = span_line(R"("newField":{"a":[1,{"b":null}]},"other":"x")");
  EXPECT_EQ(at(line, {"attributes"}), "");
  auto span = whole_span();
  span.varint(99, 1).text(98, "x").fixed32(97, 1).fixed64(1, 5);
  const auto body =
      Message().message(1, Message().message(2, Message().message(2, span))).varint(7, 1);
  const auto taken = take(kTraces, Encoding::kProtobuf, body.bytes());
  EXPECT_EQ(taken.error, "");
  EXPECT_THAT(taken.lines, SizeIs(1)) << "a known number with another type is unknown";
}

TEST(OtlpTraces, RejectASpanOfWrongTypesAndTakeTheOthers) {
  const auto body = request_of(kTraces, span_with(R"("name":5)") + "," + span_with("") + R"(,7,)" +
                                            span_with(R"("attributes":[{"key":"a","value":"b"}])") +
                                            "," + span_with(R"("startTimeUnixNano":"soon")") + "," +
                                            span_with(R"("kind":"SPAN_KIND_ODD")"));
  const auto taken = take(kTraces, Encoding::kJson, body);
  EXPECT_THAT(taken.lines, SizeIs(1));
  EXPECT_THAT(reasons(taken),
              ElementsAre("0: name should be a string", "2: a span should be an object",
                          "3: the value of an attribute should be an object",
                          "4: startTimeUnixNano should be a number of nanoseconds",
                          "5: kind should be the number of one of its values"));
}

TEST(OtlpTraces, RejectOnlyTheSpansOfAResourceThatIsWrong) {
  const auto body = R"({"resourceSpans":[{"resource":{"attributes":{}},"scopeSpans":[{"spans":[)" +
                    span_with("") + R"(]}]},{"scopeSpans":[{"scope":7,"spans":[)" + span_with("") +
                    R"(]},{"spans":[)" + span_with("") + "]}]}]}";
  const auto taken = take(kTraces, Encoding::kJson, body);
  EXPECT_THAT(taken.lines, SizeIs(1));
  EXPECT_THAT(reasons(taken), ElementsAre("0: its resource: attributes should be a list",
                                          "1: its scope: scope should be an object"));
}

TEST(OtlpTraces, SayOfAMalformedRequestWhereItIsSo) {
  EXPECT_EQ(take(kTraces, Encoding::kJson, R"({"resourceSpans":{}})").error,
            "byte 17: a list should be here");
  EXPECT_EQ(take(kTraces, Encoding::kJson, "this is no JSON").error,
            "byte 0: an object should be here");
  EXPECT_EQ(take(kTraces, Encoding::kProtobuf, "\x0a\x05\x12").error,
            "byte 1: a field is longer than what it stands in");
  EXPECT_EQ(take(kTraces, Encoding::kProtobuf, "").error, "") << "no spans";
}

// What a resource says is masked once, and every one of its events says so.
TEST(OtlpTraces, SayNoSecretOfTheirResourceOrScope) {
  const auto taken = take_both(
      kTraces,
      request_of(kTraces, span_with("") + "," + span_with(R"("kind":2)"),
                 R"({"attributes":[)" + text_attribute("db.password", "hunter2hunter2") + "," +
                     text_attribute("service.name", "shop") + "]}",
                 R"({"attributes":[)" + text_attribute("api_key", "hunter2hunter2") + "]}"));
  ASSERT_THAT(taken.lines, SizeIs(2));
  for (const auto& line : taken.lines) {
    EXPECT_THAT(line, Not(HasSubstr("hunter2")));
    EXPECT_EQ(at(line, {"attributes", "redacted"}), R"({"named_secret":2})");
    EXPECT_EQ(at(line, {"attributes", "otlp", "resource", "service.name"}), R"("shop")");
  }
  EXPECT_EQ(at(taken.lines[1], {"attributes", "otlp", "kind"}), R"("server")");
}

// An exporter may tell of a span when it begins, and again when it ends.
TEST(OtlpTraces, ThatAreOpenAndThatHaveEndedAreTwoEvents) {
  const auto span = [](const std::string& end) {
    return R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",)"
           R"("name":"work","startTimeUnixNano":"1640000000000000000")" +
           end + "}";
  };
  const auto body = request_of(kTraces, span("") + "," + span(R"(,"endTimeUnixNano":"0")") + "," +
                                            span(R"(,"endTimeUnixNano":"1640000000000000000")"));
  const auto taken = take_both(kTraces, body);
  ASSERT_THAT(taken.lines, SizeIs(3));
  EXPECT_EQ(at(taken.lines[0], {"event_id"}), R"("eee19b7ec3c1b174-0-1640000000000000000-open")");
  EXPECT_EQ(at(taken.lines[1], {"event_id"}), at(taken.lines[0], {"event_id"}));
  EXPECT_EQ(at(taken.lines[2], {"event_id"}), R"("eee19b7ec3c1b174-0-1640000000000000000")");
  EXPECT_EQ(at(taken.lines[0], {"duration_ms"}), "");
  EXPECT_EQ(at(taken.lines[2], {"duration_ms"}), "0.0");
}

// Of what is cut off nothing is taken, except where a whole message ends.
TEST(OtlpTraces, CanBeCutOffAnywhere) {
  const auto body = whole_request().bytes();
  for (std::size_t size = 1; size < body.size(); ++size) {
    const auto taken = take(kTraces, Encoding::kProtobuf, body.substr(0, size));
    EXPECT_THAT(taken.error, HasSubstr("byte ")) << size;
  }
  const auto json =
      request_of(kTraces,
                 span_with(attributes(text_attribute("a", "1")) +
                           R"(,"events":[{"name":"e"}],"links":[{"flags":1}],"status":{"code":2})"),
                 R"({"attributes":[]})", R"({"name":"s"})");
  for (std::size_t size = 0; size < json.size(); ++size) {
    const auto taken = take(kTraces, Encoding::kJson, json.substr(0, size));
    EXPECT_THAT(taken.error, HasSubstr("byte ")) << size;
  }
}

// Whatever a byte becomes: an error, or events that the catalogue takes.
TEST(OtlpTraces, TakeAnyBytes) {
  const auto body = whole_request().bytes();
  std::size_t errors = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (const unsigned change : {0x01U, 0x80U, 0xFFU}) {
      auto changed = body;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ change);
      errors += take(kTraces, Encoding::kProtobuf, changed).error.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(errors, 0U);
}

TEST(OtlpTraces, AddToWhatIsThere) {
  const auto redactor = *event::Redactor::make({});
  LineMaker lines(redactor, "acme", "0123");
  const auto body = whole_request().bytes();
  ASSERT_TRUE(take_into(lines, kTraces, Encoding::kProtobuf, body));
  EXPECT_FALSE(take_into(lines, kTraces, Encoding::kProtobuf, body + "\x0a"));
  EXPECT_EQ(lines.size(), 1U);
  ASSERT_TRUE(take_into(lines, kTraces, Encoding::kProtobuf, body));
  const auto made = *lines.take();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made.line(0), made.line(1));
  EXPECT_EQ(made.places[0].key, made.places[1].key) << "one span told twice";
}

}  // namespace
}  // namespace weir::ingest::otlp
