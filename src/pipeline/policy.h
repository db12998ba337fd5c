#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/reference.h"

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

/// The delay before attempt `next` (2, 3, …) of what `stream` stands for: the same for the same
/// arguments.
[[nodiscard]] std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int next,
                                                    std::uint64_t stream);

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

/// What takes back what a completed node has done, when its run fails.
struct Undo {
  std::string plugin;  ///< empty: the node's own
  std::string tool;
  json::Object with;  ///< may hold references, as the node's own, and to the node's own output
  json::Position position{};
  bool has_references = false;
  std::vector<Reference> references{};
};

/// Whether the output of an earlier run may stand for a node's.
struct CachePolicy {
  bool enabled = true;
  std::optional<std::chrono::milliseconds> ttl;  ///< older outputs are none; nothing: never too old
  std::vector<std::string> files{};              ///< whose content the output depends on too
};

/// Fails calls at once while a provider is down: open after `failures` in a row, tried again after
/// `open_for`.
struct CircuitBreaker {
  std::string operation;
  std::string provider;
  int failures = 5;
  std::chrono::milliseconds open_for{30'000};
};

/// Of nodes that do not say themselves.
struct NodeDefaults {
  std::optional<RetryPolicy> retry;
  std::optional<std::chrono::milliseconds> timeout;
};

/// A way to run a pipeline in which some tools are not called. Patterns are `plugin.tool`, where
/// `*` stands for any part of it.
struct ExecutionMode {
  std::vector<std::string> allow;  ///< empty: every tool
  std::vector<std::string> deny;   ///< wins over `allow`
  json::Position position{};
};

/// Whether a mode's pattern means this tool.
[[nodiscard]] bool matches_tool(std::string_view pattern, std::string_view plugin_id,
                                std::string_view tool_id);
/// Whether the mode lets this tool be called.
[[nodiscard]] bool allows(const ExecutionMode& mode, std::string_view plugin_id,
                          std::string_view tool_id);

/// When runs are due, for telling late and missing ones. One of `every` and `cron` is given.
struct Expectation {
  std::optional<std::chrono::milliseconds> every;
  std::string cron;  ///< five fields, UTC
  std::chrono::milliseconds grace{0};
};

}  // namespace weir::pipeline
