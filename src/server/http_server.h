#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/result.h"
#include "server/message.h"

namespace weir::server {

/// What a client may ask of the server's time and memory.
struct HttpLimits {
  std::size_t header_bytes = std::size_t{32} << 10;
  std::size_t body_bytes = std::size_t{64} << 20;         ///< before and after it is unpacked
  std::size_t all_bodies_bytes = std::size_t{256} << 20;  ///< shared as FairBudget does
  std::size_t connections = 12'000;
  /// Without a request, the connection is closed.
  std::chrono::milliseconds idle{75'000};
  /// A client that neither sends nor takes anything for so long is cut off.
  std::chrono::milliseconds stalled{20'000};
  /// Over that, one that sends a body slower than this is, too.
  std::size_t least_bytes_per_second = std::size_t{4} << 10;
  /// However fast: a body as a whole takes no longer than so many times that.
  int stalled_in_body = 15;
  /// After a stop, for what is under way.
  std::chrono::seconds drain{15};
};

/// Answers a request.
struct Handler {
  std::function<asio::awaitable<Response>(Request&)> answer;
  Complaint complain{};  ///< when there is no answer, since the body is too large, say
  bool takes_body = true;
};
/// Says, when the headers are there and before the body is read, who will answer; or answers at
/// once, and the body is not read. Called on any thread of the server.
using Admission = std::function<std::variant<Response, Handler>(Request&)>;

struct HttpStatistics {
  std::uint64_t connections = 0;  ///< now
  std::uint64_t requests = 0;
  std::uint64_t refused_connections = 0;
  std::uint64_t cut_off = 0;  ///< clients that were too slow
};

/// HTTP/1.1 over TCP, or TLS.
///
/// Threads  `listen` before the io_context runs; the handlers on its threads; `stop` and
///          `statistics` from any.
/// Failure  A malformed request gets 400 and ends its connection, one that is too large 413 or 431.
///          What a handler says is sent as it is.
class HttpServer {
 public:
  HttpServer(asio::io_context& io, const HttpLimits& limits, Admission admit);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// `tls` null: none; otherwise it outlives this. Port 0: any that is free. Errors: kIo (the
  /// address is in use, or no address of ours).
  [[nodiscard]] Result<std::uint16_t> listen(const std::string& address, std::uint16_t port,
                                             asio::ssl::context* tls = nullptr);

  /// Takes no connection any more, ends those that wait for a request, and lets others answer the
  /// one that they have; cuts them off after HttpLimits::drain.
  void stop();
  /// Whether it was asked to stop and no connection is left.
  [[nodiscard]] bool is_drained() const;

  [[nodiscard]] HttpStatistics statistics() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weir::server
