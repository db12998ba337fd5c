#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "export/span_sender.h"

namespace weir::server {

struct OtlpGrpc {
  std::string endpoint;  ///< http://HOST:PORT, or https:// with TLS
  record::HttpHeaders headers{};
  bool gzip = true;
  std::chrono::milliseconds timeout{10'000};
  std::filesystem::path authorities{};  ///< PEM; empty: the system's
};

/// OTLP over gRPC to a receiver. One channel, which connects when it is needed. What is tried again
/// is what OTLP says: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS,
/// and RESOURCE_EXHAUSTED where the receiver says when. Errors: kInvalidInput (another kind of
/// endpoint, a header that gRPC does not take), those of reading `authorities`.
[[nodiscard]] Result<exporting::SendRequest> otlp_over_grpc(OtlpGrpc options);

}  // namespace weir::server
