#include "engine/signal_types.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::engine {
namespace {

const auto kBuiltIn = std::to_array<SignalType>({
    {.name = "pause", .role = Role::kOperator},
    {.name = "resume", .role = Role::kOperator},
    {.name = "cancel", .role = Role::kOperator},
    {.name = "approve", .role = Role::kOperator, .needs_node = true},
    {.name = "deny", .role = Role::kOperator, .needs_node = true},
    {.name = "retry-step", .role = Role::kEngineer, .needs_node = true},
    {.name = "retry-run", .role = Role::kEngineer},
    {.name = "skip-step", .role = Role::kEngineer, .needs_node = true},
    {.name = "update-params", .role = Role::kAdmin, .needs = {"params"}},
    {.name = "inject-override", .role = Role::kAdmin, .needs_node = true, .needs = {"output"}},
    {.name = "update-target", .role = Role::kAdmin, .needs_node = true, .needs = {"target"}},
    {.name = "emergency-stop", .role = Role::kAdmin, .needs_reason = true},
    {.name = "escalate-alert", .role = Role::kSystem, .needs = {"level"}, .allows = {"note"}},
});

bool is_built_in(std::string_view name) {
  return std::ranges::any_of(kBuiltIn, [&](const auto& type) { return type.name == name; });
}

SignalDecision invalid(const std::string& why) {
  return SignalDecision::rejected("SIGNAL_INVALID_PAYLOAD", why);
}

bool may(Role has, Role needed) {
  if (needed == Role::kSystem || has == Role::kSystem) return has == needed;
  return has >= needed;
}

bool is_one_of(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

SignalDecision check_payload(const SignalType& type, const json::Object& payload) {
  for (const auto& key : type.needs) {
    if (payload.find(key) == nullptr) return invalid("'" + type.name + "' needs '" + key + "'");
  }
  for (const auto& member : payload) {
    if (type.act || is_one_of(type.needs, member.key) || is_one_of(type.allows, member.key))
      continue;
    return invalid("'" + type.name + "' has no '" + member.key + "'");
  }
  if (json::to_text(payload).size() > kMaxSignalPayload) {
    return invalid("its payload is larger than " + std::to_string(kMaxSignalPayload) + " bytes");
  }
  return {};
}

}  // namespace

std::string_view to_string(Role role) {
  static constexpr std::string_view kNames[] = {"operator", "engineer", "admin", "system"};
  return kNames[static_cast<std::size_t>(role)];
}

bool is_signal_name(std::string_view name) {
  constexpr std::size_t kMaxSignalName = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxSignalName && std::ranges::all_of(name, allowed);
}

std::string canonical_signal_type(std::string_view name) {
  std::string result(name);
  for (auto& c : result) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

SignalTypes::SignalTypes() {
  for (const auto& type : kBuiltIn) types_.emplace(type.name, type);
}

Result<void> SignalTypes::add(SignalType type) {
  if (is_built_in(type.name)) {
    return fail(ErrorCode::kInvalidInput, "the signal '" + type.name + "' is one of Weir's own");
  }
  if (!is_signal_name(type.name) || !type.act) {
    return fail(
        ErrorCode::kInvalidInput,
        "the signal '" + type.name + "': a name of a-z, 0-9, '-' and '.', and an act is expected");
  }
  types_.insert_or_assign(type.name, std::move(type));
  return {};
}

const SignalType* SignalTypes::find(std::string_view name) const {
  const auto found = types_.find(canonical_signal_type(name));
  return found == types_.end() ? nullptr : &found->second;
}

std::vector<std::string> SignalTypes::names() const {
  std::vector<std::string> names;
  names.reserve(types_.size());
  for (const auto& [name, type] : types_) names.push_back(name);
  return names;
}

SignalDecision SignalTypes::check(const SignalRequest& request) const {
  const auto* type = find(request.type);
  if (type == nullptr) {
    return SignalDecision::rejected("SIGNAL_UNKNOWN",
                                    "the run knows no signal '" + request.type + "'" +
                                        text::did_you_mean(request.type, names()));
  }
  if (request.signal_id.empty()) return invalid("it has no id");
  if (type->needs_node && request.node_id.empty()) {
    return invalid("'" + type->name + "' needs a node");
  }
  if (!type->needs_node && !request.node_id.empty() && !type->act) {
    return invalid("'" + type->name + "' is about the run, not a node");
  }
  if (type->needs_reason && request.reason.empty()) {
    return SignalDecision::rejected("AUTHZ_REASON_REQUIRED", "'" + type->name + "' needs a reason");
  }
  if (request.reason.size() > kMaxSignalReason) {
    return invalid("the reason is longer than " + std::to_string(kMaxSignalReason) + " bytes");
  }
  return check_payload(*type, request.payload);
}

SignalDecision SignalPolicy::check(const SignalRequest& request) const {
  auto decision = types.check(request);
  if (decision.kind != SignalDecision::Kind::kAccepted) return decision;
  const auto* type = types.find(request.type);
  if (const auto found = unsupported.find(type->name); found != unsupported.end()) {
    return SignalDecision::rejected("SIGNAL_UNSUPPORTED", found->second);
  }
  const auto role = role_of ? role_of(request.actor_id) : Role::kAdmin;
  // Without roles, whoever can write the log is the system, too.
  if (!role_of || may(role, type->role)) return {};
  return SignalDecision::rejected(
      "AUTHZ_DENIED", "'" + type->name + "' is for " + std::string(to_string(type->role)) + ", '" +
                          request.actor_id + "' is " + std::string(to_string(role)));
}

}  // namespace weir::engine
