#include "engine/circuit_interceptor.h"

#include "base/text.h"
#include "engine/failures.h"
#include "engine/node_events.h"
#include "tool/provider_call.h"

namespace weir::engine {
namespace {

std::string name_of(const pipeline::CircuitBreaker& rules) {
  return "'" + rules.operation + "' of '" + rules.provider + "'";
}

tool::Failure refusal(const Attempt& attempt, const CircuitAdmission& admission) {
  auto message = "node '" + std::string(attempt.node_id) + "': the circuit breaker of " +
                 name_of(*attempt.node.circuit_breaker) + " is open";
  if (const auto left = admission.retry_after.count(); left > 0) {
    message += ", for " + text::duration(static_cast<double>(left)) + " more";
  }
  return {.type = std::string(kCircuitOpen),
          .message = std::move(message),
          .exit_code = {},
          .usage = {},
          .retryable = true};
}

/// Tells the call of the node from those that its tool may report itself.
json::Object whole_node() {
  json::Object context;
  context.set("scope", "node");
  return context;
}

}  // namespace

void CircuitInterceptor::around(Attempt& attempt, Next& next) {
  const auto& rules = attempt.node.circuit_breaker;
  if (!rules) {
    next.run();
    return;
  }
  const auto admission = breakers_.admit(*rules);
  if (!admission.is_admitted) return next.answer(std::unexpected(refusal(attempt, admission)));
  if (admission.became_half_open) attempt.events.circuit(CircuitState::kHalfOpen, *rules);
  tool::ProviderCall call(
      attempt.call,
      {.operation = rules->operation, .provider = rules->provider, .context = whole_node()});
  const auto& outcome = next.run();
  if (outcome) {
    call.completed();
  } else {
    call.failed(outcome.error());
  }
  count(attempt, outcome, admission);
}

void CircuitInterceptor::count(Attempt& attempt, const CallOutcome& outcome,
                               const CircuitAdmission& admission) {
  const auto& rules = *attempt.node.circuit_breaker;
  std::optional<CircuitState> changed;
  if (outcome) {
    changed = breakers_.succeeded(rules, admission);
  } else if (status_of(attempt, outcome) == "cancelled" ||
             category_of(outcome.error()) == pipeline::ErrorCategory::kPermanent) {
    breakers_.abandoned(rules, admission);
  } else {
    changed = breakers_.failed(rules, outcome.error().message, admission);
  }
  if (changed) attempt.events.circuit(*changed, rules);
}

}  // namespace weir::engine
