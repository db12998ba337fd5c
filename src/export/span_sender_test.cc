#include "export/span_sender.h"

#include <gmock/gmock.h>

#include "export/http_server_testing.h"

namespace weir::exporting {
namespace {

using project::Span;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing_support::HttpServer;
using Kind = Reception::Kind;

std::vector<Span> some_spans(std::size_t count) {
  std::vector<Span> spans(count);
  for (std::size_t i = 0; i < count; ++i) {
    spans[i].context = {"0123456789abcdef0123456789abcdef", "00000000000000a" + std::to_string(i)};
    spans[i].origin = std::make_shared<project::SpanOrigin>();
  }
  return spans;
}

std::string answer(const std::string& status, const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\n" + more + "Content-Length: 0\r\n\r\n";
}

/// Waits of milliseconds, so that tests are fast.
SpanSender::Options hasty(std::vector<std::string>* told = nullptr) {
  return {.first_wait = std::chrono::milliseconds(1),
          .longest_wait = std::chrono::milliseconds(4),
          .on_problem = [told](const std::string& problem) {
            if (told != nullptr) told->push_back(problem);
          }};
}

/// A transport that answers in turn what it is told to.
SendRequest in_turn(std::vector<Reception> receptions, std::vector<std::string>& requests) {
  return [receptions = std::move(receptions), &requests](const std::string& request,
                                                         const std::stop_token&) {
    requests.push_back(request);
    return receptions.at(std::min(requests.size(), receptions.size()) - 1);
  };
}

TEST(SpanSender, SendsTheSameAgainUntilItIsTakenAndTellsOnce) {
  std::vector<std::string> requests, told;
  SpanSender sender(
      in_turn({{.kind = Kind::kNotNow, .why = "down"}, {.kind = Kind::kNotNow, .why = "busy"}, {}},
              requests),
      hasty(&told));
  ASSERT_TRUE(sender.send(some_spans(3), {}));
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[0], requests[2]);
  EXPECT_EQ(sender.statistics().sent, 3U);
  EXPECT_EQ(sender.statistics().retries, 2U);
  EXPECT_THAT(told, ElementsAre(HasSubstr("down")));
}

TEST(SpanSender, WhatIsTooLongIsSentInHalves) {
  std::vector<std::string> requests;
  SpanSender sender(in_turn({{.kind = Kind::kTooLong}, {}, {.kind = Kind::kTooLong}, {}}, requests),
                    hasty());
  ASSERT_TRUE(sender.send(some_spans(4), {}));
  // 4: too long; 2; 2: too long; 1; 1.
  EXPECT_THAT(requests, SizeIs(5));
  EXPECT_EQ(sender.statistics().sent, 4U);
}

TEST(SpanSender, WhatIsRefusedIsCountedAndNotSentAgain) {
  std::vector<std::string> requests, told;
  SpanSender sender(in_turn({{.kind = Kind::kRefused, .why = "status 400"}}, requests),
                    hasty(&told));
  ASSERT_TRUE(sender.send(some_spans(2), {}));
  EXPECT_THAT(requests, SizeIs(1));
  EXPECT_EQ(sender.statistics().refused, 2U);
  EXPECT_THAT(told, ElementsAre("2 spans will not be sent: status 400"));
}

TEST(SpanSender, WaitsAsLongAsTheReceiverSaysAndNotWhenItIsStopped) {
  std::vector<std::string> requests;
  std::stop_source stop;
  SpanSender sender(
      in_turn({{.kind = Kind::kNotNow, .retry_after = std::chrono::minutes(10)}}, requests),
      hasty());
  std::jthread stopping([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const auto sent = sender.send(some_spans(1), stop.get_token());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(requests, SizeIs(1));
}

struct StatusCase {
  std::string status;
  Kind kind;
};
class OtlpOverHttp : public testing::TestWithParam<StatusCase> {};

TEST_P(OtlpOverHttp, TriesAgainWhatOtlpSays) {
  const HttpServer server(answer(GetParam().status, "Retry-After: 7\r\n"));
  const auto send = otlp_over_http({.endpoint = server.url()});
  ASSERT_TRUE(send);
  const auto reception = (*send)("request", {});
  EXPECT_EQ(reception.kind, GetParam().kind) << reception.why;
  const bool is_told = reception.retry_after == std::chrono::seconds(7);
  EXPECT_EQ(is_told, reception.kind == Kind::kNotNow);
  ASSERT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(server.requests()[0], HasSubstr("POST /v1/traces HTTP/1.1"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Content-Type: application/x-protobuf"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Content-Encoding: gzip"));
}

INSTANTIATE_TEST_SUITE_P(
    All, OtlpOverHttp,
    testing::Values(StatusCase{"200 OK", Kind::kTaken}, StatusCase{"400 Bad", Kind::kRefused},
                    StatusCase{"401 No", Kind::kRefused}, StatusCase{"404 No", Kind::kRefused},
                    StatusCase{"413 Long", Kind::kTooLong}, StatusCase{"429 Busy", Kind::kNotNow},
                    StatusCase{"500 Bad", Kind::kRefused}, StatusCase{"502 Bad", Kind::kNotNow},
                    StatusCase{"503 Busy", Kind::kNotNow}, StatusCase{"504 Late", Kind::kNotNow}));

TEST(OtlpOverHttpAlone, NobodyThereIsNotNow) {
  const auto send = otlp_over_http({.endpoint = testing_support::dead_url()});
  ASSERT_TRUE(send);
  EXPECT_EQ((*send)("request", {}).kind, Kind::kNotNow);
}

TEST(OtlpOverHttpAlone, TellsWhatWasRefusedOfWhatWasTaken) {
  // partial_success {rejected_spans: 2, error_message: "old"}
  const std::string body("\x0A\x07\x08\x02\x12\x03old", 9);
  const HttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + body);
  const auto send = otlp_over_http({.endpoint = server.url() + "/other", .gzip = false});
  ASSERT_TRUE(send);
  const auto reception = (*send)("request", {});
  EXPECT_EQ(reception.kind, Kind::kTaken);
  EXPECT_EQ(reception.why, "of these spans 2 were refused: old");
  EXPECT_THAT(server.requests()[0], HasSubstr("POST /other HTTP/1.1"));
}

TEST(OtlpOverHttpAlone, ReadsWhatWasRefusedWhateverItsLengthAndOrder) {
  const std::string said(300, 'x');
  // partial_success {error_message (300 bytes, its length in two), an unknown field, rejected: 200}
  const auto inner = "\x12\xAC\x02" + said + "\x1A\x01?" + "\x08\xC8\x01";
  ASSERT_EQ(inner.size(), 309U);
  const auto whole = "\x0A\xB5\x02" + inner;
  const auto reception = taken_with(whole);
  EXPECT_EQ(reception.kind, Kind::kTaken);
  EXPECT_EQ(reception.rejected, 200U);
  EXPECT_EQ(reception.why, "of these spans 200 were refused: " + said);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(taken_with(whole.substr(0, cut)).rejected, 0U) << cut;
  }
}

TEST(SpanSender, CountsWhatWasRefusedOfWhatWasTaken) {
  std::vector<std::string> requests;
  SpanSender sender(in_turn({{.why = "two were old", .rejected = 2}}, requests), hasty());
  ASSERT_TRUE(sender.send(some_spans(5), {}));
  EXPECT_EQ(sender.statistics().sent, 3U);
  EXPECT_EQ(sender.statistics().refused, 2U);
}

TEST(SpanSender, WaitsAtLeastItsFirstWaitAndAtMostAnHour) {
  using std::chrono::milliseconds;
  const SpanSender::Options options{.first_wait = milliseconds(100)};
  EXPECT_EQ(wait_before(options, milliseconds(0), 0), milliseconds(100));
  EXPECT_EQ(wait_before(options, milliseconds(7000), 0), milliseconds(7000));
  EXPECT_EQ(wait_before(options, std::chrono::hours(9), 0), std::chrono::hours(1));
}

TEST(OtlpOverHttpAlone, RefusesAnEndpointOfAnotherKind) {
  EXPECT_FALSE(otlp_over_http({.endpoint = "collector:4317"}));
}

}  // namespace
}  // namespace weir::exporting
