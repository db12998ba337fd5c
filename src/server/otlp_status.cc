#include "server/otlp_status.h"

#include "base/json.h"
#include "base/utf8.h"

namespace weir::server {
namespace {

constexpr std::string_view kJsonType = "application/json";
/// Answers stay far below what clients take.
constexpr std::size_t kMaxMessage = std::size_t{4} << 10;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_number(std::string& out, std::uint32_t field, std::uint64_t value) {
  put_varint(out, std::uint64_t{field} << 3);
  put_varint(out, value);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_varint(out, std::uint64_t{field} << 3 | 2);
  put_varint(out, bytes.size());
  out.append(bytes);
}

std::string what_was_rejected(const ingest::Rejections& rejections) {
  std::string text;
  for (const auto& one : rejections.named) {
    if (!text.empty()) text += "; ";
    text.append("record ").append(std::to_string(one.index)).append(": ").append(one.reason);
    if (text.size() > kMaxMessage) break;
  }
  return std::string(utf8::cut(text, kMaxMessage));
}

/// How a signal's answer calls what was rejected, in JSON.
std::string_view rejected_name(std::string_view path) {
  if (path.ends_with("/logs")) return "rejectedLogRecords";
  if (path.ends_with("/metrics")) return "rejectedDataPoints";
  return "rejectedSpans";
}

}  // namespace

std::uint32_t rpc_code_of(unsigned status) {
  switch (status) {
    case 400:
    case 415:
      return 3;  // INVALID_ARGUMENT
    case 401:
      return 16;  // UNAUTHENTICATED
    case 403:
      return 7;  // PERMISSION_DENIED
    case 413:
    case 429:
      return 8;  // RESOURCE_EXHAUSTED
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 13;  // INTERNAL
  }
}

std::string partial_success(const ingest::Rejections& rejections) {
  std::string response;
  if (rejections.count == 0) return response;
  std::string partial;
  put_number(partial, 1, rejections.count);
  put_bytes(partial, 2, what_was_rejected(rejections));
  put_bytes(response, 1, partial);
  return response;
}

std::string rpc_status(std::uint32_t code, std::string_view message,
                       std::optional<std::uint64_t> retry_seconds) {
  std::string status;
  put_number(status, 1, code);
  put_bytes(status, 2, utf8::cut(message, kMaxMessage));
  if (retry_seconds) {
    std::string delay, info, any;
    put_number(delay, 1, *retry_seconds);  // of a Duration
    put_bytes(info, 1, delay);
    put_bytes(any, 1, "type.googleapis.com/google.rpc.RetryInfo");
    put_bytes(any, 2, info);
    put_bytes(status, 3, any);
  }
  return status;
}

Response otlp_answer(const Request& request, const ingest::Rejections& rejections) {
  if (request.media_type() != kJsonType) {
    return {.content_type = "application/x-protobuf", .body = partial_success(rejections)};
  }
  json::Object response;
  if (rejections.count > 0) {
    json::Object partial;
    // 64 bits are text in protobuf's JSON.
    partial.set(std::string(rejected_name(request.path)), std::to_string(rejections.count));
    partial.set("errorMessage", what_was_rejected(rejections));
    response.set("partialSuccess", std::move(partial));
  }
  return Response::json(json::to_text(response));
}

Response otlp_complaint(const Request& request, unsigned status, std::string_view detail) {
  constexpr unsigned kOurFault = 500;
  const auto said = status >= kOurFault ? without_paths(detail) : std::string(detail);
  const auto code = rpc_code_of(status);
  if (request.media_type() != kJsonType) {
    return {.status = status,
            .content_type = "application/x-protobuf",
            .body = rpc_status(code, said),
            .detail = said};
  }
  json::Object object;
  object.set("code", static_cast<std::int64_t>(code));
  object.set("message", std::string(utf8::cut(said, kMaxMessage)));
  return {.status = status, .body = json::to_text(object), .detail = said};
}

}  // namespace weir::server
