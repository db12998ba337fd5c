#include "plugins/plugins.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/problems.h"
#include "cli/settings.h"
#include "cli/table.h"
#include "cli/tools.h"
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

json::Value to_json(const FoundPlugin& found) {
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
  return object;
}

void print_json(const std::vector<FoundPlugin>& found,
                const std::vector<tool::Protection>& protections) {
  json::Array plugins, held;
  for (const auto& one : found) plugins.push_back(to_json(one));
  for (const auto& one : protections) {
    json::Object object;
    object.set("name", one.name);
    object.set("what", one.what);
    object.set("available", one.available);
    object.set("mechanism", one.mechanism);
    held.emplace_back(std::move(object));
  }
  json::Object object;
  object.set("plugins", std::move(plugins));
  object.set("protections", std::move(held));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

void print_tables(const std::vector<FoundPlugin>& found,
                  const std::vector<tool::Protection>& protections) {
  Table plugins({"PLUGIN", "VERSION", "KIND", "TRUST", "RUNS HERE", "TOOLS"});
  for (const auto& one : found) {
    if (!one.problems.empty()) continue;
    const auto& manifest = one.plugin.manifest;
    plugins.add({manifest.id, manifest.version, std::string(config::to_string(manifest.kind)),
                 std::string(config::to_string(one.plugin.policy.trust)),
                 one.why_not.empty() ? "yes" : "no", text::join(tools_of(one))});
  }
  if (plugins.size() == 0) {
    std::printf("No plugins are configured: weir.yaml, plugins: {folders: [FOLDER]}.\n");
  } else {
    plugins.print(stdout);
  }
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
  as_json ? print_json(*found, protections) : print_tables(*found, protections);
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
  auto* command = app.add_subcommand(
      "plugins", "List the plugins that are configured, and what holds them on this machine");
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return list_plugins(*as_json, invocation); };
  });
}

}  // namespace weir::cli
