#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace weir::config {

/// Where `weir serve` listens, and what it lets clients have.
struct Server {
  std::string address = "127.0.0.1";
  std::int64_t port = 4680;
  bool otlp = true;  ///< listen at the next two as well
  std::int64_t otlp_port = 4318;
  std::int64_t otlp_grpc_port = 4317;
  std::filesystem::path tls_certificate;  ///< empty: no TLS
  std::filesystem::path tls_key;
  std::uint64_t max_body = std::uint64_t{64} << 20;
  std::int64_t max_connections = 12'000;
  std::chrono::milliseconds stalled{std::chrono::seconds(20)};
  std::chrono::milliseconds idle{std::chrono::seconds(75)};
};

}  // namespace weir::config
