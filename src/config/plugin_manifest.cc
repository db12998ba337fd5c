#include "config/plugin_manifest.h"

#include "base/yaml.h"
#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::size_t kMaxTypes = 64;
constexpr std::size_t kMaxWords = 256;
constexpr std::size_t kMaxWord = 4096;

Names ids(const std::string& what) {
  return {.what = what + ": letters, digits, '_', '-' and '.'",
          .pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
          .accepts = is_id};
}

Shape<PluginSetting> setting_shape() {
  using enum SettingKind;
  return object<PluginSetting>("a setting",
                               {key<PluginSetting>("kind", &PluginSetting::kind,
                                                   choice<SettingKind>({{"string", kString},
                                                                        {"strings", kStrings},
                                                                        {"integer", kInteger},
                                                                        {"number", kNumber},
                                                                        {"boolean", kBoolean},
                                                                        {"object", kObject},
                                                                        {"any", kAny}}),
                                                   "what its value is"),
                                key<PluginSetting>("required", &PluginSetting::required, boolean(),
                                                   "whether a node must have it")});
}

Shape<PluginTool> tool_shape() {
  const auto types = list("types", text("a word", {.max_bytes = 128}), {.max_items = kMaxTypes});
  return object<PluginTool>(
      "a tool", {key<PluginTool>("input_types", &PluginTool::input_types, types, "what it takes"),
                 key<PluginTool>("output_types", &PluginTool::output_types, types, "what it gives"),
                 key<PluginTool>("capabilities", &PluginTool::capabilities, types, "what it can"),
                 key<PluginTool>("effects", &PluginTool::once,
                                 choice<bool>({{"repeatable", false}, {"once", true}}),
                                 "`once`: it must not be run twice for the same work"),
                 key<PluginTool>("settings", &PluginTool::settings,
                                 map("settings", setting_shape(), ids("a setting's name")),
                                 "what a node may say in `with`")});
}

Shape<Permissions> permissions_shape() {
  const auto paths = list("paths", path("a path"), {.max_items = kMaxTypes});
  return object<Permissions>(
      "permissions",
      {key<Permissions>("network", &Permissions::network, boolean(), "to use the network"),
       key<Permissions>("read", &Permissions::read, paths, "files and folders to read"),
       key<Permissions>("write", &Permissions::write, paths, "files and folders to write"),
       key<Permissions>("environment", &Permissions::environment,
                        list("variables", variable_shape(), {.max_items = kMaxTypes}),
                        "variables of the environment to see")});
}

Shape<Limits> limits_shape() {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
  const auto time = optional(duration(milliseconds(10), hours(24)));
  return object<Limits>(
      "limits",
      {key<Limits>("time", &Limits::time, time, "how long a call may take"),
       key<Limits>("cpu", &Limits::cpu, time, "how much processor time a call may use"),
       key<Limits>("memory", &Limits::memory_bytes, optional(size(kMebibyte, kMebibyte << 20)),
                   "how much memory its processes may have together"),
       key<Limits>("processes", &Limits::processes, optional(whole_number(1, 10'000)),
                   "how many processes it may be at once"),
       key<Limits>("output", &Limits::output_bytes, optional(size(1, kMebibyte << 10)),
                   "how much a call may print"),
       key<Limits>("open_files", &Limits::open_files, optional(whole_number(8, 1'000'000)),
                   "how many files each process may have open")});
}

void check_manifest(const PluginManifest& manifest, const json::Value& value, Problems& problems) {
  const bool is_library = manifest.kind == PluginKind::kSharedObject;
  const std::string kind(to_string(manifest.kind));
  if (is_library ? manifest.library.empty() : manifest.command.empty()) {
    problems.add(value.position, "a plugin of the kind '" + kind + "' needs '" +
                                     (is_library ? "library" : "command") + "'");
  }
  const std::string_view other = is_library ? "command" : "library";
  if (is_library ? !manifest.command.empty() : !manifest.library.empty()) {
    problems.add(position_of(value, other),
                 "'" + std::string(other) + "' is not for a plugin of the kind '" + kind + "'");
  }
  if (manifest.tools.empty()) {
    problems.add(position_of(value, "tools"), "a plugin needs at least one tool in 'tools'");
  }
}

const Shape<PluginManifest>& manifest_shape() {
  using M = PluginManifest;
  using enum PluginKind;
  static const auto shape = object<M>(
      "a plugin's manifest",
      {key<M>("id", &M::id, id_shape(), "what pipelines call it", {.required = true}),
       key<M>("name", &M::name, text("a text"), "what people call it"),
       key<M>("version", &M::version, text("a text such as \"1.0.0\"", {.max_bytes = 64}),
              "another one makes what is cached of its tools invalid", {.required = true}),
       key<M>("plugin_type", &M::plugin_type, text("a word", {.max_bytes = 128}), "of what sort"),
       key<M>("trust", &M::trust, trust_shape(), "the tier that it asks for"),
       key<M>("kind", &M::kind,
              choice<PluginKind>(
                  {{"process", kProcess}, {"warm", kWarm}, {"shared_object", kSharedObject}}),
              "how it is called"),
       key<M>("command", &M::command,
              list("words", text("a word", {.max_bytes = kMaxWord}), {.max_items = kMaxWords}),
              "a program and its arguments; a path with a '/' begins in the manifest's folder"),
       key<M>("library", &M::library, path("a path"), "a shared object"),
       key<M>("tools", &M::tools, map("tools", tool_shape(), ids("a tool's id")), "what it can do"),
       key<M>("permissions", &M::permissions, permissions_shape(), "what it asks for"),
       key<M>("limits", &M::limits, limits_shape(), "the most that a call may use")},
      {.check = check_manifest});
  return shape;
}

}  // namespace

std::string_view to_string(PluginKind kind) {
  static constexpr std::string_view kWords[] = {"process", "warm", "shared_object"};
  return kWords[static_cast<std::size_t>(kind)];
}

PluginManifestFile parse_plugin_manifest(std::string_view text) {
  PluginManifestFile file;
  const auto value = yaml::parse(text);
  if (!value) {
    file.problems.push_back(located(value.error()));
    return file;
  }
  if (value->is_null()) {
    file.problems.push_back({.position = {1, 1}, .message = "a manifest needs 'id' and 'version'"});
    return file;
  }
  Problems problems;
  auto read = manifest_shape().read(*value, nullptr, {"manifest", &problems});
  if (read) file.manifest = *std::move(read);
  file.problems = problems.take();
  return file;
}

}  // namespace weir::config
