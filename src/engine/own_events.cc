#include "engine/node_events.h"
#include "tool/own_event.h"

// What a node's tool says itself.
namespace weir::engine {
namespace {

using event::Field;

event::FieldValue::Value own_value_of(event::FieldType type, const json::Value& value) {
  if (const auto* text = value.string()) return std::string_view(*text);
  if (const auto* flag = value.boolean()) return *flag;
  if (const auto* whole = value.integer()) {
    if (type == event::FieldType::kInteger) return *whole;
    return static_cast<double>(*whole);
  }
  return std::get<double>(value.variant());
}

}  // namespace

Result<void> NodeEvents::own(const tool::OwnEvent& event) {
  const auto over = "the limit is " + std::to_string(tool::kMaxOwnEvents) + " events in a call";
  if (own_events_ > tool::kMaxOwnEvents) return fail(ErrorCode::kExhausted, over);
  if (++own_events_ > tool::kMaxOwnEvents) {
    const auto message = "what it says from here on is not recorded: " + over;
    log({.level = event::Level::kWarning, .message = message, .logger = node_.plugin_id.text});
    return fail(ErrorCode::kExhausted, over);
  }
  WEIR_TRY(tool::check(event));
  auto fields = common();
  add_attempt(fields);
  json::Object members, attributes;
  members.update(event.members);  // of a key given twice, the last value
  for (const auto& member : members) {
    if (const auto field = tool::column_for(member.key)) {
      fields.push_back({*field, own_value_of(event::info(*field).type, member.value)});
    } else {
      attributes.set(member.key, member.value);
    }
  }
  const auto text = json::to_text(attributes);
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{text}});
  const auto type = event::find_type(event.type).value_or(event::Type::kCustom);
  if (type == event::Type::kCustom) {
    fields.push_back({Field::kEventType, std::string_view(event.type)});
  }
  run_.emit(type, event.level, fields);
  return {};
}

}  // namespace weir::engine
