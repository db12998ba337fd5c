#include "project/plugin_status.h"

namespace weir::project {

std::optional<std::string_view> plugin_status(const event::EventView& event) {
  using event::Field;
  using event::Type;
  const auto outcome = event.text(Field::kOutcome);
  switch (event.type()) {
    case Type::kNodeCompleted:
      return "success";
    case Type::kNodeFailed:
      if (outcome == "timeout") return "timeout";
      return outcome == "denied" ? "permission_denied" : "isolated_failure";
    case Type::kNodeCancelled:
      if (outcome == "timeout") return "timeout";
      return {};
    default:
      return {};
  }
}

}  // namespace weir::project
