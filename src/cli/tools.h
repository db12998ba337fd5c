#pragma once

#include "artifact/artifact_store.h"
#include "config/config.h"
#include "tool/tool.h"

namespace weir::cli {

/// Adds the tools that ship and those of the plugins that are configured. False: a plugin is wrong,
/// which was said on standard error; nothing is to be done then, and kWrongUsage is the exit code.
[[nodiscard]] bool add_tools(const config::Config& config, const artifact::ArtifactStore& artifacts,
                             tool::Registry& tools);

}  // namespace weir::cli
