#include "event/redaction.h"

#include <numeric>
#include <utility>

#include "event/redaction_policy.h"
#include "event/redaction_secrets.h"

namespace weir::event {

void RedactionCounts::add(RedactionRuleIndex rule, std::uint64_t times) {
  if (rule >= by_rule_.size()) by_rule_.resize(std::size_t{rule} + 1);
  by_rule_[rule] += times;
}

void RedactionCounts::add(const RedactionCounts& other) {
  for (std::size_t rule = 0; rule < other.by_rule_.size(); ++rule) {
    if (other.by_rule_[rule] != 0) add(static_cast<RedactionRuleIndex>(rule), other.by_rule_[rule]);
  }
}

std::uint64_t RedactionCounts::total() const {
  return std::accumulate(by_rule_.begin(), by_rule_.end(), std::uint64_t{0});
}

Redactor::Redactor(std::unique_ptr<const redaction::CompiledPolicy> policy)
    : policy_(std::move(policy)) {}
Redactor::Redactor(Redactor&&) noexcept = default;
Redactor& Redactor::operator=(Redactor&&) noexcept = default;
Redactor::~Redactor() = default;

Result<Redactor> Redactor::make(const RedactionPolicy& policy) {
  WEIR_TRY(auto compiled, redaction::CompiledPolicy::make(policy));
  return Redactor(std::move(compiled));
}

bool Redactor::redact_text(std::string_view text, TextKind kind, std::string& out,
                           RedactionCounts& counts) const {
  return policy_->mask_text(text, kind, out, counts);
}

bool Redactor::redact_value(std::string_view key, std::string_view value, TextKind kind,
                            std::string& out, RedactionCounts& counts) const {
  const auto name = policy_->names().find(key);
  const bool file =
      name && name->strength == redaction::NameStrength::kPath && value.starts_with('/');
  if (!name || !policy_->applies(name->rule, kind) || value.empty() || file) {
    return redact_text(value, kind, out, counts);
  }
  if (redaction::is_mask(value)) return false;
  out = policy_->mask(name->rule, value);
  counts.add(name->rule);
  return true;
}

bool Redactor::names_secret(std::string_view key) const {
  const auto name = policy_->names().find(key);
  return name && policy_->applies(name->rule, TextKind::kField);
}

std::span<const RedactionRule> Redactor::rules() const { return policy_->rules(); }

}  // namespace weir::event
