#include "server/audit.h"

#include <utility>

#include "base/json.h"
#include "server/api.h"

namespace weir::server {

using event::Field;

void Refusals::add(std::string_view operation, std::string_view peer, const Caller& caller,
                   std::string_view why) {
  std::uint64_t unsaid = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto second = std::chrono::floor<std::chrono::seconds>(recorder_.clock().monotonic());
    if (std::exchange(second_, second) != second) said_ = 0;
    if (++said_ > kMostPerSecond) {
      ++unsaid_;
      return;
    }
    unsaid = std::exchange(unsaid_, 0);
  }
  json::Object attributes;
  attributes.set("peer", std::string(peer));
  if (unsaid > 0) attributes.set("refused_besides", static_cast<std::int64_t>(unsaid));
  const auto text = json::to_text(attributes);
  const event::FieldValue fields[] = {{Field::kOutcome, std::string_view("denied")},
                                      {Field::kReason, why},
                                      {Field::kActorId, std::string_view(caller.id)},
                                      {Field::kOperation, operation},
                                      {Field::kAttributes, event::ObjectText{text}}};
  static_cast<void>(recorder_.process_runs().emit(record::Retention::kAudit, caller.tenant_id,
                                                  event::Type::kAudit, event::Level::kWarning,
                                                  fields));
}

}  // namespace weir::server
