#include "server/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>
#include <set>
#include <vector>

#include "server/http_connection.h"
#include "server/listener.h"

namespace weir::server {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

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
  std::vector<std::shared_ptr<Listener>> listeners;
  std::set<std::shared_ptr<Connection>> connections;
  bool stopping = false;

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

HttpServer::HttpServer(asio::io_context& io, const HttpLimits& limits, Admission admit)
    : state_(std::make_shared<State>(io, limits, std::move(admit))) {}

HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port,
                                         asio::ssl::context* tls) {
  WEIR_TRY(auto listener, Listener::open(state_->io, address, port,
                                         [state = std::weak_ptr(state_), tls](tcp::socket socket) {
                                           const auto there = state.lock();
                                           if (there) there->begin(std::move(socket), tls);
                                         }));
  const auto taken = listener->port();
  const std::lock_guard lock(state_->mutex);
  state_->listeners.push_back(std::move(listener));
  return taken;
}

void HttpServer::stop() {
  asio::post(state_->control, [state = state_] {
    const std::lock_guard lock(state->mutex);
    if (std::exchange(state->stopping, true)) return;
    for (const auto& listener : state->listeners) listener->close();
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
