#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/problem.h"
#include "config/config.h"
#include "tool/plugin.h"
#include "tool/protections.h"
#include "tool/tool.h"

namespace weir::tool {

/// A manifest that was found, right or wrong.
struct FoundPlugin {
  std::filesystem::path file;
  Plugin plugin;                  ///< to be used without problems only
  std::vector<Problem> problems;  ///< of the file
  std::string why_not;            ///< why it cannot be run on this machine; empty: it can
};

/// The plugins in these folders: in each `plugin.yaml` or `plugin.json`, or else in each folder of
/// it, by name. A second plugin of an id, and one of a reserved id, is a problem of its file.
/// `weir` is the program that supervises them. Errors: kNotFound, kIo: a folder that cannot be
/// read.
[[nodiscard]] Result<std::vector<FoundPlugin>> find_plugins(
    const config::Plugins& settings, const std::filesystem::path& weir,
    const std::vector<Protection>& available = protections());

/// Adds the tools of all those without problems. One that cannot be run is there, UNAVAILABLE, and
/// its calls fail with the reason.
void add_plugins(const std::vector<FoundPlugin>& found, Registry& registry);

}  // namespace weir::tool
