#include "server/http_connection.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <type_traits>

#include "base/compression.h"
#include "base/exception.h"

namespace weir::server {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

/// A body is read in pieces of so many bytes.
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
/// What is heard out and thrown away, of any number of strangers.
constexpr std::size_t kDiscardBytes = std::size_t{8} << 10;
/// What is sent without looking whether the client takes it.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10;
/// A client that was refused is heard out, since closing the connection at once would take our
/// answer from it: for as long as one may stall, this fast, and until it is silent for so long.
constexpr std::int64_t kLingerBytesPerSecond = std::int64_t{64} << 20;
constexpr std::chrono::seconds kLingerSilence{2};

Response too_large(std::size_t limit) {
  return problem(413, "the body has more than " + std::to_string(limit) +
                          " bytes (unpacked, if it was compressed): send less at once");
}

/// As an answer tells it: the client sent no HTTP that we take.
Response malformed(const error_code& error) {
  if (error == http::error::header_limit) return problem(431, "the headers are too long");
  return problem(400, error.message());
}

bool is_chunked(const http::fields& headers) {
  return http::token_list(headers[http::field::transfer_encoding]).exists("chunked");
}

template <class Stream>
class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  template <class... Args>
  HttpConnection(HttpShared& shared, tcp::socket socket, Args&... args)
      : shared_(shared), limits_(shared.limits), stream_(std::move(socket), args...) {}

