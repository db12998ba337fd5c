#pragma once

#include <string_view>

#include "pipeline/policy.h"
#include "tool/tool.h"

/// What kinds of failures there are.
namespace weir::engine {

/// By what the tool says, then by the failure's type. One of which nothing is known may have been
/// the world's fault: it is transient.
[[nodiscard]] pipeline::ErrorCategory category_of(const tool::Failure& failure);

/// The type of a failure of `when` or `for_each`.
inline constexpr std::string_view kInvalidPlan = "InvalidPlan";
/// Why a node that needs an approval was denied when nobody has answered.
inline constexpr std::string_view kApprovalTimeout = "approval_timeout";
/// Why a node that has ended runs again.
inline constexpr std::string_view kGuardRetry = "guard_retry";
/// Of a call that was not made: its provider's circuit breaker is open. Transient.
inline constexpr std::string_view kCircuitOpen = "CircuitOpen";
/// Of a call with the idempotency key of another one. Permanent.
inline constexpr std::string_view kIdempotencyMismatch = "IdempotencyParamMismatch";
/// Of a call whose run did not want it any more.
inline constexpr std::string_view kCancelled = "Cancelled";
/// Why a node was skipped.
inline constexpr std::string_view kAncestorFailed = "a node before it failed";

/// As `reason` of pipeline_node_retry_scheduled: timeout, transient_error, resource_exhausted or
/// permanent_error.
[[nodiscard]] std::string_view retry_reason(pipeline::ErrorCategory category);

/// As `outcome` of an event: timeout, oom, denied; empty where there is no more to say than that it
/// failed.
[[nodiscard]] std::string_view outcome_of(const tool::Failure& failure);

/// Longer messages are cut: what a tool has to say at length are its log lines.
void cut_message(tool::Failure& failure);

/// An attempt that took longer than it may.
[[nodiscard]] tool::Failure timeout_failure(std::string_view what, std::chrono::milliseconds limit);

}  // namespace weir::engine
