#include "export/span_sender.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/compression.h"
#include "base/id.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/http_post.h"
#include "export/otlp.h"

namespace weir::exporting {
namespace {

using std::chrono::milliseconds;

/// A receiver that asks for more patience is asked after that all the same.
constexpr milliseconds kMostPatience{std::chrono::hours(1)};

Reception received(const Result<HttpAnswer>& answer) {
  using enum Reception::Kind;
  if (!answer) {
    const bool is_wrong = answer.error().code == ErrorCode::kInvalidInput;
    return {.kind = is_wrong ? kRefused : kNotNow, .why = answer.error().message};
  }
  if (answer->is_success()) return {.kind = kTaken, .why = partial_success_in(answer->text)};
  auto why = "status " + std::to_string(answer->status);
  if (!answer->text.empty()) why += ": " + answer->text;
  switch (answer->status) {
    case 413:
      return {.kind = kTooLong, .why = std::move(why)};
    case 429:
    case 502:
    case 503:
    case 504:
      return {.kind = kNotNow, .why = std::move(why), .retry_after = answer->retry_after};
    default:
      return {.kind = kRefused, .why = std::move(why)};
  }
}

/// Of a URL: whether something stands behind its host.
bool has_path(std::string_view url) {
  const auto host = url.find("://");
  const auto path = host == std::string_view::npos ? host : url.find('/', host + 3);
  return path != std::string_view::npos && path + 1 < url.size();
}

}  // namespace

std::string partial_success_in(std::string_view response) {
  constexpr char kMessage = 0x0A, kRejected = 0x08, kText = 0x12;
  if (response.size() < 2 || response[0] != kMessage) return {};
  auto inner = response.substr(2, static_cast<unsigned char>(response[1]));
  std::uint64_t rejected = 0;
  if (!inner.empty() && inner[0] == kRejected) {
    std::size_t at = 1;
    for (unsigned shift = 0; at < inner.size() && shift < 63; shift += 7) {
      const auto byte = static_cast<unsigned char>(inner[at++]);
      rejected |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80U) break;
    }
    inner.remove_prefix(at);
  }
  std::string_view said;
  if (inner.size() >= 2 && inner[0] == kText) said = inner.substr(2);
  if (rejected == 0 && said.empty()) return {};
  auto text = "of these spans " + std::to_string(rejected) + " were refused";
  if (!said.empty()) text += ": " + text::printable(utf8::cut(said, kMaxQuotedBytes));
  return text;
}

Result<std::string> endpoint_of(std::string endpoint, std::string_view path) {
  if (!endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    return fail(ErrorCode::kInvalidInput,
                "the endpoint is a URL that begins with http:// or https://");
  }
  if (has_path(endpoint)) return endpoint;
  if (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.append(path);
}

Result<SendRequest> otlp_over_http(OtlpHttp options) {
  WEIR_TRY(options.endpoint, endpoint_of(options.endpoint, "/v1/traces"));
  options.headers.emplace_back("Content-Type", "application/x-protobuf");
  if (options.gzip) options.headers.emplace_back("Content-Encoding", "gzip");
  return [options = std::move(options)](const std::string& request,
                                        const std::stop_token& stop) -> Reception {
    const HttpPostOptions post{.timeout = options.timeout, .authorities = options.authorities};
    if (!options.gzip) {
      return received(http_exchange(post, options.endpoint, request, options.headers, stop));
    }
    const auto packed = gzip(request);
    if (!packed) return {.kind = Reception::Kind::kNotNow, .why = packed.error().message};
    return received(http_exchange(post, options.endpoint, *packed, options.headers, stop));
  };
}

bool wait_or_stop(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  static_cast<void>(woken.wait_for(lock, stop, time, [] { return false; }));
  return !stop.stop_requested();
}

milliseconds wait_before(const SpanSender::Options& options,
                         const std::optional<milliseconds>& retry_after, int tries) {
  if (retry_after) return std::min(*retry_after, kMostPatience);
  constexpr int kMostDoublings = 20;
  const auto longest =
      std::min(options.longest_wait, options.first_wait * (1 << std::min(tries, kMostDoublings)));
  const auto half = longest.count() / 2;
  const auto more = random_bits() % static_cast<std::uint64_t>(half + 1);
  return milliseconds(half + static_cast<std::int64_t>(more));
}

void SpanSender::tell(const std::string& problem) {
  statistics_.last_problem = problem;
  if (!std::exchange(has_told_, true) && options_.on_problem) options_.on_problem(problem);
}

Result<Reception> SpanSender::send_one(std::span<const project::Span> spans,
                                       const std::stop_token& stop) {
  const auto request = to_otlp_protobuf(spans);
  for (int tries = 0;; ++tries) {
    auto reception = send_(request, stop);
    if (reception.kind != Reception::Kind::kNotNow) return reception;
    if (!stop.stop_requested()) tell(reception.why + "; what is not sent yet waits");
    if (!wait_or_stop(wait_before(options_, reception.retry_after, tries), stop)) {
      return fail(ErrorCode::kCancelled, "asked to stop while nobody took spans");
    }
    ++statistics_.retries;
  }
}

Result<void> SpanSender::send(std::span<const project::Span> spans, const std::stop_token& stop) {
  if (spans.empty()) return {};
  WEIR_TRY(const auto reception, send_one(spans, stop));
  using enum Reception::Kind;
  if (reception.kind == kTooLong && spans.size() > 1) {
    WEIR_TRY(send(spans.first(spans.size() / 2), stop));
    return send(spans.subspan(spans.size() / 2), stop);
  }
  if (reception.kind == kTaken) {
    statistics_.sent += spans.size();
    has_told_ = false;
    if (!reception.why.empty()) tell(reception.why);
    return {};
  }
  statistics_.refused += spans.size();
  tell(text::count(spans.size(), "span") + " will not be sent: " + reception.why);
  return {};
}

}  // namespace weir::exporting
