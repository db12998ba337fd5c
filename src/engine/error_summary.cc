#include "engine/error_summary.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "engine/failures.h"

namespace weir::engine {
namespace {

constexpr auto kCodes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {tool::kTimeout, tool::kTimeout},
    {tool::kOutOfMemory, tool::kOutOfMemory},
    {tool::kCpuLimit, tool::kCpuLimit},
    {tool::kOutputLimit, tool::kOutputLimit},
    {tool::kPolicyDenied, tool::kPolicyDenied},
    {kCircuitOpen, "CIRCUIT_OPEN"},
    {kIdempotencyMismatch, "IDEMPOTENCY_MISMATCH"},
    {kCancelled, "CANCELLED"},
});

}  // namespace

std::string_view error_code_of(const tool::Failure& failure) {
  const auto* const found =
      std::ranges::find(kCodes, failure.type, &decltype(kCodes)::value_type::first);
  return found == kCodes.end() ? kUnknownError : found->second;
}

ErrorSummary summarize(const tool::Failure& failure) {
  return {.code = error_code_of(failure),
          .type = failure.type,
          .message = std::string(utf8::cut(failure.message, kMaxSummaryMessage)),
          .retryable = category_of(failure) != pipeline::ErrorCategory::kPermanent};
}

std::string to_string(const ErrorSummary& summary) {
  auto line = std::string(summary.code) + ": " + summary.message;
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace weir::engine
