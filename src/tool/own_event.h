#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "event/catalogue.h"
#include "tool/tool.h"

/// What tools have to say beside what the engine records of their nodes.
namespace weir::tool {

/// An event of a tool's own: a custom one, `agent_run` or `notification`. The engine says whose it
/// is.
struct OwnEvent {
  std::string type;  ///< "page.read"; no name of the catalogue's but those two
  event::Level level = event::Level::kInfo;
  /// Members with the name of a column that tools may fill (see `column_for`) are that column, all
  /// others are attributes.
  json::Object members{};
};

/// Of one call: more is a flood, and the log is for what a person reads.
inline constexpr int kMaxOwnEvents = 1000;
/// Of an event's members, as JSON.
inline constexpr std::size_t kMaxOwnEventBytes = std::size_t{64} << 10;

/// What it used and cost, who did it and how it ended. Nothing for all other names.
[[nodiscard]] std::optional<event::Field> column_for(std::string_view name);

/// Whether it may be recorded. Errors: kInvalidInput: no name for an event of a tool's, a column
/// with a value of another type, members that are too large, one of the catalogue without what it
/// needs.
[[nodiscard]] Result<void> check(const OwnEvent& event);

/// As docs/formats/plugin-protocol.md has it. Reading refuses nothing: `check` does.
[[nodiscard]] json::Object to_object(const OwnEvent& event);
[[nodiscard]] OwnEvent own_event_from(const json::Object& object);

/// Says in the log of the call that an event of a plugin's was passed over; not of those after
/// kMaxOwnEvents, of which it is said once.
void warn_of_event(const Call& call, const Error& why);

/// DEBUG, INFO, WARNING, ERROR or FATAL, of any case; what is none of them is INFO.
[[nodiscard]] event::Level level_from(std::string word);

}  // namespace weir::tool
