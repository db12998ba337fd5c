#include "record/projection.h"

#include <utility>

namespace weir::record {
namespace {

json::Value to_value(const json::FlatMember& member) {
  switch (member.kind) {
    case json::Kind::kNull:
      return {};
    case json::Kind::kBoolean:
      return member.boolean;
    case json::Kind::kInteger:
      return member.integer;
    case json::Kind::kNumber:
      return member.number;
    case json::Kind::kString:
      return member.text;
    case json::Kind::kArray:
    case json::Kind::kObject:
      break;
  }
  auto value = json::parse(member.text);
  return value ? *std::move(value) : json::Value(member.text);  // too deep: as text, not lost
}

}  // namespace

ProjectedEvent::ProjectedEvent(const event::EventView& the_event) : event(the_event) {
  auto value = field(event::Field::kAttributes);
  if (auto* object = value.object()) attributes = std::move(*object);
}

json::Value ProjectedEvent::field(event::Field field) const {
  const auto* member = event.find(field);
  return member == nullptr ? json::Value() : to_value(*member);
}

json::Value ProjectedEvent::attribute(std::string_view name) const {
  const auto* value = attributes.find(name);
  return value == nullptr ? json::Value() : *value;
}

ValueOf value_named(std::string_view name) {
  if (const auto field = event::find_field(name)) {
    return [field = *field](const ProjectedEvent& event) { return event.field(field); };
  }
  return [name = std::string(name)](const ProjectedEvent& event) { return event.attribute(name); };
}

void append_projected(std::string& out, const Projection& projection,
                      const event::EventView& event) {
  const ProjectedEvent projected(event);
  char separator = '{';
  for (const auto& field : projection) {
    out += std::exchange(separator, ',');
    json::append_string(out, field.name);
    out += ':';
    json::append(out, field.value(projected));
  }
  if (separator == '{') out += '{';
  out += '}';
}

}  // namespace weir::record
