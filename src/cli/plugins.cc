#include "plugins/plugins.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/problems.h"
#include "cli/settings.h"
#include "cli/table.h"
#include "cli/tools.h"
#include "report/plugin_health.h"
#include "tool/health.h"
#include "tool/load_plugins.h"

namespace weir::cli {
namespace {

using tool::FoundPlugin;

/// The supervisor of plugins; also after the file was replaced by a newer one.
constexpr const char* kThisProgram = "/proc/self/exe";

std::vector<std::string> tools_of(const FoundPlugin& found) {
  std::vector<std::string> names;
  for (const auto& [id, tool] : found.plugin.manifest.tools) names.push_back(id);
  return names;
}

json::Array to_array(const std::vector<std::string>& words) {
  json::Array array;
  for (const auto& word : words) array.emplace_back(word);
  return array;
}

/// Those that come with Weir.
std::vector<const tool::ToolSpec*> specs_of(const tool::Registry& tools) {
  std::vector<const tool::ToolSpec*> specs;
  for (const auto& plugin : tools.plugin_ids()) {
    for (const auto& id : tools.tool_ids(plugin)) specs.push_back(&tools.find(plugin, id)->spec());
  }
  return specs;
}

std::vector<std::string> settings_of(const tool::ToolSpec& spec) {
  std::vector<std::string> names;
  names.reserve(spec.settings.size());
  for (const auto& setting : spec.settings) names.push_back(setting.name);
  return names;
}

json::Array tools_to_json(const tool::Registry& tools) {
  json::Array array;
  for (const auto* spec : specs_of(tools)) {
    json::Object object;
    object.set("plugin_id", spec->plugin_id);
    object.set("tool_id", spec->tool_id);
    object.set("about", spec->about);
    object.set("settings", to_array(settings_of(*spec)));
    array.emplace_back(std::move(object));
  }
  return array;
}

void print_tools(const tool::Registry& tools) {
  std::printf("Tools that come with Weir, docs/reference/tools.md:\n");
  Table table({"TOOL", "SETTINGS", "WHAT"});
  for (const auto* spec : specs_of(tools)) {
    table.add({spec->plugin_id + "." + spec->tool_id, text::join(settings_of(*spec)), spec->about});
  }
  table.print(stdout);
}

json::Object tools_to_json(const config::PluginManifest& manifest) {
  json::Object tools;
  for (const auto& [id, tool] : manifest.tools) {
    json::Object object;
    object.set("input_types", to_array(tool.input_types));
    object.set("output_types", to_array(tool.output_types));
    object.set("capabilities", to_array(tool.capabilities));
    object.set("effects", tool.once ? "once" : "repeatable");
    tools.set(id, std::move(object));
  }
  return tools;
}

using AllHealth = std::map<std::string, report::PluginHealth>;

/// As the calls in the store tell; without one, that of plugins that were never called.
AllHealth read_health(const Invocation& invocation) {
  const auto store = log::StoreDirectory::open(invocation.store_path());
  if (!store) return {};
  const auto bad = std::make_shared<store::BadPlaces>();
  auto health = report::plugin_health(*store, bad);
  if (health) return *std::move(health);
  complain(health.error());
  return {};
}

std::string_view state_of(const FoundPlugin& found, const report::PluginHealth* health) {
  using State = tool::HealthReport::State;
  if (!found.why_not.empty()) return tool::to_string(State::kUnavailable);
  if (health == nullptr) return tool::to_string(State::kLoaded);
  return tool::to_string(health->last_failed ? State::kFailed : State::kInitialized);
}

const report::PluginHealth* health_of(const FoundPlugin& found, const AllHealth& all) {
  const auto known = all.find(found.plugin.manifest.id);
  return known == all.end() ? nullptr : &known->second;
}

json::Object health_to_json(const FoundPlugin& found, const report::PluginHealth* health) {
  json::Object object;
  object.set("state", state_of(found, health));
  object.set("success_count", health == nullptr ? 0 : health->success_count);
  object.set("error_count", health == nullptr ? 0 : health->error_count);
  if (health == nullptr) return object;
  if (const auto& last = health->last_execution_time_ms) {
    object.set("last_execution_time_ms", *last);
  }
  if (const auto& average = health->average_execution_time_ms) {
    object.set("average_execution_time_ms", *average);
  }
  object.set("last_used", to_string(health->last_used));
  if (!health->reason.empty()) object.set("reason", health->reason);
  return object;
}

json::Value to_json(const FoundPlugin& found, const AllHealth& all) {
  const auto& manifest = found.plugin.manifest;
  json::Object object;
  object.set("file", found.file.string());
  json::Array problems;
  for (const auto& problem : found.problems) {
    problems.emplace_back(to_string(problem, found.file.string()));
  }
  object.set("problems", std::move(problems));
  if (!found.problems.empty()) return object;
  object.set("id", manifest.id);
  object.set("name", manifest.name);
  object.set("version", manifest.version);
  object.set("plugin_type", manifest.plugin_type);
  object.set("kind", config::to_string(manifest.kind));
  object.set("trust", config::to_string(found.plugin.policy.trust));
  object.set("asks_for", config::to_string(manifest.trust));
  object.set("unavailable", found.why_not.empty() ? json::Value() : json::Value(found.why_not));
  object.set("tools", tools_to_json(manifest));
  object.set("health", health_to_json(found, health_of(found, all)));
  return object;
}

void print_as_json(const tool::Registry& tools, const std::vector<FoundPlugin>& found,
                   const AllHealth& health, const std::vector<tool::Protection>& protections) {
  json::Array plugins, held;
  for (const auto& one : found) plugins.push_back(to_json(one, health));
  for (const auto& one : protections) {
    json::Object object;
    object.set("name", one.name);
    object.set("what", one.what);
    object.set("available", one.available);
    object.set("mechanism", one.mechanism);
    held.emplace_back(std::move(object));
  }
  json::Object object;
  object.set("tools", tools_to_json(tools));
  object.set("plugins", std::move(plugins));
  object.set("protections", std::move(held));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

/// "12, 3 failed"
std::string calls_of(const report::PluginHealth* health) {
  if (health == nullptr) return "0";
  auto text = std::to_string(health->success_count + health->error_count);
  if (health->error_count > 0) text += ", " + std::to_string(health->error_count) + " failed";
  return text;
}

void print_tables(const tool::Registry& tools, const std::vector<FoundPlugin>& found,
                  const AllHealth& all, const std::vector<tool::Protection>& protections) {
  Table plugins({"PLUGIN", "VERSION", "KIND", "TRUST", "RUNS HERE", "HEALTH", "CALLS", "TOOLS"});
  for (const auto& one : found) {
    if (!one.problems.empty()) continue;
    const auto& manifest = one.plugin.manifest;
    const auto* const health = health_of(one, all);
    plugins.add({manifest.id, manifest.version, std::string(config::to_string(manifest.kind)),
                 std::string(config::to_string(one.plugin.policy.trust)),
                 one.why_not.empty() ? "yes" : "no", std::string(state_of(one, health)),
                 calls_of(health), text::join(tools_of(one))});
  }
  if (plugins.size() == 0) {
    std::printf("No plugins are configured: weir.yaml, plugins: {folders: [FOLDER]}.\n");
  } else {
    plugins.print(stdout);
  }
  std::printf("\n");
  print_tools(tools);
  std::printf("\nWhat holds a plugin that is not trusted, on this machine:\n");
  Table table({"PROTECTION", "HERE", "BY", "WHAT"});
  for (const auto& one : protections) {
    table.add({one.name, one.available ? "yes" : "no", one.mechanism, one.what});
  }
  table.print(stdout);
}

int list_plugins(bool as_json, const Invocation& invocation) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto protections = tool::protections();
  const auto found = tool::find_plugins(settings->plugins, kThisProgram, protections);
  if (!found) return complain(found.error());
  const auto health = found->empty() ? AllHealth() : read_health(invocation);
  const artifact::ArtifactStore unused("");
  tool::Registry tools;
  plugins::add_all(tools, unused);
  as_json ? print_as_json(tools, *found, health, protections)
          : print_tables(tools, *found, health, protections);
  int exit = kDone;
  for (const auto& one : *found) {
    if (one.problems.empty()) continue;
    std::fprintf(stderr, "%s\n", to_text(one.problems, one.file.string()).c_str());
    exit = kFailed;
  }
  return exit;
}

}  // namespace

bool add_tools(const config::Config& config, const artifact::ArtifactStore& artifacts,
               tool::Registry& tools) {
  plugins::add_all(tools, artifacts);
  const auto found = tool::find_plugins(config.plugins, kThisProgram);
  if (!found) complain(found.error());
  bool is_right = found.has_value();
  for (std::size_t i = 0; is_right && i < found->size(); ++i) {
    const auto& one = (*found)[i];
    if (one.problems.empty()) continue;
    std::fprintf(stderr, "%s\n", to_text(one.problems, one.file.string()).c_str());
    is_right = false;
  }
  if (is_right) {
    tool::add_plugins(*found, tools);
  } else {
    std::fprintf(stderr, "weir: nothing was done: a plugin is wrong\n");
  }
  return is_right;
}

void add_plugins(CLI::App& app, Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("plugins",
                                     "List the plugins that are configured, what holds them on "
                                     "this machine, and Weir's own tools");
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return list_plugins(*as_json, invocation); };
  });
}

}  // namespace weir::cli
