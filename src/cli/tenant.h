#pragma once

#include <string>

#include "cli/command.h"
#include "config/config.h"

/// Whose data the runs are that a command begins.
namespace weir::cli {

/// --tenant; `load_settings` checks it as the configuration's.
void add_tenant(CLI::App& command, Invocation& invocation);

/// --tenant, else that of the run or the trace around this process, which is said by saying
/// nothing, else the configuration's.
[[nodiscard]] std::string tenant_of(const Invocation& invocation, const config::Config& settings);

}  // namespace weir::cli
