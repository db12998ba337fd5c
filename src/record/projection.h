#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "event/decoder.h"

/// An event as a line of chosen fields under chosen names, for readers who expect those.
namespace weir::record {

/// An event and its attributes, read once for all fields.
struct ProjectedEvent {
  explicit ProjectedEvent(const event::EventView& the_event);

  /// Null where the event does not say it.
  [[nodiscard]] json::Value field(event::Field field) const;
  /// Null where there is none of that name.
  [[nodiscard]] json::Value attribute(std::string_view name) const;

  const event::EventView& event;
  json::Object attributes;
};

/// Takes a value from an event; null when the event does not say it.
using ValueOf = std::function<json::Value(const ProjectedEvent&)>;

struct ProjectedField {
  std::string name;  ///< in the line
  ValueOf value;
};

/// In the order of the line.
using Projection = std::vector<ProjectedField>;

/// The field of the catalogue that has this name, or else the attribute.
[[nodiscard]] ValueOf value_named(std::string_view name);

/// Appends a JSON object without a newline: every field of `projection`, null where the event does
/// not say it.
void append_projected(std::string& out, const Projection& projection,
                      const event::EventView& event);

}  // namespace weir::record
