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
  auto operator<=>(const RunKey&) const = default;
};

}  // namespace weir::project

template <>
struct std::hash<weir::project::RunKey> {
  std::size_t operator()(const weir::project::RunKey& key) const noexcept {
    return std::hash<weir::RunId>()(key.run_id) ^ std::hash<std::string>()(key.tenant_id);
  }
};
