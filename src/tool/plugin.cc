#include "tool/plugin.h"

namespace weir::tool {
namespace {

Setting::Kind kind_of(config::SettingKind kind) {
  switch (kind) {
    case config::SettingKind::kString:
      return Setting::Kind::kString;
    case config::SettingKind::kStrings:
      return Setting::Kind::kStrings;
    case config::SettingKind::kInteger:
      return Setting::Kind::kInteger;
    case config::SettingKind::kNumber:
      return Setting::Kind::kNumber;
    case config::SettingKind::kBoolean:
      return Setting::Kind::kBoolean;
    case config::SettingKind::kObject:
      return Setting::Kind::kObject;
    case config::SettingKind::kAny:
      break;
  }
  return Setting::Kind::kAny;
}

ToolSpec spec_of(const config::PluginManifest& manifest, const std::string& tool_id) {
  const auto& tool = manifest.tools.at(tool_id);
  ToolSpec spec{.plugin_id = manifest.id,
                .tool_id = tool_id,
                .settings = {},
                .version = manifest.version,
                .input_types = tool.input_types,
                .output_types = tool.output_types,
                .capabilities = tool.capabilities,
                .effects = tool.once ? Effects::kOnce : Effects::kRepeatable,
                .plugin_type = manifest.plugin_type};
  for (const auto& [name, setting] : tool.settings) {
    spec.settings.push_back(
        {.name = name, .kind = kind_of(setting.kind), .required = setting.required});
  }
  return spec;
}

class PluginTool final : public Tool {
 public:
  PluginTool(ToolSpec spec, std::shared_ptr<PluginHost> host)
      : spec_(std::move(spec)), host_(std::move(host)) {
    spec_.measures_cpu = host_->is_in_thread();
  }

  [[nodiscard]] const ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] std::expected<Output, Failure> run(const Call& call) override {
    auto output = host_->call(spec_.tool_id, call);
    if (!output) {
      output.error().message = "node '" + std::string(call.node_id) + "': plugin '" +
                               spec_.plugin_id + "': " + output.error().message;
    }
    return output;
  }

 private:
  ToolSpec spec_;
  const std::shared_ptr<PluginHost> host_;
};

}  // namespace

std::unique_ptr<PluginHost> make_host(Plugin plugin) {
  switch (plugin.manifest.kind) {
    case config::PluginKind::kProcess:
      return make_process_host(std::move(plugin));
    case config::PluginKind::kWarm:
      return make_warm_host(std::move(plugin));
    case config::PluginKind::kSharedObject:
      break;
  }
  return make_library_host(std::move(plugin));
}

std::unique_ptr<Tool> make_plugin_tool(const config::PluginManifest& manifest,
                                       const std::string& tool_id,
                                       std::shared_ptr<PluginHost> host) {
  return std::make_unique<PluginTool>(spec_of(manifest, tool_id), std::move(host));
}

}  // namespace weir::tool
