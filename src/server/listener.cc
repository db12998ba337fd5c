#include "server/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace weir::server {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kAwaitSocket = asio::as_tuple(asio::use_awaitable);

}  // namespace

/// Goes on for as long as the acceptor is open. All on its strand.
class Listener::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(asio::io_context& io, Take take)
      : io_(io), strand_(asio::make_strand(io)), acceptor_(strand_), take_(std::move(take)) {}

  error_code open(const tcp::endpoint& endpoint) {
    error_code error;
    static_cast<void>(acceptor_.open(endpoint.protocol(), error));
    if (!error) static_cast<void>(acceptor_.set_option(tcp::acceptor::reuse_address(true), error));
    if (!error) static_cast<void>(acceptor_.bind(endpoint, error));
    if (!error)
      static_cast<void>(acceptor_.listen(asio::socket_base::max_listen_connections, error));
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    return error;
  }
  void begin() {
    asio::co_spawn(strand_, [self = shared_from_this()] { return self->run(); }, asio::detached);
  }
  void close() {
    asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      static_cast<void>(self->acceptor_.close(ignored));
    });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  asio::awaitable<void> run() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(io_), kAwaitSocket);
      if (!error) {
        take_(std::move(socket));
      } else if (acceptor_.is_open() && error != asio::error::operation_aborted) {
        // No descriptors are left: others will end.
        asio::steady_timer pause(strand_, std::chrono::milliseconds(50));
        const auto [waited] = co_await pause.async_wait(kAwaitSocket);
        static_cast<void>(waited);
      }
    }
  }

  asio::io_context& io_;
  asio::strand<asio::io_context::executor_type> strand_;
  tcp::acceptor acceptor_;
  const Take take_;
  std::uint16_t port_ = 0;
};

Result<std::shared_ptr<Listener>> Listener::open(asio::io_context& io, const std::string& address,
                                                 std::uint16_t port, Take take) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(ErrorCode::kInvalidInput, "'" + address + "' is no IP address");
  auto loop = std::make_shared<Loop>(io, std::move(take));
  error = loop->open({ip, port});
  if (error) {
    return fail(ErrorCode::kIo,
                "listen on " + address + ":" + std::to_string(port) + ": " + error.message());
  }
  loop->begin();
  return std::shared_ptr<Listener>(new Listener(std::move(loop)));
}

std::uint16_t Listener::port() const { return loop_->port(); }
void Listener::close() { loop_->close(); }

}  // namespace weir::server
