#pragma once

#include <string>
#include <vector>

#include "event/catalogue.h"
#include "event/topic.h"
#include "record/event_bus.h"

namespace weir::record {

/// An event's level; INFO for a name that is none.
[[nodiscard]] event::Level level_of(const event::EventView& event);

/// What an event may be known by. Each list holds alternatives.
struct EventTraits {
  std::vector<event::TopicPattern> topics;
  std::vector<std::string> types;    ///< names of event types, custom ones too
  std::vector<std::string> loggers;  ///< a name stands for those below it too: see Loggers
};

/// Which events somebody wants: by default, all.
struct EventFilter {
  EventTraits include;  ///< it must match each list that is not empty
  EventTraits exclude;  ///< it must match none
  event::Level min_level = event::Level::kDebug;

  [[nodiscard]] bool accepts(const Published& event) const;
};

}  // namespace weir::record
