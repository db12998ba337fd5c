#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir::server {

namespace asio = boost::asio;

/// Takes the connections that come to an address.
///
/// Threads  `open` from any; `take` is called on the io_context's, one connection at a time.
class Listener {
 public:
  /// Each socket has an executor of its own, which does one thing at a time.
  using Take = std::function<void(asio::ip::tcp::socket)>;

  /// Port 0: any that is free. Errors: kInvalidInput (no address), kIo (it is in use, or is not
  /// ours).
  [[nodiscard]] static Result<std::shared_ptr<Listener>> open(asio::io_context& io,
                                                              const std::string& address,
                                                              std::uint16_t port, Take take);
  [[nodiscard]] std::uint16_t port() const;
  /// Takes no more. From any thread; one that is being taken is.
  void close();

 private:
  class Loop;
  explicit Listener(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}
  const std::shared_ptr<Loop> loop_;
};

}  // namespace weir::server
