#include "engine/circuit_breakers.h"

#include "base/utf8.h"

namespace weir::engine {
namespace {

/// Of the reason that is kept.
constexpr std::size_t kMaxReason = 500;

}  // namespace

std::string_view to_string(CircuitState state) {
  switch (state) {
    case CircuitState::kClosed:
      return "closed";
    case CircuitState::kOpen:
      return "open";
    case CircuitState::kHalfOpen:
      break;
  }
  return "half_open";
}

CircuitBreakers& CircuitBreakers::of_process() {
  static CircuitBreakers breakers;
  return breakers;
}

CircuitBreakers::Circuit* CircuitBreakers::find_or_make(const pipeline::CircuitBreaker& rules) {
  const CircuitKey key{.operation = rules.operation, .provider = rules.provider};
  const auto found = circuits_.find(key);
  if (found != circuits_.end()) return &found->second;
  return circuits_.size() < kMaxCircuits ? &circuits_[key] : nullptr;
}

CircuitAdmission CircuitBreakers::admit(const pipeline::CircuitBreaker& rules) {
  const std::lock_guard lock(mutex_);
  auto* circuit = find_or_make(rules);
  if (circuit == nullptr || circuit->status.state == CircuitState::kClosed) return {};
  const auto now = clock_.monotonic();
  const bool is_open = circuit->status.state == CircuitState::kOpen;
  if (is_open ? now < circuit->open_until : circuit->is_tried) {
    ++circuit->status.refused;
    const auto left = is_open ? circuit->open_until - now : std::chrono::nanoseconds(0);
    return {.is_admitted = false,
            .retry_after = std::chrono::ceil<std::chrono::milliseconds>(left)};
  }
  circuit->status.state = CircuitState::kHalfOpen;
  circuit->is_tried = true;
  return {.is_trial = true, .became_half_open = is_open};
}

std::optional<CircuitState> CircuitBreakers::succeeded(const pipeline::CircuitBreaker& rules,
                                                       const CircuitAdmission& admission) {
  const std::lock_guard lock(mutex_);
  auto* circuit = find_or_make(rules);
  if (circuit == nullptr) return {};
  auto& status = circuit->status;
  ++status.succeeded;
  if (status.state == CircuitState::kClosed) status.failures_in_row = 0;
  if (!admission.is_trial) return {};  // it began before the circuit opened
  circuit->is_tried = false;
  status.failures_in_row = 0;
  status.state = CircuitState::kClosed;
  return status.state;
}

std::optional<CircuitState> CircuitBreakers::failed(const pipeline::CircuitBreaker& rules,
                                                    std::string_view reason,
                                                    const CircuitAdmission& admission) {
  const std::lock_guard lock(mutex_);
  auto* circuit = find_or_make(rules);
  if (circuit == nullptr) return {};
  auto& status = circuit->status;
  ++status.failed;
  ++status.failures_in_row;
  status.reason = utf8::cut(reason, kMaxReason);
  const bool is_too_many =
      status.state == CircuitState::kClosed && status.failures_in_row >= rules.failures;
  if (!is_too_many && !admission.is_trial) return {};
  open(*circuit, rules);
  return status.state;
}

void CircuitBreakers::abandoned(const pipeline::CircuitBreaker& rules,
                                const CircuitAdmission& admission) {
  if (!admission.is_trial) return;
  const std::lock_guard lock(mutex_);
  if (auto* circuit = find_or_make(rules)) circuit->is_tried = false;
}

/// Under mutex_.
void CircuitBreakers::open(Circuit& circuit, const pipeline::CircuitBreaker& rules) const {
  circuit.is_tried = false;
  circuit.status.state = CircuitState::kOpen;
  ++circuit.status.opened;
  circuit.open_until = clock_.monotonic() + rules.open_for;
}

bool CircuitBreakers::is_open(const CircuitKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(key);
  if (found == circuits_.end() || found->second.status.state == CircuitState::kClosed) return false;
  const auto& circuit = found->second;
  return circuit.status.state == CircuitState::kOpen ? clock_.monotonic() < circuit.open_until
                                                     : circuit.is_tried;
}

CircuitStatus CircuitBreakers::status(const CircuitKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = circuits_.find(key);
  return found == circuits_.end() ? CircuitStatus{} : found->second.status;
}

}  // namespace weir::engine
