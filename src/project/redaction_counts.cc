#include "project/redaction_counts.h"

#include "base/json.h"

namespace weir::project {

void RedactionCounts::apply(const event::EventView& event) {
  const auto text = event.text(event::Field::kAttributes);
  if (!text.contains("\"redacted\"")) return;
  const auto attributes = json::parse(text);
  if (!attributes || attributes->object() == nullptr) return;
  const auto* redacted = attributes->object()->find("redacted");
  if (redacted == nullptr || redacted->object() == nullptr) return;
  for (const auto& rule : *redacted->object()) {
    const auto* count = rule.value.integer();
    if (count == nullptr || *count <= 0) continue;
    if (by_rule_.size() == kMaxRules && !by_rule_.contains(rule.key)) continue;
    by_rule_[rule.key] += static_cast<std::uint64_t>(*count);
  }
}

}  // namespace weir::project
