#include "weir/circuit.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "embed_engine/call_state.h"
#include "engine/circuit_breakers.h"
#include "engine/failures.h"
#include "tool/circuit_change.h"

namespace weir {
namespace embed {

struct CircuitCallState {
  const tool::Call& call;
  const pipeline::CircuitBreaker rules;
  const engine::CircuitAdmission admission;
  bool has_ended;

  void note(std::optional<engine::CircuitState> changed) const {
    if (!changed) return;
    call.circuit({.state = static_cast<tool::CircuitChange::State>(*changed),
                  .operation = rules.operation,
                  .provider = rules.provider,
                  .open_for = rules.open_for});
  }
};

namespace {

/// As long as ids may be.
constexpr std::size_t kMaxName = 256;

engine::CircuitBreakers& breakers() { return engine::CircuitBreakers::of_process(); }

pipeline::CircuitBreaker to_rules(const CircuitCall::Rules& rules) {
  return {.operation = std::string(utf8::cut(rules.operation, kMaxName)),
          .provider = std::string(utf8::cut(rules.provider, kMaxName)),
          .failures = std::max(rules.failures, 1),
          .open_for = std::max(rules.open_for, std::chrono::milliseconds(1))};
}

std::unique_ptr<CircuitCallState> asked(const tool::Call& call, pipeline::CircuitBreaker rules) {
  const auto admission = breakers().admit(rules);
  auto state =
      std::make_unique<CircuitCallState>(CircuitCallState{.call = call,
                                                          .rules = std::move(rules),
                                                          .admission = admission,
                                                          .has_ended = !admission.is_admitted});
  if (admission.became_half_open) state->note(engine::CircuitState::kHalfOpen);
  return state;
}

}  // namespace
}  // namespace embed

CircuitStatus circuit_status(std::string_view operation, std::string_view provider) {
  const auto status = engine::CircuitBreakers::of_process().status(
      {.operation = std::string(operation), .provider = std::string(provider)});
  static_assert(static_cast<int>(CircuitState::kOpen) ==
                    static_cast<int>(engine::CircuitState::kOpen) &&
                static_cast<int>(CircuitState::kHalfOpen) ==
                    static_cast<int>(engine::CircuitState::kHalfOpen));
  return {.state = static_cast<CircuitState>(status.state),
          .failures_in_row = status.failures_in_row,
          .succeeded = status.succeeded,
          .failed = status.failed,
          .refused = status.refused,
          .opened = status.opened,
          .reason = status.reason};
}

CircuitCall::CircuitCall(ToolCall& call, const Rules& rules) noexcept
    : state_(embed::asked(call.state_->call(), embed::to_rules(rules))) {}

CircuitCall::~CircuitCall() {
  if (!state_->has_ended) embed::breakers().abandoned(state_->rules, state_->admission);
}

bool CircuitCall::is_admitted() const noexcept { return state_->admission.is_admitted; }

std::chrono::milliseconds CircuitCall::retry_after() const noexcept {
  return state_->admission.retry_after;
}

ToolFailure CircuitCall::refusal() const {
  auto message = "the circuit breaker of '" + state_->rules.operation + "' of '" +
                 state_->rules.provider + "' is open";
  if (const auto left = retry_after().count(); left > 0) {
    message += ", for " + text::duration(static_cast<double>(left)) + " more";
  }
  return {std::string(engine::kCircuitOpen), std::move(message), true};
}

void CircuitCall::succeeded() noexcept {
  if (std::exchange(state_->has_ended, true)) return;
  state_->note(embed::breakers().succeeded(state_->rules, state_->admission));
}

void CircuitCall::failed(std::string_view reason) noexcept {
  if (std::exchange(state_->has_ended, true)) return;
  state_->note(embed::breakers().failed(state_->rules, reason, state_->admission));
}

}  // namespace weir
