#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "project/span.h"
#include "record/builtin_hooks.h"

namespace weir::exporting {

/// What became of one request.
struct Reception {
  enum class Kind : std::uint8_t {
    kTaken,
    kNotNow,   ///< nobody is there, or he is too busy: the same once more, later
    kTooLong,  ///< less at a time may be taken
    kRefused   ///< it will never be taken
  };
  Kind kind = Kind::kTaken;
  std::string why{};                                       ///< also of what was taken in part
  std::optional<std::chrono::milliseconds> retry_after{};  ///< kNotNow: when, if he says
  std::uint64_t rejected = 0;                              ///< kTaken: spans that were not
};

/// Sends an ExportTraceServiceRequest once; may be asked to stop.
using SendRequest =
    std::function<Reception(const std::string& request, const std::stop_token& stop)>;

struct OtlpHttp {
  std::string endpoint;  ///< a URL; one without a path gets /v1/traces
  record::HttpHeaders headers{};
  bool gzip = true;
  std::chrono::milliseconds timeout{10'000};
  std::string authorities{};  ///< PEM; empty: the system's
};
/// Over HTTP with protobuf. What is tried again is what OTLP says: 429, 502, 503, 504, and where no
/// answer came. Errors: kInvalidInput for a URL of another kind.
[[nodiscard]] Result<SendRequest> otlp_over_http(OtlpHttp options);

/// What was taken, by an ExportTraceServiceResponse: it may say that some spans were refused. What
/// is no such message is passed over.
[[nodiscard]] Reception taken_with(std::string_view response);

struct SenderStatistics {
  std::uint64_t sent = 0;     ///< spans that were taken
  std::uint64_t refused = 0;  ///< spans that were not, for good
  std::uint64_t retries = 0;  ///< requests that were sent again
  std::string last_problem{};
};

/// Sends spans until they are taken or refused: what is not now waits for as long as it takes,
/// twice as long each time up to `longest_wait`, or as the receiver says.
///
/// Threads  One.
class SpanSender {
 public:
  struct Options {
    std::chrono::milliseconds first_wait{1'000};
    std::chrono::milliseconds longest_wait{60'000};
    /// Of trouble that its owner should know, in a sentence; once until it is over.
    std::function<void(const std::string&)> on_problem{};
  };
  SpanSender(SendRequest send, Options options)
      : send_(std::move(send)), options_(std::move(options)) {}

  /// Errors: kCancelled when it was asked to stop before all were taken or refused.
  [[nodiscard]] Result<void> send(std::span<const project::Span> spans,
                                  const std::stop_token& stop);

  [[nodiscard]] const SenderStatistics& statistics() const { return statistics_; }

 private:
  [[nodiscard]] Result<Reception> send_one(std::span<const project::Span> spans,
                                           const std::stop_token& stop);
  void tell(const std::string& problem);

  const SendRequest send_;
  const Options options_;
  SenderStatistics statistics_;
  bool has_told_ = false;
};

/// How long to wait before the same is sent once more: as the receiver says, but `first_wait` at
/// least, else somewhere in the
/// upper half of twice as long each time, so that not all come back at once.
[[nodiscard]] std::chrono::milliseconds wait_before(
    const SpanSender::Options& options, const std::optional<std::chrono::milliseconds>& retry_after,
    int tries);

/// A URL with `path` where it has none. Errors: kInvalidInput (it is none of http or https).
[[nodiscard]] Result<std::string> endpoint_of(std::string endpoint, std::string_view path);

/// Waits, or returns false at once when it is asked to stop.
[[nodiscard]] bool wait_or_stop(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace weir::exporting
