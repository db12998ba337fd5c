#include "cli/event_json.h"

namespace weir::cli {

json::Object event_json(const event::EventView& event) {
  json::Object object;
  for (const auto& info : event::fields()) {
    const auto* member = event.find(info.field);
    if (member == nullptr) continue;
    json::Value value;
    if (member->kind == json::Kind::kString) {
      value = member->text;
    } else if (auto parsed = json::parse(member->text)) {
      value = *std::move(parsed);
    }
    object.append({std::string(info.name), std::move(value)});
  }
  return object;
}

}  // namespace weir::cli
