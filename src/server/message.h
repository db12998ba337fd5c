#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

/// What comes in over HTTP, and what goes out.
namespace weir::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

/// A request whose body was read, and unpacked if it was compressed.
struct Request {
  http::verb method = http::verb::get;
  std::string path;                                        ///< as it came, without the query
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in its order
  http::fields headers;
  std::string body{};
  std::vector<std::string> segments{};  ///< of the path, decoded; of its route those left open
  std::string peer{};                   ///< address of the client
  std::string account{};                ///< whose share of what all share it takes (FairBudget)

  /// Empty where absent.
  [[nodiscard]] std::string_view header(http::field name) const { return headers[name]; }
  [[nodiscard]] std::string_view header(std::string_view name) const { return headers[name]; }
  /// The first of this name; null: it is not there.
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
  /// Without parameters, in lower case: "application/json".
  [[nodiscard]] std::string media_type() const;
};

/// Where an answer of no known length is written, piece by piece: a piece waits for the client to
/// take the one before. False: the client is gone, or the server stops. An empty piece only asks.
using PieceWriter = std::function<asio::awaitable<bool>(std::string_view piece)>;
/// Writes such an answer. False: it is not whole, and the client is to see that.
using Pieces = std::function<asio::awaitable<bool>(const PieceWriter& write)>;

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  Pieces pieces{};  ///< in the place of a body
  /// Of all pieces together. An answer that has an end goes on while the server stops.
  std::optional<std::uint64_t> size{};
  /// What is wrong, in words: the body says it as its protocol does.
  std::string detail{};
  /// What is given back when it has been sent.
  std::shared_ptr<void> held{};

  [[nodiscard]] static Response json(std::string body) { return {.body = std::move(body)}; }
};

/// Names what is answered (ETag, RFC 9110 §8.8.3) unless the answer has a name already, and answers
/// 304 to a client that has it. Of successes of GET that have an end.
void make_conditional(const Request& request, Response& response);

/// What went wrong inside, for whoever is elsewhere: of each path in it the last name alone.
[[nodiscard]] std::string without_paths(std::string_view text);

/// An answer of RFC 9457 (application/problem+json). `title` is empty: that of the status. Of our
/// own faults `detail` is said without paths.
[[nodiscard]] Response problem(unsigned status, std::string_view detail,
                               std::string_view title = {});
/// 503: the client is to come again in a second.
[[nodiscard]] Response overloaded(std::string_view why);
/// The same for what went wrong inside: the one place where codes become statuses.
[[nodiscard]] Response problem(const Error& error);
[[nodiscard]] unsigned status_of(ErrorCode code);

/// How a protocol says that something is wrong; null: as RFC 9457 does.
using Complaint = std::function<Response(const Request&, unsigned status, std::string_view detail)>;
/// What `problem` has made, said as `complain` does.
[[nodiscard]] Response said_by(const Complaint& complain, const Request& request, Response wrong);

/// What a request asks for: "/a/b%2Fc?d=e" has the segments "a" and "b/c".
struct Target {
  std::string path;  ///< as it came
  std::vector<std::string> segments{};
  std::vector<std::pair<std::string, std::string>> query{};
};
/// Nothing when an escape is malformed, or it is no path.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

}  // namespace weir::server
