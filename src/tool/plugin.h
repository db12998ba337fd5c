#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/plugin_manifest.h"
#include "tool/policy.h"
#include "tool/tool.h"

namespace weir::tool {

/// A plugin that was found, and what it may.
struct Plugin {
  config::PluginManifest manifest;
  std::filesystem::path folder;  ///< of its manifest; absolute
  Policy policy;                 ///< without a temporary folder: every process has its own
  std::filesystem::path weir;    ///< the program `weir`, which is the supervisor
};

/// What calls a plugin: a class for each kind. From many threads at once.
class PluginHost {
 public:
  virtual ~PluginHost() = default;
  [[nodiscard]] virtual std::expected<Output, Failure> call(std::string_view tool_id,
                                                            const Call& call) = 0;
  /// Whether the plugin works in the calling thread, and not in a process of its own.
  [[nodiscard]] virtual bool is_in_thread() const { return false; }
};

/// A process for each call: the payload on standard input, the output on standard output, lines of
/// log on standard error. docs/formats/plugin-protocol.md
[[nodiscard]] std::unique_ptr<PluginHost> make_process_host(Plugin plugin);

/// Processes that stay, each called by one thread at a time with JSON-RPC 2.0 lines.
[[nodiscard]] std::unique_ptr<PluginHost> make_warm_host(Plugin plugin);

/// A shared object: in this process if it is trusted, else in a `weir plugin-host` that is a warm
/// process.
[[nodiscard]] std::unique_ptr<PluginHost> make_library_host(Plugin plugin);

/// Of the kind that the manifest names.
[[nodiscard]] std::unique_ptr<PluginHost> make_host(Plugin plugin);

/// One tool of a plugin. Its failures say which plugin and node it was.
[[nodiscard]] std::unique_ptr<Tool> make_plugin_tool(const config::PluginManifest& manifest,
                                                     const std::string& tool_id,
                                                     std::shared_ptr<PluginHost> host);

}  // namespace weir::tool
