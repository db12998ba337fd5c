#include "tool/load_plugins.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "tool/payload.h"

namespace weir::tool {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"plugin.yaml", "plugin.json"};
/// More in one folder are not looked at: somebody named the wrong one.
constexpr std::size_t kMaxPlugins = 1000;
/// Weir's own plugins.
constexpr std::string_view kReserved[] = {"sql", "process", "http", "file", "json"};

/// The manifest in a folder, or an empty path.
fs::path manifest_in(const fs::path& folder) {
  std::error_code ignored;
  for (const auto* name : kNames) {
    if (fs::is_regular_file(folder / name, ignored)) return folder / name;
  }
  return {};
}

Result<std::vector<fs::path>> manifests_in(const fs::path& folder) {
  if (auto own = manifest_in(folder); !own.empty()) return std::vector{own};
  WEIR_TRY(const auto names, list_directory(folder));
  std::vector<fs::path> manifests;
  for (const auto& name : names) {
    if (auto found = manifest_in(folder / name); !found.empty()) manifests.push_back(found);
    if (manifests.size() > kMaxPlugins) {
      return fail(ErrorCode::kExhausted,
                  folder.string() + " has more than " + std::to_string(kMaxPlugins) + " plugins");
    }
  }
  return manifests;
}

FoundPlugin read_manifest(const fs::path& file, const config::Plugins& settings,
                          const fs::path& weir, const std::vector<Protection>& available) {
  FoundPlugin found{.file = file, .plugin = {}, .problems = {}, .why_not = {}};
  const auto text = read_file(file, config::kMaxManifestBytes);
  if (!text) {
    found.problems.push_back({.position = {1, 1}, .message = text.error().message});
    return found;
  }
  auto read = config::parse_plugin_manifest(*text);
  found.problems = std::move(read.problems);
  if (!found.problems.empty()) return found;
  std::error_code ignored;
  auto& plugin = found.plugin;
  plugin.manifest = std::move(read.manifest);
  plugin.folder = fs::absolute(file, ignored).parent_path().lexically_normal();
  plugin.weir = weir;
  const auto agreed = settings.trust.find(plugin.manifest.id);
  plugin.policy = policy_of(
      plugin.manifest, agreed == settings.trust.end() ? config::Trust::kUntrusted : agreed->second,
      plugin.folder);
  const auto able = check_protections(plugin.policy.trust, available);
  if (!able) found.why_not = able.error().message;
  return found;
}

/// Stands for a plugin that cannot be run here.
class RefusingHost final : public PluginHost {
 public:
  explicit RefusingHost(std::string why) : why_(std::move(why)) {}
  [[nodiscard]] std::expected<Output, Failure> call(std::string_view, const Call&) override {
    auto failed = fail_with("PluginUnavailable", why_);
    failed.error().category = kSandbox;
    failed.error().retryable = false;
    return failed;
  }

 private:
  const std::string why_;
};

}  // namespace

Result<std::vector<FoundPlugin>> find_plugins(const config::Plugins& settings, const fs::path& weir,
                                              const std::vector<Protection>& available) {
  std::vector<FoundPlugin> all;
  std::set<std::string> ids(std::begin(kReserved), std::end(kReserved));
  for (const auto& folder : settings.folders) {
    auto manifests = manifests_in(folder);
    if (!manifests) return std::unexpected(std::move(manifests).error().within("plugins"));
    for (const auto& file : *manifests) {
      auto found = read_manifest(file, settings, weir, available);
      const auto& id = found.plugin.manifest.id;
      if (found.problems.empty() && !ids.insert(id).second) {
        const bool is_reserved = std::ranges::find(kReserved, id) != std::end(kReserved);
        found.problems.push_back({.position = {1, 1},
                                  .message = "there is a plugin '" + id + "' already" +
                                             (is_reserved ? ", which is Weir's own" : "") +
                                             ": give this one another 'id'"});
      }
      all.push_back(std::move(found));
    }
  }
  return all;
}

void add_plugins(const std::vector<FoundPlugin>& found, Registry& registry) {
  for (const auto& one : found) {
    if (!one.problems.empty()) continue;
    const auto& manifest = one.plugin.manifest;
    std::shared_ptr<PluginHost> host;
    if (one.why_not.empty()) {
      host = make_host(one.plugin);
    } else {
      host = std::make_shared<RefusingHost>(one.why_not);
    }
    for (const auto& [tool_id, tool] : manifest.tools) {
      registry.add(make_plugin_tool(manifest, tool_id, host));
    }
    registry.health(manifest.id)->set_unavailable(one.why_not);
  }
}

}  // namespace weir::tool
