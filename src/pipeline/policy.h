#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a pipeline says about control: how often, how long, what then. Pure.
namespace weir::pipeline {

/// What kind of failure an attempt ended with; retries choose by it.
enum class ErrorCategory : std::uint8_t {
  kPermanent,          ///< the same try would fail again: bad input, a bug, not allowed
  kTransient,          ///< the world was at fault: a connection, a server that is busy
  kTimeout,            ///< it took too long
  kResourceExhausted,  ///< memory, disk, quota
};

enum class Backoff : std::uint8_t { kExponential, kLinear, kConstant };

/// How a delay d is spread: none: d; full: 0 … d; equal: d/2 … d; decorrelated: base … 3 × the
/// last.
enum class Jitter : std::uint8_t { kNone, kFull, kEqual, kDecorrelated };

struct RetryPolicy {
  int max_attempts = 1;  ///< all tries, at least 1
  Backoff backoff = Backoff::kExponential;
  Jitter jitter = Jitter::kFull;
  std::chrono::milliseconds delay{1'000};  ///< before the second try
  std::chrono::milliseconds max_delay{30'000};
  std::vector<ErrorCategory> on = {ErrorCategory::kTransient, ErrorCategory::kTimeout,
                                   ErrorCategory::kResourceExhausted};
};

/// What a failed node means for the rest.
enum class FailureMode : std::uint8_t {
  kFailFast,    ///< what runs is cancelled, nothing more starts
  kContinue,    ///< its descendants are skipped, the run fails at its end
  kBestEffort,  ///< its descendants run without its output, the run completes as partial
};

/// When a guard fails, another node and then the guard are run again.
struct GuardRetry {
  std::string retry_node;  ///< an ancestor of the guard
  int max_attempts = 2;    ///< of the guard, all of them
  /// It is given up when this many outputs of the retried node in a row are the same.
  int stagnation_limit = 2;
  std::vector<std::string> hash_fields;  ///< of the output that is compared; empty: all of it
  std::optional<std::chrono::milliseconds> timeout;  ///< from the guard's first failure on
};

/// A node that waits for a person before it starts.
struct Approval {
  std::string message;
  std::optional<std::chrono::milliseconds> timeout;  ///< denied when nobody has answered by then
};

}  // namespace weir::pipeline
