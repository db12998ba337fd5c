#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The circuit breakers that nodes ask for: docs/interceptors.md.
namespace weir {

enum class CircuitState : std::uint8_t {
  kClosed,    ///< calls are made
  kOpen,      ///< they fail at once
  kHalfOpen,  ///< one is let through, to see
};

/// A circuit breaker of this process, and what became of the calls that it stands before.
struct CircuitStatus {
  CircuitState state = CircuitState::kClosed;
  int failures_in_row = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t refused = 0;
  std::uint64_t opened = 0;  ///< how often
  std::string reason{};      ///< of the last failure
};

/// Of the nodes with this operation and provider in their `circuit_breaker`, of all engines of the
/// process. One that was never asked is closed.
[[nodiscard]] CircuitStatus circuit_status(std::string_view operation, std::string_view provider);

}  // namespace weir
