#pragma once

#include <compare>
#include <functional>
#include <string>

#include "base/id.h"
#include "event/decoder.h"

namespace weir::project {

/// What a run is known by: two tenants may have a run of one id.
struct RunKey {
  RunId run_id;
  std::string tenant_id{};  ///< empty: nobody's

  [[nodiscard]] static RunKey of(const event::EventView& event) {
    return {event.run_id(), std::string(event.text(event::Field::kTenantId))};
  }
  /// Whether what an event asks of a run of this id may be asked of this one: its tenant asks, or
  /// nobody, who does not know whose it is.
  [[nodiscard]] bool may_be_meant_by(const event::EventView& event) const {
    const auto tenant = event.text(event::Field::kTenantId);
    return tenant.empty() || tenant == tenant_id;
  }
  auto operator<=>(const RunKey&) const = default;
};

}  // namespace weir::project

template <>
struct std::hash<weir::project::RunKey> {
  std::size_t operator()(const weir::project::RunKey& key) const noexcept {
    return std::hash<weir::RunId>()(key.run_id) ^ std::hash<std::string>()(key.tenant_id);
  }
};
