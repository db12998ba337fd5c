#include "export/span_sender.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

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
  if (answer->is_success()) return taken_with(answer->text);
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

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return value;
  }
  return {};
}

/// A field of a protobuf message.
struct WireField {
  std::uint64_t key = 0;     ///< eight times its number, and its wire type
  std::uint64_t number = 0;  ///< of a varint
  std::string_view text{};   ///< of any other
};

/// Nothing: there is no more, or what there is is no field.
std::optional<WireField> take_field(std::string_view& rest) {
  constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
  const auto key = take_varint(rest);
  if (!key) return {};
  WireField field{.key = *key};
  const auto type = *key & 7U;
  if (type != kVarint && type != kFixed64 && type != kBytes && type != kFixed32) return {};
  std::uint64_t size = type == kFixed64 ? 8 : 4;
  if (type == kVarint || type == kBytes) {
    const auto number = take_varint(rest);
    if (!number) return {};
    field.number = *number;
    size = type == kBytes ? *number : 0;
  }
  if (size > rest.size()) return {};
  field.text = rest.substr(0, static_cast<std::size_t>(size));
  rest.remove_prefix(field.text.size());
  return field;
}

}  // namespace

Reception taken_with(std::string_view response) {
  // ExportTraceServiceResponse: partial_success (1), its rejected_spans (1), error_message (2).
  constexpr std::uint64_t kPartial = 0x0A, kRejected = 0x08, kText = 0x12;
  std::uint64_t rejected = 0;
  std::string_view said;
  while (const auto field = take_field(response)) {
    if (field->key != kPartial) continue;
    for (auto rest = field->text; const auto inner = take_field(rest);) {
      if (inner->key == kRejected) rejected = inner->number;
      if (inner->key == kText) said = inner->text;
    }
  }
  if (rejected > INT64_MAX) rejected = 0;  // it is signed
  Reception reception{.rejected = rejected};
  if (rejected == 0 && said.empty()) return reception;
  reception.why = "of these spans " + std::to_string(rejected) + " were refused";
  if (!said.empty()) reception.why += ": " + text::printable(utf8::cut(said, kMaxQuotedBytes));
  return reception;
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
  // Who says "at once" is not asked without a pause all the same.
  if (retry_after) return std::min(std::max(*retry_after, options.first_wait), kMostPatience);
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
    const auto rejected = std::min<std::uint64_t>(reception.rejected, spans.size());
    statistics_.refused += rejected;
    statistics_.sent += spans.size() - rejected;
    has_told_ = false;
    if (!reception.why.empty()) tell(reception.why);
    return {};
  }
  statistics_.refused += spans.size();
  tell(text::count(spans.size(), "span") + " will not be sent: " + reception.why);
  return {};
}

}  // namespace weir::exporting
