#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json.h"
#include "ingest/native.h"
#include "ingest/openlineage.h"
#include "ingest/otlp_request.h"
#include "server/api.h"
#include "server/otlp_status.h"

/// What other systems send. Every answer is given after the commit.
namespace weir::server {
namespace {

using ingest::EventLines;
using ingest::LineMaker;
using ingest::Receipt;
using ingest::Rejections;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProtobuf = "application/x-protobuf";
/// When the disk cannot keep up: clients that know Retry-After wait so long.
constexpr std::string_view kRetrySeconds = "1";
constexpr unsigned kBadRequest = 400, kTooLarge = 413, kUnavailable = 503;

/// Waits for the commit without holding the thread.
asio::awaitable<Result<Receipt>> committed(ingest::Inbox& inbox, EventLines lines) {
  if (lines.size() == 0) co_return Receipt();
  const auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(Result<Receipt>)>(
      [&](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        // Nothing of this coroutine may be touched once they are submitted: it may have gone on.
        const auto submitted_lines = std::move(lines);
        auto submitted = inbox.submit(submitted_lines, [shared, executor](Result<Receipt> receipt) {
          asio::post(executor, [shared, receipt = std::move(receipt)]() mutable {
            std::move (*shared)(std::move(receipt));
          });
        });
        if (submitted) return;
        asio::post(executor, [shared, error = std::move(submitted).error()]() mutable {
          std::move (*shared)(Result<Receipt>(std::unexpected(std::move(error))));
        });
      },
      asio::use_awaitable);
}

/// A protocol by which other systems tell us of their work.
struct Protocol {
  std::string_view path;
  std::string_view summary;
  std::vector<std::string_view> takes;
  std::string_view asked, told;  ///< as Route's
  bool tells_what_failed = false;
  /// Makes lines of a request. An error: nothing of it can be taken.
  std::function<Result<Rejections>(const Request&, Timestamp arrived, LineMaker&)> decode;
  std::function<Response(const Request&, const Receipt&, const Rejections&)> answer;
  Complaint complain{};
};

/// Of a request whose events have no keys of their own, beside what it says: one key may come with
/// several signals, and with other events by mistake, and none of them is to be lost.
std::string name_of(const Protocol& protocol, const Request& request) {
  return std::string(protocol.path) + "\n" + std::string(request.header("Idempotency-Key"));
}

asio::awaitable<Response> take(const Api& api, const Protocol& protocol, Request& request,
                               const Caller& caller) {
  const auto refused = [&](unsigned status, const Error& error) {
    auto response = said_by(protocol.complain, request, problem(status, error.message));
    if (status == kUnavailable) response.headers.emplace_back("Retry-After", kRetrySeconds);
    return response;
  };
  LineMaker lines(api.recorder.redactor(), caller.tenant_id, name_of(protocol, request));
  lines.name_by_content(request.body);
  lines.refuse_runs([&api](const RunId& run) { return api.our_runs.has(run); });
  const auto rejections = protocol.decode(request, api.recorder.clock().now(), lines);
  if (!lines.denied().empty()) {
    api.refusals.add("POST " + std::string(protocol.path), request.peer, caller, lines.denied());
  }
  // First: what has no room was not read to its end.
  auto made = lines.take();
  if (!made) co_return refused(kTooLarge, made.error());
  if (!rejections) co_return refused(kBadRequest, rejections.error());
  const auto receipt = co_await committed(api.inbox, *std::move(made));
  if (!receipt) co_return refused(kUnavailable, receipt.error());
  co_return protocol.answer(request, *receipt, *rejections);
}

json::Array to_json(const Rejections& rejections) {
  json::Array all;
  for (const auto& one : rejections.named) {
    json::Object object;
    object.set("index", static_cast<std::int64_t>(one.index));
    object.set("reason", one.reason);
    all.emplace_back(std::move(object));
  }
  return all;
}

/// The object with one more member: the places of all that were rejected, as pairs of the first
/// and the last of those that follow each other.
std::string with_places(const json::Object& object, const Rejections& rejections) {
  auto text = json::to_text(object);
  text.pop_back();
  text += R"(,"rejected_indices":[)";
  for (const auto& range : rejections.places) {
    if (text.back() != '[') text += ',';
    text.append("[").append(std::to_string(range.first)).append(",");
    text.append(std::to_string(range.last)).append("]");
  }
  return text.append("]}\n");
}

/// Of events of our own contract. A request of which nothing was taken is wrong as a whole.
Response native_answer(const Request&, const Receipt& receipt, const Rejections& rejections) {
  const bool is_wrong = rejections.count > 0 && receipt.stored + receipt.duplicates == 0;
  json::Object object;
  if (is_wrong) {
    object.set("type", "about:blank");
    object.set("title", "Bad Request");
    object.set("status", std::int64_t{400});
    object.set("detail", "none of the events was taken; the first: " + rejections.named[0].reason);
  }
  object.set("stored", static_cast<std::int64_t>(receipt.stored));
  object.set("duplicates", static_cast<std::int64_t>(receipt.duplicates));
  object.set("rejected", static_cast<std::int64_t>(rejections.count));
  object.set("errors", to_json(rejections));
  return {.status = is_wrong ? 400U : 200U,
          .content_type = is_wrong ? "application/problem+json" : std::string(kJson),
          .body = with_places(object, rejections)};
}

/// OpenLineage's answer to a batch; to a single event that is wrong the same with 400.
Response lineage_answer(const Request&, const Receipt&, const Rejections& rejections) {
  const auto failed = static_cast<std::int64_t>(rejections.count);
  const bool is_wrong = failed > 0 && !rejections.is_list;
  json::Array events;
  for (const auto& one : rejections.named) {
    json::Object object;
    object.set("index", static_cast<std::int64_t>(one.index));
    object.set("reason", one.reason);
    object.set("retriable", false);
    events.emplace_back(std::move(object));
  }
  json::Object summary;
  const auto received = static_cast<std::int64_t>(rejections.records);
  summary.set("received", received);
  summary.set("successful", received - failed);
  summary.set("failed", failed);
  summary.set("retriable", std::int64_t{0});
  summary.set("non_retriable", failed);
  json::Object object;
  object.set("status", failed == 0 ? "success" : is_wrong ? "failure" : "partial_success");
  object.set("summary", std::move(summary));
  object.set("failed_events", std::move(events));
  return {.status = is_wrong ? kBadRequest : 200U, .body = with_places(object, rejections)};
}

ingest::otlp::Encoding encoding_of(const Request& request) {
  return request.media_type() == kJson ? ingest::otlp::Encoding::kJson
                                       : ingest::otlp::Encoding::kProtobuf;
}

Protocol otlp(std::string_view path, std::string_view summary,
              Result<Rejections> (*decode)(std::string_view, ingest::otlp::Encoding, Timestamp,
                                           LineMaker&)) {
  return {.path = path,
          .summary = summary,
          .takes = {kProtobuf, kJson},
          .asked = "OtlpAsked",
          .told = "OtlpReceipt",
          .decode =
              [decode](const Request& request, Timestamp arrived, LineMaker& lines) {
                return decode(request.body, encoding_of(request), arrived, lines);
              },
          .answer = [](const Request& request, const Receipt&,
                       const Rejections& rejections) { return otlp_answer(request, rejections); },
          .complain = otlp_complaint};
}

std::vector<Protocol> protocols() {
  const Protocol lineage{
      .path = {},
      .summary = "Take OpenLineage events: one, or a list",
      .takes = {kJson},
      .asked = "LineageAsked",
      .told = "LineageReceipt",
      .tells_what_failed = true,
      .decode = [](const Request& request, Timestamp,
                   LineMaker& lines) { return ingest::take_lineage(request.body, lines); },
      .answer = lineage_answer};
  std::vector<Protocol> all{
      {.path = "/api/v1/events",
       .summary = "Take events: one JSON object a line, or a list of them",
       .takes = {kJson, "application/x-ndjson", "application/jsonl", "application/jsonlines"},
       .asked = "EventsAsked",
       .told = "Receipt",
       .decode = [](const Request& request, Timestamp,
                    LineMaker& lines) { return ingest::take_events(request.body, lines); },
       .answer = native_answer},
      otlp("/v1/traces", "Take OTLP traces", ingest::otlp::take_traces),
      otlp("/v1/logs", "Take OTLP logs", ingest::otlp::take_logs),
      otlp("/v1/metrics", "Take OTLP metrics", ingest::otlp::take_metrics),
  };
  for (const auto* path :
       {"/api/v1/lineage", "/api/v1/lineage/batch", "/lineage", "/lineage/batch", "/batch"}) {
    all.push_back(lineage);
    all.back().path = path;
  }
  return all;
}

}  // namespace

std::vector<Route> ingest_routes(const Api& api) {
  std::vector<Route> routes;
  for (auto& protocol : protocols()) {
    auto shared = std::make_shared<const Protocol>(std::move(protocol));
    routes.push_back(
        {.method = http::verb::post,
         .path = shared->path,
         .scope = Scope::kWrite,
         .summary = shared->summary,
         .parameters = {{"Idempotency-Key", "header", "string",
                         "sent again with the same one, it is stored once"}},
         .takes = shared->takes,
         .asked = shared->asked,
         .told = shared->told,
         .also_gives = shared->takes.front() == kProtobuf ? std::vector<std::string_view>{kProtobuf}
                                                          : std::vector<std::string_view>{},
         .tells_what_failed = shared->tells_what_failed,
         .answer = [&api, shared](
                       Request& request,
                       const Caller& caller) { return take(api, *shared, request, caller); },
         .complain = shared->complain});
  }
  return routes;
}

}  // namespace weir::server
