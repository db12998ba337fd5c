#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "base/utf8.h"
#include "config/names.h"
#include "event/redaction.h"
#include "plugins/failure.h"
#include "plugins/plugins.h"
#include "record/context.h"
#include "record/context_carrier.h"

namespace weir::plugins {
namespace {

using Kind = tool::Setting::Kind;
using Outcome = std::expected<tool::Output, tool::Failure>;
using Transfer = std::unique_ptr<CURL, decltype([](CURL* handle) { curl_easy_cleanup(handle); })>;
using Lines =
    std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })>;

constexpr std::int64_t kStandardTimeoutMs = 30'000;
/// The answer becomes a part of the payload, which has a limit itself.
constexpr std::int64_t kMaxBodyBytes = std::int64_t{4} << 20;
/// So much of a refusal is in its message.
constexpr std::size_t kMaxQuotedBytes = 512;

/// Once in the process, whoever is first; libcurl may then be used by many threads.
bool is_curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

struct Exchange {
  const tool::Call& call;
  std::size_t max_bytes = 0;
  std::string sent{};
  std::string body{};
  bool is_too_large = false;
  Lines headers{};
  std::array<char, CURL_ERROR_SIZE> problem{};
};

std::size_t take(char* bytes, std::size_t, std::size_t size, void* to) {
  auto* exchange = static_cast<Exchange*>(to);
  exchange->is_too_large = exchange->body.size() + size > exchange->max_bytes;
  if (exchange->is_too_large) return 0;  // ends the transfer
  exchange->body.append(bytes, size);
  return size;
}

int is_stopped(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(of)->call.stop.stop_requested() ? 1 : 0;
}

std::int64_t number(const tool::Call& call, std::string_view name, std::int64_t standard) {
  const auto* value = call.with.find(name);
  return value == nullptr || value->integer() == nullptr ? standard : *value->integer();
}

std::unexpected<tool::Failure> fail_request(const tool::Call& call, std::string type,
                                            std::string message, bool is_retryable) {
  auto failed = failure(call, std::move(type), std::move(message));
  failed.error().retryable = is_retryable;
  return failed;
}

bool add_header(Exchange& exchange, const std::string& line) {
  auto* longer = curl_slist_append(exchange.headers.get(), line.c_str());
  if (longer == nullptr) return false;
  static_cast<void>(exchange.headers.release());
  exchange.headers.reset(longer);
  return true;
}

/// Of the headers of a context those that a server, which may be anybody's, is told.
constexpr std::array<std::string_view, 4> kTraceHeaders = {"traceparent", "tracestate", "baggage",
                                                           "x-correlation-id"};

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char one, unsigned char other) {
    return std::tolower(one) == std::tolower(other);
  });
}

bool has_secret(const std::string& text) {
  static const auto redactor = event::Redactor::make({});
  std::string masked;
  event::RedactionCounts counts;
  return !redactor || redactor->redact_text(text, event::TextKind::kField, masked, counts);
}

/// So that what the server does can be found from the run. What `headers` says goes before; what
/// looks like a secret stays here.
void add_trace_headers(Exchange& exchange, const json::Object* headers) {
  const auto context = record::current_context();
  if (!context) return;
  const auto known = record::to_headers(*context);
  for (const auto name : kTraceHeaders) {
    const auto header = known.find(std::string(name));
    const bool is_said =
        headers != nullptr && std::ranges::any_of(*headers, [&](const auto& member) {
          return is_same_name(member.key, name);
        });
    if (header == known.end() || is_said || has_secret(header->second)) continue;
    add_header(exchange, header->first + ": " + header->second);
  }
}

/// Nothing in a value can begin another header; of the names that is checked before.
std::expected<void, tool::Failure> add_headers(Exchange& exchange) {
  const auto& call = exchange.call;
  const auto* body = call.with.find("body");
  if (body != nullptr) {
    exchange.sent = body->string() != nullptr ? *body->string() : json::to_text(*body);
    if (body->string() == nullptr) add_header(exchange, "Content-Type: application/json");
  }
  const auto* said = call.with.find("headers");
  const auto* headers = said == nullptr ? nullptr : said->object();
  add_trace_headers(exchange, headers);
  if (headers == nullptr) return {};
  for (const auto& [name, value, position] : *headers) {
    const auto is_text = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
    const auto& text = *value.string();
    if (!std::ranges::all_of(text, is_text)) {
      return fail_request(call, "InvalidRequest",
                          "the header '" + name + "' must be a text without control characters",
                          false);
    }
    auto line = name;
    line.append(text.empty() ? ";" : ": ").append(text);
    add_header(exchange, line);
  }
  return {};
}

bool configure(CURL* transfer, Exchange& exchange) {
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(transfer, option, value) == CURLE_OK;
  };
  const auto& call = exchange.call;
  const auto method = setting(call, "method");
  set(CURLOPT_URL, setting(call, "url").c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  if (call.with.find("body") != nullptr) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.sent.size()));
    set(CURLOPT_POSTFIELDS, exchange.sent.c_str());
  }
  if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (!method.empty()) {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  set(CURLOPT_HTTPHEADER, exchange.headers.get());
  set(CURLOPT_USERAGENT, "weir");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // 0 would be no limit.
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::max<std::int64_t>(number(call, "timeout_ms", kStandardTimeoutMs), 1)));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_WRITEFUNCTION, &take);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_XFERINFOFUNCTION, &is_stopped);
  set(CURLOPT_XFERINFODATA, &exchange);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_ERRORBUFFER, exchange.problem.data());
  return good;
}

