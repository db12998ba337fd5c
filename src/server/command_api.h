#pragma once

#include <vector>

#include "server/api.h"
#include "server/remote_command.h"

namespace weir::server {

/// At a time: each is a process. Those that follow something are among them.
inline constexpr int kMaxCommands = 8;

/// Routes that this program's own commands answer. `api` outlives them.
[[nodiscard]] std::vector<Route> command_routes(const Api& api, CommandHost host);

}  // namespace weir::server
