#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "project/span.h"
#include "server/message.h"

/// What clients of Jaeger ask (jaeger-query's HTTP API, v1 and v3).
namespace weir::server {

/// Which traces somebody looks for: those of which one span is as all of this says.
struct TraceQuery {
  static constexpr std::size_t kUsualLimit = 100;
  static constexpr std::size_t kMostTraces = 1500;

  std::vector<std::string> trace_ids{};  ///< these, whatever the rest says
  std::string service{};
  std::string operation{};  ///< empty: any
  std::vector<std::pair<std::string, std::string>> tags{};
  Timestamp since{};
  Timestamp until{};
  std::optional<std::uint64_t> min_ns{};
  std::optional<std::uint64_t> max_ns{};
  std::size_t limit = kUsualLimit;

  /// Whether every trace of the service in the time is one.
  [[nodiscard]] bool takes_all() const {
    return operation.empty() && tags.empty() && !min_ns && !max_ns;
  }
  /// But for the time.
  [[nodiscard]] bool matches(const project::Span& span) const;
};

/// Of `/api/traces`: times in microseconds since 1970. Errors: kInvalidInput.
[[nodiscard]] Result<TraceQuery> parse_v1_query(const Request& request, Timestamp now);
/// Of `/api/v3/traces`: `query.service_name`, …, times as RFC 3339. Errors: kInvalidInput.
[[nodiscard]] Result<TraceQuery> parse_v3_query(const Request& request, Timestamp now);

/// Up to 32 hex digits as 32, lower case; nothing for anything else.
[[nodiscard]] std::optional<std::string> parse_trace_id(std::string_view text);

/// A duration as Go writes it: "1.5s", "1m30s", "100us". In nanoseconds.
[[nodiscard]] std::optional<std::uint64_t> parse_go_duration(std::string_view text);

/// How an attribute is written where it is a text.
[[nodiscard]] std::string tag_text(const json::Value& value);

}  // namespace weir::server
