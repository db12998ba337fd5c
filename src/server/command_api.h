#pragma once

#include <vector>

#include "server/api.h"
#include "server/remote_command.h"

namespace weir::server {

/// At a time, of each kind: each is a process. Tenants share them as FairBudget says.
inline constexpr int kMaxReading = 8;
inline constexpr int kMaxOperating = 8;
inline constexpr int kMaxFollowing = 16;  ///< they have no end
inline constexpr int kMaxCommands = kMaxReading + kMaxOperating + kMaxFollowing;

/// Routes that this program's own commands answer. `api` outlives them.
[[nodiscard]] std::vector<Route> command_routes(const Api& api, CommandHost host);

}  // namespace weir::server
