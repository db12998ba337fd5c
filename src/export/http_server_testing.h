#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/descriptor.h"

/// For tests: an HTTP server on the loopback that answers what it is told to, byte by byte.
namespace weir::exporting::testing_support {

/// One connection on which a whole request has arrived.
class Client {
 public:
  explicit Client(int socket) : socket_(socket) {}
  /// False once the client is gone.
  [[nodiscard]] bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Whether the client went away within this time.
  [[nodiscard]] bool is_gone(int timeout_ms) const {
    pollfd watched{socket_, POLLIN, 0};
    char byte = 0;
    return ::poll(&watched, 1, timeout_ms) > 0 && ::recv(socket_, &byte, 1, 0) <= 0;
  }
  void wait_until_gone() const {
    while (!is_gone(-1)) {
    }
  }

 private:
  int socket_;
};

class HttpServer {
 public:
  using Answer = std::function<void(const Client& client, const std::string& request)>;

  /// Each connection has one request, and a thread that calls `answer`.
  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.number(), any, size), 0);
    EXPECT_EQ(::listen(listener_.number(), 128), 0);
    EXPECT_EQ(::getsockname(listener_.number(), any, &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  /// Answers `text`, whatever is asked.
  explicit HttpServer(std::string text)
      : HttpServer([text = std::move(text)](const Client& client, const std::string&) {
          static_cast<void>(client.send(text));
        }) {}
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    ::shutdown(listener_.number(), SHUT_RDWR);
    acceptor_.join();
  }

  /// "http://127.0.0.1:PORT"
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void wait_for_request() const {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !requests_.empty(); });
  }

 private:
  void accept_all() {
    std::vector<std::jthread> threads;
    while (true) {
      const int socket = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      threads.emplace_back([this, socket] { serve(Descriptor(socket)); });
    }
  }
  void serve(const Descriptor& socket) {
    const auto request = read_request(socket.number());
    if (request.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      arrived_.notify_all();
    }
    answer_(Client(socket.number()), request);
  }
  /// With its body; empty if the client went away before.
  static std::string read_request(int socket) {
    std::string request;
    while (true) {
      const auto head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = request.find("Content-Length: ");
        const auto body = length > head ? 0 : std::stoul(request.substr(length + 16));
        if (request.size() >= head + 4 + body) return request;
      }
      char bytes[4096];
      const auto size = ::recv(socket, bytes, sizeof bytes, 0);
      if (size <= 0) return {};
      request.append(bytes, static_cast<std::size_t>(size));
    }
  }

  Answer answer_;
  Descriptor listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::vector<std::string> requests_;  // guarded by mutex_
  std::jthread acceptor_;
};

/// A port on which nobody listens.
[[nodiscard]] inline std::string dead_url() {
  const HttpServer server("");
  return server.url();
}

}  // namespace weir::exporting::testing_support
