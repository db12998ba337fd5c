#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>

#include "server/fair_budget.h"
#include "server/http_server.h"

namespace weir::server {

/// What all connections of a server share.
struct HttpShared {
  HttpShared(const HttpLimits& the_limits, Admission the_admission)
      : limits(the_limits), admit(std::move(the_admission)), bodies(the_limits.all_bodies_bytes) {}

  const HttpLimits limits;
  const Admission admit;
  FairBudget bodies;
  std::atomic<std::uint64_t> requests{0}, refused{0}, cut_off{0};
};

/// A client's connection, request after request.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Until it ends. On the executor of its socket, which runs one thing at a time; it outlives it.
  [[nodiscard]] virtual asio::awaitable<void> run() = 0;
  /// Ends it when it waits for a request, or after the answer. From any thread.
  virtual void ask_to_stop() = 0;
  /// Ends it. From any thread.
  virtual void cut_off() = 0;
};

/// `tls` null: none. `shared` and `tls` outlive it.
[[nodiscard]] std::shared_ptr<Connection> make_connection(HttpShared& shared,
                                                          asio::ip::tcp::socket socket,
                                                          asio::ssl::context* tls);

}  // namespace weir::server
