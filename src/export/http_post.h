#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "record/builtin_hooks.h"

namespace weir::exporting {

struct HttpPostOptions {
  std::chrono::milliseconds connect_timeout{5'000};  ///< with names looked up and TLS agreed
  std::chrono::milliseconds timeout{10'000};         ///< of all of it
  /// Takes the text of an answer that is a success, piece by piece, from the calling thread; false:
  /// no more is wanted, which is no failure. Without it kMaxResponseBytes of it are read.
  std::function<bool(std::string_view)> on_answer{};
  /// Certificates of the authorities to trust, PEM; without one, the system's.
  std::filesystem::path authorities{};
};

/// Of an answer, more is not read: a receiver has nothing to tell us.
inline constexpr std::size_t kMaxResponseBytes = std::size_t{64} << 10;
/// Of the headers of an answer.
inline constexpr std::size_t kMaxResponseHeaderBytes = std::size_t{64} << 10;
/// So much of a refusal's text is in the error.
inline constexpr std::size_t kMaxQuotedBytes = 512;

/// What a receiver answered, whatever the status.
struct HttpAnswer {
  long status = 0;
  /// The beginning of a refusal's text, printable and without secrets; a success's text as it came,
  /// up to kMaxAnswerBytes.
  std::string text;
  std::optional<std::chrono::seconds> retry_after{};

  [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
};
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

/// Posts and gives the answer, for who acts on more than success: as http_post otherwise. Of a
/// success all text is read. Errors: kInvalidInput, kCancelled, kUnavailable (no answer).
[[nodiscard]] Result<HttpAnswer> http_exchange(const HttpPostOptions& options,
                                               const std::string& url, std::string_view body,
                                               const record::HttpHeaders& headers,
                                               const std::stop_token& stop);

/// What sends a webhook's requests, and an alert's: an HTTP POST that succeeded when a status from
/// 200 to 299 came back.
///
/// Safety   http and https only, TLS 1.2 or newer with the certificate and the name checked. It
///          follows no redirect: that would send the event to whom nobody has named. Proxies in the
///          environment (`http_proxy` …), cookies and .netrc are ignored.
/// Secrets  An error names scheme, host and port. Path, query, user and password of the URL and the
///          values of headers are in no error: where the receiver repeats them they become `***`.
/// Stop     Ends the request at once.
/// Threads  Any, also several at once. Each call makes a connection of its own. (libcurl looks
///          names up on a thread of its own, which may outlive the call by the system's DNS
///          timeout.)
/// Errors   kInvalidInput for a URL or header that cannot be sent; kCancelled when asked to stop;
///          kUnavailable when nobody answered in time or the answer was not a success.
[[nodiscard]] record::Post http_post(HttpPostOptions options = {});

}  // namespace weir::exporting
