#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/names.h"

/// What a tool is, as whoever calls it must know it.
namespace weir::tool {

/// One key of a node's `with`. Checking, the JSON Schema and the reference page come from it.
struct Setting {
  enum class Kind : std::uint8_t {
    kString,
    kStrings,
    kStringsByName,
    kInteger,
    kNumber,
    kBoolean,
    kObject,
    kAny,
  };
  std::string name;
  Kind kind;
  bool required = false;
  std::string doc{};                     ///< what it means, in Markdown
  std::string fallback{};                ///< what holds without it, in Markdown
  std::optional<config::Names> names{};  ///< kStringsByName: what they may be
};
/// "a whole number from 0"
[[nodiscard]] std::string_view to_string(Setting::Kind kind);

/// Whether a tool may be run again when nobody knows how its last try ended.
enum class Effects : std::uint8_t { kRepeatable, kOnce };

/// How many streams a tool can read, and how many it can write.
enum class Streams : std::uint8_t { kNone, kOneEach, kAny };

struct ToolSpec {
  std::string plugin_id;
  std::string tool_id;
  std::vector<Setting> settings;            ///< none: any are taken
  std::string about{};                      ///< what it does, in a few words
  std::string notes{};                      ///< what goes in and comes out, in Markdown
  std::string version{};                    ///< of the plugin; empty: Weir's own
  std::vector<std::string> input_types{};   ///< empty: any
  std::vector<std::string> output_types{};  ///< empty: any
  std::vector<std::string> capabilities{};
  Effects effects = Effects::kRepeatable;
  Streams streams = Streams::kNone;
  std::string plugin_type{};  ///< of what sort its plugin is, in the plugin's words; may be empty
  /// It works in the calling thread, and for so long that asking for that thread's processor time,
  /// twice a call, is nothing.
  bool measures_cpu = false;

  /// "process.run"
  [[nodiscard]] std::string name() const { return plugin_id + "." + tool_id; }
};

}  // namespace weir::tool
