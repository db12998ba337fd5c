#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/policy.h"

namespace weir::engine {

///   closed ── `failures` in a row ──► open ── after `open_for` ──► half-open: one call is let
///   through
///     ▲                                ▲                              │   │
///     └────────────────────────────────┼────── it succeeded ◄─────────┘   │
///                                      └────── it failed ◄────────────────┘
enum class CircuitState : std::uint8_t { kClosed, kOpen, kHalfOpen };
/// "closed", "open", "half_open".
[[nodiscard]] std::string_view to_string(CircuitState state);

/// What a circuit stands for.
struct CircuitKey {
  std::string operation;
  std::string provider;
  auto operator<=>(const CircuitKey&) const = default;
};

struct CircuitStatus {
  CircuitState state = CircuitState::kClosed;
  int failures_in_row = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t refused = 0;
  std::uint64_t opened = 0;  ///< how often
  std::string reason{};      ///< of the last failure
  bool operator==(const CircuitStatus&) const = default;
};

/// Whether a call may be made.
struct CircuitAdmission {
  bool is_admitted = true;
  bool is_trial = false;                     ///< the one call of a half-open circuit
  bool became_half_open = false;             ///< by this call
  std::chrono::milliseconds retry_after{0};  ///< of one that may not
};

/// The circuit breakers of a process: what they know is its own, and ends with it. `failures` and
/// `open_for` are those of the call that asks, so pipelines that share a circuit should agree.
///
/// Threads  Any.
class CircuitBreakers {
 public:
  /// Calls of further circuits are all let through, and not counted.
  static constexpr std::size_t kMaxCircuits = 10'000;

  /// `clock` outlives it.
  explicit CircuitBreakers(const Clock& clock = system_clock()) : clock_(clock) {}
  CircuitBreakers(const CircuitBreakers&) = delete;
  CircuitBreakers& operator=(const CircuitBreakers&) = delete;

  /// Those that all runs share whose request names no others.
  [[nodiscard]] static CircuitBreakers& of_process();

  /// After a call that is admitted, one of the three below.
  [[nodiscard]] CircuitAdmission admit(const pipeline::CircuitBreaker& rules);

  /// They return the state that the circuit has come to, nothing if it stays in its own.
  std::optional<CircuitState> succeeded(const pipeline::CircuitBreaker& rules,
                                        const CircuitAdmission& admission = {});
  std::optional<CircuitState> failed(const pipeline::CircuitBreaker& rules, std::string_view reason,
                                     const CircuitAdmission& admission = {});
  /// The call says nothing of the provider: it was cancelled, or its input was wrong.
  void abandoned(const pipeline::CircuitBreaker& rules, const CircuitAdmission& admission = {});

  /// Whether a call would be refused now.
  [[nodiscard]] bool is_open(const CircuitKey& key) const;
  [[nodiscard]] CircuitStatus status(const CircuitKey& key) const;

 private:
  struct Circuit {
    CircuitStatus status;
    std::chrono::nanoseconds open_until{0};  // by the monotonic clock
    bool is_tried = false;                   // a trial is on its way
  };
  /// Null: there are too many. Under mutex_.
  [[nodiscard]] Circuit* find_or_make(const pipeline::CircuitBreaker& rules);
  void open(Circuit& circuit, const pipeline::CircuitBreaker& rules) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<CircuitKey, Circuit> circuits_;  // guarded by mutex_
};

}  // namespace weir::engine
