#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::int64_t kLastPort = 65'535;
constexpr auto kSmallestBody = std::uint64_t{1} << 10;
constexpr auto kLargestBody = std::uint64_t{1} << 30;
constexpr std::int64_t kMostConnections = 1'000'000;

Key<Server> port_key(const std::string& name, std::int64_t Server::* member,
                     const std::string& doc) {
  return key<Server>(name, member, whole_number(0, kLastPort), doc + "; 0: any that is free");
}

}  // namespace

Shape<Server> server_shape() {
  return object<Server>(
      "the server",
      {key<Server>("address", &Server::address, text("an IP address"),
                   "where it listens; any but those of this machine alone needs a key first"),
       port_key("port", &Server::port, "for the API"),
       key<Server>("otlp", &Server::otlp, boolean(), "whether it listens at the ports for OTLP"),
       port_key("otlp_port", &Server::otlp_port, "for OTLP over HTTP"),
       port_key("otlp_grpc_port", &Server::otlp_grpc_port, "for OTLP over gRPC"),
       key<Server>("tls_certificate", &Server::tls_certificate, path("a file"),
                   "a certificate chain, PEM", {.fallback = "no TLS"}),
       key<Server>("tls_key", &Server::tls_key, path("a file"), "its private key, PEM",
                   {.fallback = "no TLS"}),
       key<Server>("max_body", &Server::max_body, size(kSmallestBody, kLargestBody),
                   "the longest body of a request, before and after it is unpacked"),
       key<Server>("max_connections", &Server::max_connections, whole_number(1, kMostConnections),
                   "how many clients may be connected; more are turned away"),
       key<Server>("stalled", &Server::stalled, duration(seconds(1), hours(1)),
                   "a client that neither sends nor takes anything for so long is cut off"),
       key<Server>("idle", &Server::idle, duration(seconds(1), hours(24)),
                   "a connection without a request is closed after that")});
}

}  // namespace weir::config
