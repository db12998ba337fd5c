#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "server/http_server.h"

namespace weir::server {

struct GrpcOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 4317;  ///< 0: any that is free
  /// PEM; empty: no TLS.
  std::filesystem::path certificate{};
  std::filesystem::path certificate_key{};
  HttpLimits limits{};
};

/// OTLP over gRPC: its three services, each call turned into the request over HTTP that says the
/// same, and the answer back.
///
/// Threads  `weir-grpc` takes calls; handlers run on the io_context, which goes on until `stop` has
///          returned.
/// Failure  A call of another service is UNIMPLEMENTED, one that is too large RESOURCE_EXHAUSTED.
class GrpcServer {
 public:
  /// Errors: kIo (the port is in use), kInvalidInput (of the certificate nothing can be made).
  [[nodiscard]] static Result<std::unique_ptr<GrpcServer>> start(asio::io_context& io,
                                                                 const GrpcOptions& options,
                                                                 Admission admit);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// Takes no call any more, lets others be answered, for HttpLimits::drain, and returns.
  void stop();

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace weir::server
