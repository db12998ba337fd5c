#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/rejections.h"
#include "server/message.h"

/// What OTLP answers, in the encoding of the request: facts of opentelemetry-proto's
/// collector services and google.rpc.Status.
namespace weir::server {

/// Export…ServiceResponse: empty, or with partial_success. The same message for all signals but the
/// name of its number in JSON.
[[nodiscard]] std::string partial_success(const ingest::Rejections& rejections);

/// The code of google.rpc that says most nearly what a status of HTTP says.
[[nodiscard]] std::uint32_t rpc_code_of(unsigned status);

/// google.rpc.Status, with a RetryInfo where the client is to try again after so many seconds.
[[nodiscard]] std::string rpc_status(std::uint32_t code, std::string_view message,
                                     std::optional<std::uint64_t> retry_seconds = {});

[[nodiscard]] Response otlp_answer(const Request& request, const ingest::Rejections& rejections);
[[nodiscard]] Response otlp_complaint(const Request& request, unsigned status,
                                      std::string_view detail);

}  // namespace weir::server