  void ask_to_stop() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      self->stopping_ = true;
      if (self->is_idle_) self->close();
    });
  }
  void cut_off() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->close(); });
  }

  asio::awaitable<void> run() override {
    error_code error;
    const auto remote = tcp_stream().socket().remote_endpoint(error);
    if (!error) peer_ = remote.address().to_string();
    tcp_stream().socket().set_option(tcp::no_delay(true), error);
    const bool is_ready = co_await shake_hands();
    if (is_ready) {
      while (true) {
        const bool goes_on = co_await serve_one();
        if (!goes_on) break;
      }
    }
    close();
  }

 private:
  using Parser = http::request_parser<http::string_body>;

  beast::tcp_stream& tcp_stream() { return beast::get_lowest_layer(stream_); }

  asio::awaitable<bool> shake_hands() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      tcp_stream().expires_after(limits_.stalled);
      const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
      co_return !error;
    }
    co_return true;
  }

  void close() {
    error_code error;
    tcp_stream().cancel();
    tcp_stream().socket().close(error);
  }

  /// One request and its answer. False: it was the last.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    // Whose body is too large is known first: each protocol says so in its own way.
    parser.body_limit(boost::none);
    is_idle_ = buffer_.size() == 0;
    if (stopping_ && is_idle_) co_return false;
    const auto error = co_await read_head(parser);
    is_idle_ = false;
    if (error) {
      const bool is_http =
          error.category() == http::make_error_code(http::error::bad_method).category();
      if (is_http && error != http::error::end_of_stream && error != http::error::partial_message) {
        co_return co_await refuse(malformed(error));
      }
      co_return false;
    }
    parser.body_limit(limits_.body_bytes);
    ++shared_.requests;
    version_ = parser.get().version();
    keeps_alive_ = parser.get().keep_alive();
    is_head_ = parser.get().method() == http::verb::head;
    auto target = parse_target(parser.get().target());
    if (!target) co_return co_await refuse(problem(400, "the request's target is malformed"));
    Request request{.method = parser.get().method(),
                    .path = std::move(target->path),
                    .query = std::move(target->query),
                    .headers = parser.get().base(),
                    .segments = std::move(target->segments),
                    .peer = peer_};
    auto admitted = shared_.admit(request);
    if (auto* const refusal = std::get_if<Response>(&admitted)) {
      const bool has_body = parser.content_length().value_or(0) > 0 || is_chunked(request.headers);
      if (!has_body || parser.is_done()) co_return co_await answer(std::move(*refusal));
      co_return co_await refuse(std::move(*refusal));
    }
    const auto& handler = std::get<Handler>(admitted);
    if (!handler.takes_body && !parser.is_done()) {
      co_return co_await refuse(
          said_by(handler.complain, request, problem(400, request.path + " takes no body")));
    }
    std::optional<FairBudget::Share> share(std::in_place, shared_.bodies, request.account);
    auto wrong = co_await read_body(parser, *share);
    if (is_lost_) co_return false;
    if (wrong) {
      share.reset();
      std::string().swap(parser.get().body());
      co_return co_await refuse(said_by(handler.complain, request, *std::move(wrong)));
    }
    request.body = std::move(parser.get().body());
    wrong = unpack(request, *share);
    if (wrong) wrong = said_by(handler.complain, request, *std::move(wrong));
    if (wrong) co_return co_await answer(*std::move(wrong));
    tcp_stream().expires_never();
    auto response = co_await handled(handler, request);
    request.body = {};
    share.reset();
    co_return co_await answer(std::move(response));
  }

  asio::awaitable<Response> handled(const Handler& handler, Request& request) {
    std::string what;
    try {
      auto response = co_await handler.answer(request);
      make_conditional(request, response);
      co_return response;
    } catch (...) {
      what = describe_exception();
    }
    co_return said_by(handler.complain, request, problem(500, what));
  }

  /// The first bytes may take as long as a connection may be idle, and then no longer than a client
  /// may stall.
  asio::awaitable<error_code> read_head(Parser& parser) {
    if (is_idle_) {
      // Little: there are thousands that wait here.
      constexpr std::size_t kFirstBytes = 512;
      tcp_stream().expires_after(limits_.idle);
      const auto room = buffer_.prepare(kFirstBytes);
      const auto [error, size] = co_await stream_.async_read_some(room, kAwait);
      if (error == asio::error::eof) co_return http::error::end_of_stream;
      if (error) co_return error;
      buffer_.commit(size);
      is_idle_ = false;
    }
    tcp_stream().expires_after(limits_.stalled);
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kAwait);
    if (error == beast::error::timeout) ++shared_.cut_off;
    co_return error;
  }

  /// What is wrong with it. `is_lost_`: the client is gone.
  asio::awaitable<std::optional<Response>> read_body(Parser& parser, FairBudget::Share& share) {
    const auto length = parser.content_length();
    if (length && *length > limits_.body_bytes) co_return too_large(limits_.body_bytes);
    if (parser.get()[http::field::expect] == "100-continue") {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const bool sent = co_await send(kContinue);
      if (!sent) co_return std::nullopt;
    }
    if (!parser.is_done())
      buffer_.reserve(
          std::max(buffer_.size(), std::min<std::size_t>(kReadBytes, length.value_or(kReadBytes))));
    const auto begun = std::chrono::steady_clock::now();
    while (!parser.is_done()) {
      tcp_stream().expires_after(limits_.stalled);
      const auto [error, size] = co_await http::async_read_some(stream_, buffer_, parser, kAwait);
      const auto so_far = parser.get().body().size();
      if (error == http::error::body_limit) co_return too_large(limits_.body_bytes);
      const auto took = std::chrono::steady_clock::now() - begun;
      const auto least =
          static_cast<std::size_t>(std::chrono::floor<std::chrono::seconds>(took).count()) *
          limits_.least_bytes_per_second;
      const bool is_slow = !parser.is_done() && ((took > limits_.stalled && so_far < least) ||
                                                 took > limits_.stalled_in_body * limits_.stalled);
      if (error || is_slow) {
        if (is_slow || error == beast::error::timeout) ++shared_.cut_off;
        is_lost_ = true;
        co_return std::nullopt;
      }
      if (!share.grow_to(so_far)) co_return overloaded("too many requests are under way");
    }
    co_return std::nullopt;
  }

  std::optional<Response> unpack(Request& request, FairBudget::Share& share) const {
    auto encoding = request.header(http::field::content_encoding);
    if (encoding.empty() || beast::iequals(encoding, "identity")) return {};
    if (!beast::iequals(encoding, "gzip")) {
      return problem(415, "Content-Encoding is gzip or nothing");
    }
    if (request.body.empty()) return {};
    auto unpacked = gunzip(request.body, limits_.body_bytes);
    if (!unpacked) {
      if (unpacked.error().code == ErrorCode::kExhausted) return too_large(limits_.body_bytes);
      return problem(400, "the body: " + unpacked.error().message);
    }
    if (!share.grow_to(request.body.size() + unpacked->size())) {
      return overloaded("too many requests are under way");
    }
    request.body = *std::move(unpacked);
    return {};
  }

  /// Answers, and ends the connection: what the client still sends is nothing.
  asio::awaitable<bool> refuse(Response response) {
    keeps_alive_ = false;
    const bool sent = co_await answer(std::move(response));
    static_cast<void>(sent);
    if (is_lost_) co_return false;
    if constexpr (std::is_same_v<Stream, PlainStream>) {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }
    co_await discard();
    co_return false;
  }

  /// What a client sends after it was refused.
  asio::awaitable<void> discard() {
    using Clock = std::chrono::steady_clock;
    asio::steady_timer pause(stream_.get_executor());
    std::string discarded(kDiscardBytes, '\0');
    const auto begun = Clock::now();
    const auto until = begun + limits_.stalled;
    for (std::int64_t read = 0;;) {
      tcp_stream().expires_at(std::min(until, Clock::now() + kLingerSilence));
      const auto [error, size] = co_await stream_.async_read_some(asio::buffer(discarded), kAwait);
      if (error || stopping_) co_return;
      read += static_cast<std::int64_t>(size);
      const auto due =
          begun + std::chrono::nanoseconds(std::chrono::seconds(1)) * read / kLingerBytesPerSecond;
      if (due <= Clock::now()) continue;
      pause.expires_at(due);
      const auto [cancelled] = co_await pause.async_wait(kAwait);
      if (cancelled) co_return;
    }
  }

  asio::awaitable<bool> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto piece = bytes.substr(0, kWriteBytes);
      tcp_stream().expires_after(limits_.stalled);
      const auto [error, size] =
          co_await asio::async_write(stream_, asio::buffer(piece.data(), piece.size()), kAwait);
      if (error) {
        if (error == beast::error::timeout) ++shared_.cut_off;
        is_lost_ = true;
        co_return false;
      }
      bytes.remove_prefix(piece.size());
    }
    co_return true;
  }

  [[nodiscard]] std::string head_of(const Response& response) const {
    const auto status = static_cast<http::status>(response.status);
    std::string head = version_ == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
    head.append(std::to_string(response.status)).append(" ");
    head.append(http::obsolete_reason(status)).append("\r\n");
    const auto add = [&](std::string_view name, std::string_view value) {
      head.append(name).append(": ").append(value).append("\r\n");
    };
    add("Server", "weir");
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body && !response.content_type.empty()) add("Content-Type", response.content_type);
    if (response.pieces && response.size) {
      add("Content-Length", std::to_string(*response.size));
    } else if (response.pieces) {
      if (version_ != 10) add("Transfer-Encoding", "chunked");
    } else if (has_body) {
      add("Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.headers) add(name, value);
    if (!keeps_alive_) add("Connection", "close");
    return head.append("\r\n");
  }

  asio::awaitable<bool> answer(Response response) {
    // Without lengths of pieces the end of the connection ends the answer.
    const bool is_endless = response.pieces && !response.size;
    if (stopping_ || (is_endless && version_ == 10)) keeps_alive_ = false;
    auto head = head_of(response);
    if (response.pieces && !is_head_) {
      const bool sent = co_await send(head);
      if (sent) co_await send_pieces(response);
    } else {
      // A large one is not to be there twice.
      std::string_view body = is_head_ ? std::string_view() : response.body;
      if (body.size() < kWriteBytes) head.append(std::exchange(body, {}));
      const bool sent = co_await send(head);
      if (sent && !body.empty()) co_await send(body);
    }
    // An idle connection holds no memory that it does not need.
    if (buffer_.size() == 0 && buffer_.capacity() > 4096) buffer_ = beast::flat_buffer();
    co_return !is_lost_ && keeps_alive_ && (!stopping_ || buffer_.size() > 0);
  }

  /// Whether the client has closed its side. It might read on, as `nc -N` does: but it cannot be
  /// told from one that is gone, and what has no end would keep its place for nobody.
  bool has_left() {
    pollfd socket{.fd = beast::get_lowest_layer(stream_).socket().native_handle(),
                  .events = POLLRDHUP,
                  .revents = 0};
    return ::poll(&socket, 1, 0) > 0;
  }

  asio::awaitable<void> send_pieces(Response& response) {
    const bool is_endless = !response.size;
    const bool is_chunked = is_endless && version_ != 10;
    const PieceWriter write = [this, is_endless,
                               is_chunked](std::string_view piece) -> asio::awaitable<bool> {
      if (stopping_ && is_endless) co_return false;
      if (piece.empty()) co_return !is_lost_ && !has_left();
      if (!is_chunked) {
        const bool sent = co_await send(piece);
        co_return sent;
      }
      std::string framed;
      char size[20];
      const auto digits = std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      framed.append(size, static_cast<std::size_t>(digits)).append(piece).append("\r\n");
      const bool sent = co_await send(framed);
      co_return sent;
    };
    const bool is_whole = co_await response.pieces(write);
    if (!is_whole) keeps_alive_ = false;
    if (is_whole && !is_lost_ && is_chunked) {
      const bool sent = co_await send("0\r\n\r\n");
      static_cast<void>(sent);
    }
  }

  HttpShared& shared_;
  const HttpLimits& limits_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::string peer_;
  unsigned version_ = 11;
  bool keeps_alive_ = false;
  bool is_head_ = false;
  bool is_idle_ = true;
  bool is_lost_ = false;
  bool stopping_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(HttpShared& shared, tcp::socket socket,
                                            asio::ssl::context* tls) {
  if (tls == nullptr) {
    return std::make_shared<HttpConnection<PlainStream>>(shared, std::move(socket));
  }
  return std::make_shared<HttpConnection<TlsStream>>(shared, std::move(socket), *tls);
}

}  // namespace weir::server
