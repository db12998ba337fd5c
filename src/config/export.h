#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace weir::config {

enum class ExportProtocol : std::uint8_t { kHttp, kGrpc };

/// Where `weir serve` sends the traces of runs that have ended, over OTLP.
struct Export {
  std::string name;  ///< one of a kind: of its cursor
  std::string endpoint;
  ExportProtocol protocol = ExportProtocol::kHttp;
  bool gzip = true;
  double sampling = 0.1;
  std::string tenant;  ///< whose runs alone; empty: everybody's
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds settle{1'000};
  std::filesystem::path authorities;                        ///< empty: the system's
  std::map<std::string, std::string, std::less<>> headers;  ///< secrets
  std::map<std::string, std::string, std::less<>> headers_env;
};

}  // namespace weir::config