std::unexpected<tool::Failure> explain(CURLcode code, const Exchange& exchange) {
  const auto& call = exchange.call;
  if (call.stop.stop_requested()) return failure(call, "Cancelled", "it was asked to stop");
  if (exchange.is_too_large) {
    return fail_request(call, "HttpTooLarge",
                        "the answer has more than " + std::to_string(exchange.max_bytes) +
                            " bytes, the limit ('max_bytes')",
                        false);
  }
  const auto* text =
      exchange.problem[0] != '\0' ? exchange.problem.data() : curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return fail_request(call, "HttpTimeout", text, true);
  const bool is_wrong = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
  return fail_request(call, is_wrong ? "InvalidRequest" : "HttpUnreachable", text, !is_wrong);
}

Outcome read_answer(CURL* transfer, Exchange& exchange) {
  const auto& call = exchange.call;
  long status = 0;
  curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
  constexpr long kFirstFailure = 400;
  if (status >= kFirstFailure) {
    constexpr std::array<long, 3> kLater = {408, 425, 429};  // RFC 9110, 8470, 6585
    const bool is_retryable = status >= 500 || std::ranges::find(kLater, status) != kLater.end();
    return fail_request(call, "HttpStatus",
                        "the answer is " + std::to_string(status) + ": " +
                            std::string(utf8::cut(exchange.body, kMaxQuotedBytes)),
                        is_retryable);
  }
  if (const auto invalid = utf8::first_invalid(exchange.body)) {
    return fail_request(call, "HttpNotUtf8",
                        "the answer is not UTF-8 at byte " + std::to_string(*invalid), false);
  }
  const char* type = nullptr;
  curl_easy_getinfo(transfer, CURLINFO_CONTENT_TYPE, &type);
  tool::Output output;
  output.usage.read_bytes = static_cast<std::int64_t>(exchange.body.size());
  output.usage.written_bytes = static_cast<std::int64_t>(exchange.sent.size());
  output.payload.set("status", std::int64_t{status});
  output.payload.set("content_type", type == nullptr ? json::Value() : json::Value(type));
  auto parsed = json::parse(exchange.body);
  if (type != nullptr && std::string_view(type).contains("json") && parsed) {
    output.payload.set("body", *std::move(parsed));
  } else {
    output.payload.set("body", std::move(exchange.body));
  }
  return output;
}

Outcome request(const tool::Call& call) {
  const Transfer transfer(is_curl_ready() ? curl_easy_init() : nullptr);
  Exchange exchange{.call = call};
  exchange.max_bytes =
      static_cast<std::size_t>(std::min(number(call, "max_bytes", kMaxBodyBytes), kMaxBodyBytes));
  if (auto added = add_headers(exchange); !added) return std::unexpected(std::move(added).error());
  if (!transfer || !configure(transfer.get(), exchange)) {
    return fail_request(call, "InvalidRequest", "libcurl does not take the request", false);
  }
  const auto code = curl_easy_perform(transfer.get());
  if (code != CURLE_OK) return explain(code, exchange);
  return read_answer(transfer.get(), exchange);
}

constexpr std::string_view kRequestNotes =
    R"(- **Output:** `{status, content_type, body}`. The body is a value if its type is JSON, else a text.
- **Safety:** certificates are checked, TLS is 1.2 or newer, and no redirect is followed: a 3xx is an answer. The
  request tells the trace (`traceparent`) unless `headers` does.
- **Failures:** `HttpStatus` from 400 on (408, 425, 429 and from 500 on it may be tried again), `HttpUnreachable` and
  `HttpTimeout` (may be tried again), `HttpTooLarge`, `HttpNotUtf8`, `InvalidRequest`, `Cancelled`.
)";

std::vector<tool::Setting> settings() {
  return {
      {.name = "url", .kind = Kind::kString, .required = true, .doc = "http or https"},
      {.name = "method",
       .kind = Kind::kString,
       .doc = "as in `PUT`",
       .fallback = "`GET`, with a `body` `POST`"},
      {.name = "headers",
       .kind = Kind::kStringsByName,
       .doc = "sent with it, by name; a secret may stand here",
       .names = config::header_names()},
      {.name = "body",
       .kind = Kind::kAny,
       .doc = "a string as it is, anything else as JSON",
       .fallback = "none"},
      {.name = "timeout_ms",
       .kind = Kind::kInteger,
       .doc = "how long the whole answer may take",
       .fallback = "`30000`"},
      {.name = "max_bytes",
       .kind = Kind::kInteger,
       .doc = "how large the answer may be; 4 MiB is the most",
       .fallback = "`4194304`"},
  };
}

}  // namespace

void add_http_tools(tool::Registry& registry) {
  registry.add(make_tool({.plugin_id = "http",
                          .tool_id = "request",
                          .settings = settings(),
                          .about = "Makes one request.",
                          .notes = std::string(kRequestNotes),
                          .measures_cpu = true},
                         &request));
}

}  // namespace weir::plugins
