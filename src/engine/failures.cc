#include "engine/failures.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "base/utf8.h"

namespace weir::engine {

using pipeline::ErrorCategory;

namespace {

constexpr std::string_view kTimeout = "TIMEOUT";
constexpr std::size_t kMaxMessage = std::size_t{64} << 10;

/// The same try would end the same way.
constexpr auto kPermanent = std::to_array<std::string_view>({
    "UnresolvedReference",
    "InputTooLarge",
    "OutputTooLarge",
    "OutputNotJson",
    "OutputNotUtf8",
    "OUTPUT_LIMIT",
    "POLICY_DENIED",
    "TooManyRows",
    "InvalidPointer",
    "NotThere",
    "ArtifactMissing",
    kIdempotencyMismatch,
    "std::invalid_argument",
    "std::logic_error",
    "std::out_of_range",
    "std::domain_error",
    "std::length_error",
});
constexpr auto kDenied =
    std::to_array<std::string_view>({"POLICY_DENIED", "ToolDenied", "ApprovalDenied"});
constexpr auto kExhausted =
    std::to_array<std::string_view>({"OOM", "StorageError", "std::bad_alloc"});

bool has_type_of(const tool::Failure& failure, std::span<const std::string_view> types) {
  return std::find(types.begin(), types.end(), failure.type) != types.end();
}

}  // namespace

ErrorCategory category_of(const tool::Failure& failure) {
  if (failure.type == kTimeout || failure.type == "CPU_LIMIT") return ErrorCategory::kTimeout;
  if (has_type_of(failure, kExhausted)) return ErrorCategory::kResourceExhausted;
  if (failure.retryable) {
    return *failure.retryable ? ErrorCategory::kTransient : ErrorCategory::kPermanent;
  }
  return has_type_of(failure, kPermanent) ? ErrorCategory::kPermanent : ErrorCategory::kTransient;
}

std::string_view retry_reason(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::kTimeout:
      return "timeout";
    case ErrorCategory::kTransient:
      return "transient_error";
    case ErrorCategory::kResourceExhausted:
      return "resource_exhausted";
    case ErrorCategory::kPermanent:
      break;
  }
  return "permanent_error";
}

std::string_view outcome_of(const tool::Failure& failure) {
  if (failure.type == kTimeout) return "timeout";
  if (failure.type == "OOM") return "oom";
  return has_type_of(failure, kDenied) ? std::string_view("denied") : std::string_view();
}

void cut_message(tool::Failure& failure) {
  failure.message.resize(utf8::cut(failure.message, kMaxMessage).size());
}

tool::Failure timeout_failure(std::string_view what, std::chrono::milliseconds limit) {
  return {.type = std::string(kTimeout),
          .message = std::string(what) + ": it had not ended after " +
                     text::duration(static_cast<double>(limit.count())),
          .exit_code = {},
          .usage = {}};
}

}  // namespace weir::engine
