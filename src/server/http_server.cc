#include "server/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <set>
#include <vector>

#include "server/http_connection.h"

namespace weir::server {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& the_io, const HttpLimits& the_limits, Admission the_admission)
      : io(the_io),
        shared(the_limits, std::move(the_admission)),
        control(asio::make_strand(the_io)),
        drain(control) {}

  asio::io_context& io;
  HttpShared shared;
  asio::strand<asio::io_context::executor_type> control;
  asio::steady_timer drain;  // of control

  mutable std::mutex mutex;
  // Guarded by mutex:
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
  std::set<std::shared_ptr<Connection>> connections;
  bool stopping = false;

  asio::awaitable<void> accept(std::shared_ptr<tcp::acceptor> acceptor, asio::ssl::context* tls);
  void begin(tcp::socket socket, asio::ssl::context* tls);
  bool add(const std::shared_ptr<Connection>& connection);
  void remove(const std::shared_ptr<Connection>& connection);
};

bool HttpServer::State::add(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex);
  if (stopping || connections.size() >= shared.limits.connections) {
    ++shared.refused;
    return false;
  }
  connections.insert(connection);
  return true;
}

void HttpServer::State::remove(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex);
  connections.erase(connection);
  if (stopping && connections.empty()) {
    asio::post(control, [self = shared_from_this()] { self->drain.cancel(); });
  }
}

void HttpServer::State::begin(tcp::socket socket, asio::ssl::context* tls) {
  const auto executor = socket.get_executor();
  const auto connection = make_connection(shared, std::move(socket), tls);
  if (!add(connection)) return;
  asio::co_spawn(
      executor, [connection] { return connection->run(); },
      [self = shared_from_this(), connection](const std::exception_ptr&) {
        self->remove(connection);
      });
}

asio::awaitable<void> HttpServer::State::accept(std::shared_ptr<tcp::acceptor> acceptor,
                                                asio::ssl::context* tls) {
  while (acceptor->is_open()) {
    auto [error, socket] = co_await acceptor->async_accept(asio::make_strand(io), kTuple);
    if (!error) {
      begin(std::move(socket), tls);
    } else if (acceptor->is_open() && error != asio::error::operation_aborted) {
      // No descriptors are left: others will end.
      asio::steady_timer pause(io, std::chrono::milliseconds(50));
      const auto [waited] = co_await pause.async_wait(kTuple);
      static_cast<void>(waited);
    }
  }
}

HttpServer::HttpServer(asio::io_context& io, const HttpLimits& limits, Admission admit)
    : state_(std::make_shared<State>(io, limits, std::move(admit))) {}

HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port,
                                         asio::ssl::context* tls) {
  const auto where = address + ":" + std::to_string(port);
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(ErrorCode::kInvalidInput, "'" + address + "' is no IP address");
  auto acceptor = std::make_shared<tcp::acceptor>(state_->io);
  const tcp::endpoint endpoint(ip, port);
  static_cast<void>(acceptor->open(endpoint.protocol(), error));
  if (!error) static_cast<void>(acceptor->set_option(tcp::acceptor::reuse_address(true), error));
  if (!error) static_cast<void>(acceptor->bind(endpoint, error));
  if (!error) static_cast<void>(acceptor->listen(asio::socket_base::max_listen_connections, error));
  if (error) return fail(ErrorCode::kIo, "listen on " + where + ": " + error.message());
  {
    const std::lock_guard lock(state_->mutex);
    state_->acceptors.push_back(acceptor);
  }
  asio::co_spawn(
      state_->io, [state = state_, acceptor, tls] { return state->accept(acceptor, tls); },
      asio::detached);
  return acceptor->local_endpoint(error).port();
}

void HttpServer::stop() {
  asio::post(state_->control, [state = state_] {
    const std::lock_guard lock(state->mutex);
    if (std::exchange(state->stopping, true)) return;
    error_code ignored;
    for (const auto& acceptor : state->acceptors) static_cast<void>(acceptor->close(ignored));
    for (const auto& connection : state->connections) connection->ask_to_stop();
    if (state->connections.empty()) return;
    state->drain.expires_after(state->shared.limits.drain);
    state->drain.async_wait([state](const error_code& error) {
      if (error) return;
      const std::lock_guard again(state->mutex);
      for (const auto& connection : state->connections) connection->cut_off();
    });
  });
}

bool HttpServer::is_drained() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stopping && state_->connections.empty();
}

HttpStatistics HttpServer::statistics() const {
  const std::lock_guard lock(state_->mutex);
  return {.connections = state_->connections.size(),
          .requests = state_->shared.requests,
          .refused_connections = state_->shared.refused,
          .cut_off = state_->shared.cut_off};
}

}  // namespace weir::server
