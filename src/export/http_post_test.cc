#include "export/http_post.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "base/id.h"
#include "export/hooks.h"
#include "export/http_server_testing.h"
#include "project/event_feed_testing.h"

namespace weir::exporting {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing_support::Client;
using testing_support::dead_url;
using testing_support::HttpServer;

constexpr auto kLong = 60s;
constexpr auto kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

Result<void> post(const std::string& url, std::string_view body = "{}",
                  const record::HttpHeaders& headers = {}, const std::stop_token& stop = {}) {
  return http_post({.timeout = kLong})(url, body, headers, stop);
}

/// The message of what must fail.
std::string error(const Result<void>& result) {
  EXPECT_FALSE(result);
  return result ? "" : result.error().message;
}

TEST(ThreadsHttpPost, SendsTheBodyAsItIsWithItsHeaders) {
  const HttpServer server(kNoContent);
  const std::string body = "{\"name\":\"Zoë ☃ \\u0000\",\"a\":1}";
  ASSERT_TRUE(
      post(server.url() + "/hook?a=b", body, {{"Content-Type", "application/json"}, {"X", ""}}));
  ASSERT_THAT(server.requests(), SizeIs(1));
  const auto request = server.requests()[0];
  EXPECT_THAT(request, AllOf(StartsWith("POST /hook?a=b HTTP/1.1\r\n"),
                             HasSubstr("\r\nContent-Type: application/json\r\n"),
                             HasSubstr("\r\nX:\r\n"), EndsWith("\r\n\r\n" + body)));
}

TEST(ThreadsHttpPost, SendsLongAndEmptyBodies) {
  const HttpServer server(kNoContent);
  const std::string body(std::size_t{3} << 20, 'x');
  ASSERT_TRUE(post(server.url(), body));
  ASSERT_TRUE(post(server.url(), ""));
  EXPECT_THAT(server.requests()[0], EndsWith("\r\n\r\n" + body));
  EXPECT_THAT(server.requests()[1], EndsWith("\r\n\r\n"));
}

TEST(ThreadsHttpPost, FailsWithTheStatusAndTheTextOfARefusal) {
  const HttpServer server("HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\nno\x1b[2Jroom\n\xff");
  const auto result = post(server.url());
  EXPECT_EQ(error(result), "POST " + server.url() + ": status 503: no\\x1b[2Jroom \xEF\xBF\xBD");
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  const HttpServer other("HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(error(post(other.url())), "POST " + other.url() + ": status 404");
}

// Servers that show the request they did not like are common.
TEST(ThreadsHttpPost, KeepsSecretsOutOfErrorsEvenIfTheReceiverRepeatsThem) {
  const HttpServer server([](const Client& client, const std::string& request) {
    const auto text = "user:hunter2 /services/T0123/a b&c " + request;
    static_cast<void>(client.send(
        "HTTP/1.1 400 No\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text));
  });
  const auto port = server.url().substr(std::string("http://").size());
  const auto url = "http://user:hunter2@" + port + "/services/T0123/a%20b%26c?token=geheim&x=1";
  const auto message = error(post(url, "{}", {{"Authorization", "Bearer sesame"}}));
  EXPECT_THAT(message, StartsWith("POST " + server.url() + ": status 400: "));
  for (const char* secret : {"hunter2", "user", "T0123", "a b&c", "a%20b", "geheim", "sesame",
                             "services", "dXNlcjpodW50ZXIy"}) {
    EXPECT_THAT(message, Not(HasSubstr(secret)));
  }
}

TEST(ThreadsHttpPost, QuotesTheBeginningOfALongRefusal) {
  const HttpServer server("HTTP/1.1 500 No\r\nContent-Length: 5000\r\n\r\n" +
                          std::string(5000, 'x'));
  EXPECT_EQ(error(post(server.url())),
            "POST " + server.url() + ": status 500: " + std::string(kMaxQuotedBytes, 'x'));
}

/// Sends without end.
HttpServer::Answer endless(std::string begin) {
  return [begin = std::move(begin)](const Client& client, const std::string&) {
    if (!client.send(begin)) return;
    while (client.send(std::string(1000, 'y'))) {
    }
  };
}

TEST(ThreadsHttpPost, ReadsNoMoreOfAnAnswerThanItsLimit) {
  const HttpServer glad(endless("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_TRUE(post(glad.url()));
  const HttpServer sad(endless("HTTP/1.1 500 No\r\n\r\n"));
  EXPECT_THAT(error(post(sad.url())), HasSubstr("status 500: yyyy"));
  const HttpServer header(endless("HTTP/1.1 200 OK\r\nX: "));
  EXPECT_FALSE(post(header.url()));
  const HttpServer headers([](const Client& client, const std::string&) {
    if (!client.send("HTTP/1.1 200 OK\r\n")) return;
    while (client.send("X: " + std::string(1000, 'y') + "\r\n")) {
    }
  });
  EXPECT_FALSE(post(headers.url()));
}

TEST(ThreadsHttpPost, EndsAtOnceWhenAskedToStop) {
  const HttpServer server(
      [](const Client& client, const std::string&) { client.wait_until_gone(); });
  std::stop_source stop;
  const std::jthread asker([&] {
    server.wait_for_request();
    stop.request_stop();
  });
  const auto result = post(server.url(), "{}", {}, stop.get_token());
  EXPECT_EQ(error(result), "POST " + server.url() + ": asked to stop");
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
}

TEST(ThreadsHttpPost, DoesNotBeginWhenAskedToStopBefore) {
  const HttpServer server(kNoContent);
  const std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(post(server.url(), "{}", {}, stop.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST(ThreadsHttpPost, GivesUpAnAnswerThatComesTooSlowly) {
  const HttpServer server([](const Client& client, const std::string&) {
    if (!client.send("HTTP/1.1 200 OK\r\nX: ")) return;
    while (!client.is_gone(5) && client.send("y")) {
    }
  });
  const auto result = http_post({.timeout = 50ms})(server.url(), "{}", {}, {});
  EXPECT_THAT(error(result), HasSubstr("timed out after"));
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
}

TEST(ThreadsHttpPost, SaysWhenNobodyListens) {
  const auto url = dead_url();
  const auto result = post(url + "/services/T0123");
  EXPECT_THAT(error(result), AllOf(StartsWith("POST " + url + ": "), HasSubstr("connect"),
                                   Not(HasSubstr("T0123"))));
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
}

TEST(ThreadsHttpPost, FollowsNoRedirect) {
  const HttpServer other(kNoContent);
  const HttpServer server("HTTP/1.1 307 Over there\r\nLocation: " + other.url() +
                          "/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(error(post(server.url())),
            "POST " + server.url() + ": status 307, and redirects are not followed");
  EXPECT_THAT(other.requests(), IsEmpty());
}

TEST(ThreadsHttpPost, IgnoresProxiesOfTheEnvironment) {
  const HttpServer proxy(kNoContent);
  const HttpServer server(kNoContent);
  for (const char* name : {"http_proxy", "all_proxy"}) {
    ::setenv(name, proxy.url().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  EXPECT_TRUE(post(server.url()));
  for (const char* name : {"http_proxy", "all_proxy"}) {
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  }
  EXPECT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(proxy.requests(), IsEmpty());
}

TEST(ThreadsHttpPost, RefusesWhatCannotBeSentWithoutRepeatingIt) {
  const HttpServer server(kNoContent);
  for (const char* url : {"file:///etc/hunter2", "ftp://user:hunter2@host/", "hunter2", "",
                          "http://user:hunter2@ho st/", "http://user:hunter2@host:99999999/",
                          "http://host/hunter2\r\nX: y"}) {
    const auto result = post(url);
    EXPECT_THAT(error(result), Not(HasSubstr("hunter2"))) << url;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput) << url;
  }
  const record::HttpHeaders bad[] = {{{"A", "hunter2\r\nHost: b"}},
                                     {{"A\r\nHost", "b"}},
                                     {{"A: b", "c"}},
                                     {{"", "c"}},
                                     {{"A", std::string("a\0b", 3)}}};
  for (const auto& headers : bad) {
    const auto result = post(server.url(), "{}", headers);
    EXPECT_THAT(error(result), Not(HasSubstr("hunter2")));
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_THAT(server.requests(), IsEmpty());
}

/// An HTTPS server of Node.js with a certificate of its own for `localhost`. It ends with the first
/// request that it gets whole, or when its time is over.
class TlsServer {
 public:
  TlsServer() {
    std::filesystem::create_directory(folder_);
    const auto command =
        "cd '" + folder_.string() +
        "' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        " -keyout key.pem -out cert.pem 2>/dev/null && exec node -e '"
        "const fs = require(\"fs\");"
        "const server = require(\"https\").createServer("
        "{ key: fs.readFileSync(\"key.pem\"), cert: fs.readFileSync(\"cert.pem\") },"
        "(request, answer) => { request.resume(); request.on(\"end\", () => {"
        "  answer.end(); server.close(); }); });"
        "setTimeout(() => process.exit(1), 60000).unref();"
        "server.listen(0, \"127.0.0.1\", () => console.log(server.address().port));'";
    pipe_.reset(::popen(command.c_str(), "r"));  // NOLINT(cert-env33-c): a test's own command
    if (std::fscanf(pipe_.get(), "%d", &port_) != 1) port_ = 0;
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    pipe_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] bool is_up() const { return port_ > 0; }
  [[nodiscard]] std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_);
  }
  [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "cert.pem"; }

 private:
  std::filesystem::path folder_ = testing::TempDir() + "tls-" + std::to_string(random_bits());
  std::unique_ptr<FILE, decltype([](FILE* pipe) { ::pclose(pipe); })> pipe_;
  int port_ = 0;
};

TEST(ThreadsHttpPost, ChecksTheCertificateAndItsName) {
  const TlsServer server;
  ASSERT_TRUE(server.is_up()) << "needs openssl and node";
  EXPECT_THAT(error(post(server.url("localhost"))), HasSubstr("certificate"));
  const auto trusting = http_post({.timeout = kLong, .authorities = server.certificate()});
  EXPECT_THAT(error(trusting(server.url("127.0.0.1"), "{}", {}, {})), HasSubstr("certificate"));
  EXPECT_TRUE(trusting(server.url("localhost"), "{}", {}, {}));
}

TEST(ThreadsHttpPost, IsForManyThreadsAtOnce) {
  const HttpServer server(kNoContent);
  const auto shared = http_post({.timeout = kLong});
  std::atomic<int> sent{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 10; ++j) {
          if (shared(server.url(), "{}", {}, {})) ++sent;
        }
      });
    }
  }
  EXPECT_EQ(sent, 80);
  EXPECT_THAT(server.requests(), SizeIs(80));
}

TEST(ThreadsWebhookHook, ADeadReceiverHarmsNobody) {
  constexpr std::uint64_t kEvents = 100;
  const HttpServer living(kNoContent);
  const HttpServer silent(
      [](const Client& client, const std::string&) { client.wait_until_gone(); });
  std::uint64_t seen = 0;
  {
    record::EventBus bus;
    const auto topics = std::vector{*event::TopicPattern::parse("pipeline.*")};
    const auto add = [&](const char* name, const std::string& url) {
      auto hook = webhook_hook({.name = name, .topics = topics, .url = url, .timeout = kLong});
      ASSERT_TRUE(hook);
      ASSERT_TRUE(bus.add(*std::move(hook)));
    };
    add("dead", dead_url());
    add("living", living.url());
    auto count = [&](const record::Published&, const std::stop_token&) -> Result<void> {
      ++seen;
      return {};
    };
    ASSERT_TRUE(bus.add({.name = "count", .topics = topics, .call = count}));
    project::testing_support::EventFeed feed(
        [&](const event::EventView& event, std::string_view line) { bus.publish(event, line); });
    for (std::uint64_t i = 0; i < kEvents; ++i) feed.end_run("completed", 1);
    ASSERT_TRUE(bus.drain(kLong));
    for (const auto& hook : bus.list()) {
      EXPECT_EQ(hook.calls, kEvents) << hook.name;
      EXPECT_EQ(hook.errors, hook.name == "dead" ? kEvents : 0U) << hook.name;
      EXPECT_TRUE(hook.enabled) << hook.name;
    }
    EXPECT_THAT(living.requests(), SizeIs(kEvents));
    // One that never answers is stopped with the bus.
    add("silent", silent.url());
    feed.end_run("completed", 1);
    silent.wait_for_request();
  }
  EXPECT_EQ(seen, kEvents + 1);
}

TEST(ThreadsWebhookHook, NeedsATimeout) {
  const auto topics = std::vector{*event::TopicPattern::parse("#")};
  EXPECT_EQ(
      webhook_hook({.name = "w", .topics = topics, .url = "http://a", .timeout = 0ms}).error().code,
      ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace weir::exporting
