#pragma once

#include <optional>
#include <string_view>

#include "event/decoder.h"

/// How calls of plugins end, in the four words of dvt's metrics.
namespace weir::project {

/// Of an event that ends an attempt of a node: `success`; `timeout`, of the node's, its plugin's or
/// the run's time; `permission_denied`, by a person, the execution mode or the sandbox;
/// `isolated_failure` of all else, which has failed nothing but its node. Nothing of other events,
/// and of attempts that were cancelled, unless the run's time was over. The view `attempts` has the
/// same as `plugin_status`.
[[nodiscard]] std::optional<std::string_view> plugin_status(const event::EventView& event);

}  // namespace weir::project
