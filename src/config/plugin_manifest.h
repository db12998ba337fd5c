#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/problem.h"
#include "config/config.h"

/// What a plugin says of itself in `plugin.yaml` or `plugin.json`. Declared in plugin_manifest.cc;
/// docs/plugins.md explains it.
namespace weir::config {

enum class PluginKind : std::uint8_t {
  kProcess,       ///< a program that is started for every call
  kWarm,          ///< a program that stays, and is called by lines
  kSharedObject,  ///< a library with the interface of include/weir/plugin.h
};
[[nodiscard]] std::string_view to_string(PluginKind kind);

enum class SettingKind : std::uint8_t {
  kString,
  kStrings,
  kInteger,
  kNumber,
  kBoolean,
  kObject,
  kAny
};

struct PluginSetting {
  SettingKind kind = SettingKind::kAny;
  bool required = false;
};

struct PluginTool {
  std::vector<std::string> input_types;
  std::vector<std::string> output_types;
  std::vector<std::string> capabilities;
  bool once = false;  ///< its effects must not happen twice
  ByName<PluginSetting> settings;
};

/// What it asks for. Granted to partners, of whom the user has agreed to trust them.
struct Permissions {
  bool network = false;
  std::vector<std::filesystem::path> read;
  std::vector<std::filesystem::path> write;
  std::vector<std::string> environment;  ///< names of variables
};

/// The most that a call may use. What is not set is as the tier has it.
struct Limits {
  std::optional<std::chrono::milliseconds> time;
  std::optional<std::chrono::milliseconds> cpu;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::int64_t> processes;
  std::optional<std::uint64_t> output_bytes;  ///< on standard output, and as much on standard error
  std::optional<std::int64_t> open_files;
  bool operator==(const Limits&) const = default;
};

struct PluginManifest {
  std::string id;
  std::string name;
  std::string version;
  std::string plugin_type;
  Trust trust = Trust::kUntrusted;
  PluginKind kind = PluginKind::kProcess;
  std::vector<std::string> command;  ///< kProcess, kWarm
  std::filesystem::path library;     ///< kSharedObject
  ByName<PluginTool> tools;
  Permissions permissions;
  Limits limits;
};

/// A larger manifest is refused: nobody writes it by hand.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{256} << 10;

/// What a manifest says, and everything that is wrong with it, by place. With problems it is not to
/// be used.
struct PluginManifestFile {
  PluginManifest manifest;
  std::vector<Problem> problems;
};

/// Reads YAML, of which JSON is a part. Paths are as they are written.
[[nodiscard]] PluginManifestFile parse_plugin_manifest(std::string_view text);

}  // namespace weir::config
