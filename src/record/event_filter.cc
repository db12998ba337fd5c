#include "record/event_filter.h"

#include <algorithm>

#include "record/loggers.h"

namespace weir::record {
namespace {

bool has_topic(const EventTraits& traits, const Published& event) {
  return std::ranges::any_of(traits.topics,
                             [&](const auto& pattern) { return pattern.matches(event.topic); });
}

bool has_type(const EventTraits& traits, const Published& event) {
  return std::ranges::find(traits.types, event.event.type_name()) != traits.types.end();
}

bool has_logger(const EventTraits& traits, const Published& event) {
  const auto name = event.event.text(event::Field::kLogger);
  return std::ranges::any_of(traits.loggers, [&](const std::string& wanted) {
    return name.starts_with(wanted) && (name.size() == wanted.size() || name[wanted.size()] == '.');
  });
}

}  // namespace

event::Level level_of(const event::EventView& event) {
  return parse_level(event.text(event::Field::kLevel)).value_or(event::Level::kInfo);
}

bool EventFilter::accepts(const Published& event) const {
  return level_of(event.event) >= min_level &&
         (include.topics.empty() || has_topic(include, event)) &&
         (include.types.empty() || has_type(include, event)) &&
         (include.loggers.empty() || has_logger(include, event)) && !has_topic(exclude, event) &&
         !has_type(exclude, event) && !has_logger(exclude, event);
}

}  // namespace weir::record
