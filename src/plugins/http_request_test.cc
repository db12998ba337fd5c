#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/http_server_testing.h"
#include "plugins/plugins.h"
#include "record/context.h"

namespace weir::plugins {
namespace {

using exporting::testing_support::HttpServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpRequest : public testing::Test {
 protected:
  HttpRequest() { add_http_tools(tools_); }

  std::expected<tool::Output, tool::Failure> run(const std::string& with,
                                                 std::stop_token stop = {}) {
    const auto given = json::parse(with);
    const json::Object payload;
    return run_caught(*tools_.find("http", "request"), {.run_id = "r",
                                                        .node_id = "n",
                                                        .payload = payload,
                                                        .with = *given->object(),
                                                        .folder = "/",
                                                        .stop = std::move(stop)});
  }
  std::string said(const std::string& with) {
    const auto output = run(with);
    return output ? json::to_text(output->payload)
                  : output.error().type + ": " + output.error().message;
  }
  static std::string to(const HttpServer& server, const std::string& more = "") {
    return R"({"url":")" + server.url() + R"(/x?y=1")" + more + "}";
  }

  tool::Registry tools_;
};

TEST_F(HttpRequest, GetsAValueOrAText) {
  const HttpServer json_server(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"a\": "
      "[1]}");
  EXPECT_THAT(said(to(json_server)),
              testing::EndsWith(R"("content_type":"application/json","body":{"a":[1]}})"));
  const HttpServer text_server(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n[]");
  EXPECT_EQ(said(to(text_server)), R"({"status":200,"content_type":"text/plain","body":"[]"})");
  EXPECT_THAT(text_server.requests()[0], StartsWith("GET /x?y=1 HTTP/1.1\r\n"));
}

TEST_F(HttpRequest, SendsMethodHeadersAndBody) {
  const HttpServer server("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(said(to(server, R"(,"method":"PUT","headers":{"X-A":"b"},"body":{"k":1})")),
            R"({"status":204,"content_type":null,"body":""})");
  EXPECT_THAT(server.requests()[0],
              AllOf(StartsWith("PUT /x?y=1 "), HasSubstr("\r\nX-A: b\r\n"),
                    HasSubstr("Content-Type: application/json"), testing::EndsWith("{\"k\":1}")));
}

TEST_F(HttpRequest, SaysInWhichTraceItAsks) {
  const HttpServer server("HTTP/1.1 204 No Content\r\n\r\n");
  auto context = record::TraceContext::start();
  ASSERT_TRUE(context.tracestate.set("weir", "r1"));
  ASSERT_TRUE(context.baggage.set({.key = "plan", .value = "gold"}));
  context.ids.correlation_id = "c-1";
  context.ids.user_id = "ann";
  const auto trace = "\r\ntraceparent: 00-" + context.trace_id.text() + "-";
  const auto asked = [&](const std::string& more = "") {
    const record::ContextScope scope(context);
    said(to(server, more));
    return server.requests().back();
  };
  EXPECT_THAT(asked(), AllOf(HasSubstr(trace), HasSubstr("\r\ntracestate: weir=r1\r\n"),
                             HasSubstr("\r\nbaggage: plan=gold\r\n"),
                             HasSubstr("\r\nx-correlation-id: c-1\r\n"), Not(HasSubstr("ann"))));
  EXPECT_THAT(asked(R"(,"headers":{"TraceParent":"mine"})"),
              AllOf(HasSubstr("\r\nTraceParent: mine\r\n"), Not(HasSubstr("\r\ntraceparent: ")),
                    HasSubstr("\r\ntracestate: weir=r1\r\n")));
  // A secret is for nobody.
  const auto token = "ghp_" + std::string(36, 'a') + "4B";
  ASSERT_TRUE(context.baggage.set({.key = "key", .value = token}));
  context.ids.correlation_id = token;
  EXPECT_THAT(asked(), AllOf(HasSubstr(trace), Not(HasSubstr("ghp_"))));
  // And nothing is said where there is no context.
  said(to(server));
  EXPECT_THAT(server.requests().back(), Not(HasSubstr("traceparent")));
}

TEST_F(HttpRequest, SaysWhetherAnotherTryMayHelp) {
  for (const auto& [status, again] : std::initializer_list<std::pair<std::string, bool>>{
           {"404", false}, {"429", true}, {"500", true}, {"503", true}, {"400", false}}) {
    const HttpServer server("HTTP/1.1 " + status + " X\r\nContent-Length: 3\r\n\r\nwhy");
    const auto output = run(to(server));
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().type, "HttpStatus");
    EXPECT_EQ(output.error().message, "node 'n': the answer is " + status + ": why");
    EXPECT_EQ(output.error().retryable, again) << status;
  }
  const auto nobody = run(R"({"url":")" + exporting::testing_support::dead_url() + R"("})");
  EXPECT_EQ(nobody.error().type, "HttpUnreachable");
  EXPECT_EQ(nobody.error().retryable, true);
}

TEST_F(HttpRequest, HoldsItsLimits) {
  const HttpServer large("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
  EXPECT_EQ(said(to(large, R"(,"max_bytes":10)")),
            "HttpTooLarge: node 'n': the answer has more than 10 bytes, the limit ('max_bytes')");
  EXPECT_THAT(said(to(large, R"(,"max_bytes":11)")), HasSubstr("hello world"));
  const HttpServer slow([](const auto& client, const auto&) { client.wait_until_gone(); });
  EXPECT_THAT(said(to(slow, R"(,"timeout_ms":100)")), StartsWith("HttpTimeout: "));
}

TEST_F(HttpRequest, FollowsNoRedirectAndUsesNoOtherScheme) {
  const HttpServer server(
      "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(said(to(server)), StartsWith(R"({"status":302,)"));
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(said(R"({"url":"file:///etc/passwd"})"), StartsWith("InvalidRequest: "));
  EXPECT_THAT(said(to(server, R"(,"headers":{"A":"b\r\nC: d"})")), StartsWith("InvalidRequest: "));
}

TEST_F(HttpRequest, StopsWhenAsked) {
  const HttpServer slow([](const auto& client, const auto&) { client.wait_until_gone(); });
  std::stop_source stop;
  std::jthread stopper([&] {
    slow.wait_for_request();
    stop.request_stop();
  });
  EXPECT_EQ(run(to(slow), stop.get_token()).error().type, "Cancelled");
}

}  // namespace
}  // namespace weir::plugins
