#pragma once

#include "engine/circuit_breakers.h"
#include "engine/interceptor.h"

namespace weir::engine {

/// Fails the attempts of nodes with a `circuit_breaker` at once while that is open, and counts what
/// becomes of the others. Each of those is recorded as a call of the breaker's provider, and so is
/// what the circuit comes to by it.
class CircuitInterceptor final : public Interceptor {
 public:
  /// `breakers` outlives it.
  explicit CircuitInterceptor(CircuitBreakers& breakers) : breakers_(breakers) {}
  [[nodiscard]] std::string_view name() const override { return "circuit_breaker"; }
  [[nodiscard]] int priority() const override { return priority::kCircuitBreaker; }
  void around(Attempt& attempt, Next& next) override;

 private:
  void count(Attempt& attempt, const CallOutcome& outcome, const CircuitAdmission& admission);

  CircuitBreakers& breakers_;
};

}  // namespace weir::engine
