#pragma once

#include <string>
#include <string_view>

#include "tool/tool.h"

namespace weir::engine {

/// Of a summary, in bytes: longer ones are cut.
inline constexpr std::size_t kMaxSummaryMessage = 500;
/// The code of a failure of which no more is known than its type.
inline constexpr std::string_view kUnknownError = "UNKNOWN";

/// A failure in short, for logs, metrics and dashboards.
struct ErrorSummary {
  /// TIMEOUT, OOM, CPU_LIMIT, OUTPUT_LIMIT, POLICY_DENIED, CIRCUIT_OPEN, IDEMPOTENCY_MISMATCH,
  /// CANCELLED or UNKNOWN. Never freed.
  std::string_view code = kUnknownError;
  std::string type;
  std::string message;
  bool retryable = false;  ///< another try may succeed
  bool operator==(const ErrorSummary&) const = default;
};

[[nodiscard]] std::string_view error_code_of(const tool::Failure& failure);
[[nodiscard]] ErrorSummary summarize(const tool::Failure& failure);

/// In one line: "TIMEOUT: it had not ended after 30 s".
[[nodiscard]] std::string to_string(const ErrorSummary& summary);

}  // namespace weir::engine
