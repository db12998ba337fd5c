#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/plugin_manifest.h"

namespace weir::tool {

/// What a plugin's processes may do. Made from a manifest and what the user agreed to, and handed
/// to the supervisor as JSON. docs/plugins.md has the table.
struct Policy {
  config::Trust trust = config::Trust::kUntrusted;
  bool network = false;
  std::vector<std::filesystem::path> read;  ///< beside the system's programs and libraries
  std::vector<std::filesystem::path> write;
  std::filesystem::path temporary;  ///< a folder of its own, which it may write too
  config::Limits limits;            ///< `time` and `output_bytes` are the host's to hold
  bool operator==(const Policy&) const = default;

  /// Trusted plugins run as the user's own programs do.
  [[nodiscard]] bool confines() const { return trust != config::Trust::kTrusted; }
};

/// The limits of plugins that are not trusted, where their manifests name no lower ones. A
/// partner's may name higher ones.
[[nodiscard]] config::Limits standard_limits();

/// What the manifest asks for, as far as the user agrees to it. Relative paths begin in `folder`.
[[nodiscard]] Policy policy_of(const config::PluginManifest& manifest, config::Trust agreed,
                               const std::filesystem::path& folder);

[[nodiscard]] std::string to_json(const Policy& policy);
/// Errors: kInvalidInput.
[[nodiscard]] Result<Policy> policy_from_json(std::string_view text);

}  // namespace weir::tool
