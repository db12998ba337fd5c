#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/tool.h"

/// The circuit breakers that nodes and tools ask for: docs/interceptors.md.
namespace weir {

namespace embed {
struct CircuitCallState;
}  // namespace embed

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

/// Of the nodes with this operation and provider in their `circuit_breaker`, and of the
/// CircuitCalls with them, of all engines of the process. One that was never asked is closed.
[[nodiscard]] CircuitStatus circuit_status(std::string_view operation, std::string_view provider);

/// One call that a tool makes of a provider that may be down: asks the circuit when this is made.
/// One that is admitted tells how it went by `succeeded` or `failed`; one that is left without says
/// nothing of the provider. What the circuit comes to is an event of the tool's node.
///
///   weir::CircuitCall ask(call, {"chat", "acme"});
///   if (!ask.is_admitted()) return ask.refusal();
///   …
///   ask.succeeded();
///
/// Threads  That of the tool's call, which outlives it.
class CircuitCall {
 public:
  struct Rules {
    std::string operation;  ///< "chat"; it and the provider of at most 256 bytes
    std::string provider;   ///< "acme"
    int failures = 5;       ///< so many in a row open it
    std::chrono::milliseconds open_for = std::chrono::seconds(30);
  };
  CircuitCall(ToolCall& call, const Rules& rules) noexcept;
  ~CircuitCall();
  CircuitCall(const CircuitCall&) = delete;
  CircuitCall& operator=(const CircuitCall&) = delete;

  [[nodiscard]] bool is_admitted() const noexcept;
  /// Of one that is not: how long the circuit stays open. 0: until the one call has ended that is
  /// let through, to see.
  [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept;
  /// The failure of a node whose circuit is open: `CircuitOpen`.
  [[nodiscard]] ToolFailure refusal() const;

  // Only the first of them says anything, and only of a call that is admitted.
  void succeeded() noexcept;
  void failed(std::string_view reason) noexcept;

 private:
  std::unique_ptr<embed::CircuitCallState> state_;
};

}  // namespace weir
