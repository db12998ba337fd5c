#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/signal_request.h"

/// What can be asked of a run, and by whom.
namespace weir::engine {

/// Who may ask, the least first. Whoever may do more may do less, but kSystem: only it may
/// escalate, and it may do nothing else.
enum class Role : std::uint8_t { kOperator, kEngineer, kAdmin, kSystem };
[[nodiscard]] std::string_view to_string(Role role);

/// A type of signal.
struct SignalType {
  std::string name;  ///< "retry-step"
  Role role = Role::kOperator;
  bool needs_node = false;
  bool needs_reason = false;
  std::vector<std::string> needs;   ///< keys of the payload
  std::vector<std::string> allows;  ///< other keys of the payload
  /// Of a type of the user's own: what it does when it was accepted, under no lock, from the run's
  /// signal thread. What it throws becomes an ERROR `log` event of the run.
  std::function<void(const SignalRequest&)> act{};
};

/// The types that runs know: the eleven of their own (pause, resume, cancel, retry-step, retry-run,
/// skip-step, update-params, inject-override, update-target, emergency-stop, escalate-alert), the
/// two answers to approvals (approve, deny), and those of users.
class SignalTypes {
 public:
  SignalTypes();

  /// Replaces one of the user's of that name. Errors: kInvalidInput (the name is one of Weir's, or
  /// not `is_signal_name`).
  [[nodiscard]] Result<void> add(SignalType type);
  /// By its name, or as dvt writes it (RETRY_STEP); null when there is none.
  [[nodiscard]] const SignalType* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  /// Whether the request has what its type needs, and nothing else: accepted, or rejected with
  /// SIGNAL_UNKNOWN or SIGNAL_INVALID_PAYLOAD. Pure.
  [[nodiscard]] SignalDecision check(const SignalRequest& request) const;

 private:
  std::map<std::string, SignalType, std::less<>> types_;
};

/// What a process thinks of requests to its runs.
struct SignalPolicy {
  SignalTypes types{};
  /// What an actor is; empty: there are no roles, and everybody may ask everything.
  std::function<Role(std::string_view actor_id)> role_of{};

  /// Of these runs, signals of Weir's own that they have no use for, and why: SIGNAL_UNSUPPORTED.
  std::map<std::string, std::string, std::less<>> unsupported{};

  /// `types.check`, then whether the runs know what to do, then whether the actor may:
  /// AUTHZ_DENIED.
  [[nodiscard]] SignalDecision check(const SignalRequest& request) const;
};

/// Longer reasons are refused.
inline constexpr std::size_t kMaxSignalReason = 1000;
/// So are larger payloads, as JSON.
inline constexpr std::size_t kMaxSignalPayload = 64'000;

/// Made of a-z, 0-9, '-' and '.', at most 64 of them.
[[nodiscard]] bool is_signal_name(std::string_view name);

/// "RETRY_STEP" and "retry_step" are "retry-step".
[[nodiscard]] std::string canonical_signal_type(std::string_view name);

}  // namespace weir::engine
